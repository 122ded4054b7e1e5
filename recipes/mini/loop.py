"""The one training loop of the embedded model's networks: budgets, resuming, events.

Each step draws its randomness from (seed, step) alone, so a run that was broken and
resumed takes exactly the steps of an unbroken one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from textbind_trainer.events import emit


class Stateful(Protocol):
    """What a checkpoint can hold: networks, optimizers, averages."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> object: ...


@dataclass(frozen=True)
class Budget:
    """How long to train: a number of steps, or minutes of training time when steps is None."""

    steps: int | None
    minutes: float | None

    def progress(self, step: int, seconds: float) -> float:
        """Fraction of the budget that is used up, 0 to 1."""
        used = step / self.steps if self.steps else seconds / (60 * (self.minutes or 1e-9))
        return min(1.0, used)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every training script of the embedded model takes."""
    parser.add_argument("--out", type=Path, default=Path(".cache/mini"), help="folder of all outputs")
    parser.add_argument("--raw", type=Path, default=None, help="registry packages (default OUT/raw)")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if any")


def begin(arguments: argparse.Namespace, default_minutes: float) -> Budget:
    """Set threads and seed; the run's budget."""
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(arguments.seed)
    if arguments.steps is None and arguments.minutes is None:
        return Budget(None, default_minutes)
    return Budget(arguments.steps, arguments.minutes)


def cosine(progress: float, warm: float = 0.03, floor: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up over `warm` of the budget, then a cosine down to `floor`."""
    if progress < warm:
        return (progress + 1e-3) / (warm + 1e-3)
    along = (progress - warm) / (1 - warm)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * along))


def plateau(progress: float, warm: float = 0.01, fall: float = 0.15, floor: float = 0.02) -> float:
    """Learning-rate factor: warm-up, then 1, then a straight line down to `floor` over the last `fall` of the budget.

    A run that is resumed with a larger budget from a checkpoint of the flat part loses nothing.
    """
    return min((progress + 1e-4) / warm, 1.0, floor + (1 - floor) * (1 - progress) / fall)


def replace_folder(written: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one; a reader sees the one or the other."""
    old = target.with_name(f".{target.name}.old-{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(old)
    written.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a small text file: to a temporary name, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.rename(path)


def save_checkpoint(folder: Path, step: int, seconds: float, parts: Mapping[str, Stateful]) -> None:
    """Write OUT/step-N/ (one .pt a part, manifest.json last) and drop all but the newest two."""
    target = folder / f"step-{step:07d}"
    scratch = folder / f".writing-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for name, part in parts.items():
        torch.save(part.state_dict(), scratch / f"{name}.pt")
    manifest = {"step": step, "seconds": seconds, "parts": sorted(parts)}
    (scratch / "manifest.json").write_text(json.dumps(manifest))
    replace_folder(scratch, target)
    for stale in sorted(folder.glob("step-*"))[:-2]:
        shutil.rmtree(stale)
    emit("checkpoint", path=str(target), step=step)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest folder whose manifest is there; None when there is none."""
    whole = [path for path in sorted(folder.glob("step-*")) if (path / "manifest.json").is_file()]
    return whole[-1] if whole else None


def load_checkpoint(path: Path, parts: Mapping[str, Stateful]) -> tuple[int, float]:
    """Load every part; returns (step, seconds trained)."""
    manifest = json.loads((path / "manifest.json").read_text())
    for name, part in parts.items():
        part.load_state_dict(torch.load(path / f"{name}.pt", weights_only=True))
    return manifest["step"], manifest["seconds"]


class Average:
    """Exponential moving average of a network's weights, with a warm-up so early noise is forgotten."""

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        self.network, self.decay, self.updates = network, decay, 0
        self.shadow = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the network's present weights in."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.shadow[key].lerp_(value, 1 - decay)
            else:
                self.shadow[key].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "shadow": self.shadow}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates, self.shadow = state["updates"], state["shadow"]


def train(
    name: str,
    folder: Path,
    budget: Budget,
    parts: Mapping[str, Stateful],
    optimizer: torch.optim.Optimizer,
    step_function: Callable[[int, float], dict[str, float]],
    *,
    seed: int,
    resume: bool,
    clip: float | None = 1.0,
    after_step: Callable[[], None] | None = None,
    at_checkpoint: Callable[[int], None] | None = None,
    checkpoint_seconds: float = 180.0,
    floor: float = 0.02,
    factor: Callable[[float], float] | None = None,
) -> int:
    """Train until the budget is used up; returns the number of steps taken in all.

    step_function(step, progress) computes the loss, calls backward and returns figures to report.
    Learning rates are the optimizer's "base" of each group times factor(progress), a cosine unless told otherwise.
    """
    parts = {**parts, "optimizer": optimizer}
    step, seconds = _begin(folder, parts, resume)
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    emit("start", run=name, step=step, parameters=sum(weight.numel() for weight in weights))
    report = _Report(name)
    last_save = before = time.monotonic()

    def save() -> None:
        save_checkpoint(folder, step, seconds, parts)
        if at_checkpoint:
            at_checkpoint(step)

    while budget.progress(step, seconds) < 1:
        progress = budget.progress(step, seconds)
        rate = factor(progress) if factor else cosine(progress, floor=floor)
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * rate
        torch.manual_seed(seed * 1_000_003 + step)
        optimizer.zero_grad(set_to_none=True)
        figures = step_function(step, progress)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(weights, clip)
        optimizer.step()
        if after_step:
            after_step()
        step += 1
        now = time.monotonic()
        seconds, before = seconds + now - before, now
        report.add(step, progress, figures)
        if now - last_save > checkpoint_seconds:
            save()
            last_save = before = time.monotonic()
    save()
    emit("finished", run=name, step=step, seconds=round(seconds, 1))
    return step


def _begin(folder: Path, parts: Mapping[str, Stateful], resume: bool) -> tuple[int, float]:
    """(step, seconds trained) of the newest checkpoint where it is gone on from; else an empty folder."""
    found = newest_checkpoint(folder) if resume else None
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return 0, 0.0
    return load_checkpoint(found, parts)


class _Report:
    """Means of the figures of the steps since the last line; a line every 15 s."""

    def __init__(self, run: str) -> None:
        self.run, self.last, self.count = run, 0.0, 0
        self.sums: dict[str, float] = {}

    def add(self, step: int, progress: float, figures: Mapping[str, float]) -> None:
        self.count += 1
        for key, value in figures.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        now = time.monotonic()
        if now - self.last <= 15:
            return
        means = {key: round(value / self.count, 5) for key, value in self.sums.items()}
        emit("step", run=self.run, step=step, progress=round(progress, 4), **means)
        self.sums, self.count, self.last = {}, 0, now
