"""The training loop that both stages share: exact, resumable, silent but for its events."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import parallel
from .batch import IGNORED, pack
from .checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from .config import RunConfig, read_config
from .data import Sample, Source
from .events import emit
from .faults import TrainerError
from .model import TextBindModel

SKIPS_SHOWN = 5


def schedule(step: int, warmup: int, total: int) -> float:
    """Factor of the peak learning rate at a step (from 0): linear warm-up, then half a cosine to 0."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


@dataclass
class Skips:
    """Unusable rows: the first few are shown, all are counted."""

    count: int = 0

    def __call__(self, reason: str) -> None:
        self.count += 1
        if self.count <= SKIPS_SHOWN:
            emit("skipped", reason=reason, count=self.count)


@dataclass
class Run:
    """A run under way: what is trained, by which optimiser, how far it is."""

    config: RunConfig
    model: TextBindModel
    source: Source
    parameters: dict[str, nn.Parameter]
    optimizer: torch.optim.Optimizer
    image_id: int
    pad_id: int
    device: torch.device
    total: int
    step: int = 0
    skips: Skips = field(default_factory=Skips)
    stopping: bool = False


def make_optimizer(groups: dict[str, list[nn.Parameter]], config: RunConfig) -> torch.optim.Optimizer:
    """Adam as the paper has it; a group's peak rate is the run's unless learningRates sets it apart."""
    return torch.optim.Adam(
        [
            {"params": parameters, "peak": config.learning_rates.get(name, config.learning_rate)}
            for name, parameters in groups.items()
            if parameters
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.95),
        eps=1e-8,
        weight_decay=config.weight_decay,
    )


def micro_batches(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Groups of ``size`` of like length, so that little is spent on padding."""
    ordered = sorted(samples, key=lambda sample: len(sample.example.ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def loss_sum(run: Run, samples: Sequence[Sample]) -> Tensor:
    """Summed cross entropy over the scored tokens of a micro-batch."""
    batch = pack([sample.example for sample in samples], run.image_id, run.pad_id).to(run.device)
    pixels = [picture for sample in samples for picture in sample.pixels]
    bf16 = run.config.precision == "bf16"
    with torch.autocast(run.device.type, dtype=torch.bfloat16, enabled=bf16):
        embeddings = None
        if pixels:
            features = run.model.image_features(torch.stack(pixels).to(run.device))
            embeddings = run.model.embed_features(features)
        hidden = run.model.hidden_states(batch.ids, batch.places, embeddings, batch.mask, batch.positions)
        # Only scored places go through the head: the vocabulary is the widest layer of all.
        scored = batch.labels[:, 1:] != IGNORED
        logits = run.model.logits(hidden[:, :-1][scored])
    return functional.cross_entropy(logits.float(), batch.labels[:, 1:][scored], reduction="sum")


def train_step(run: Run) -> tuple[float, int, float, int]:
    """One optimiser step on the next global batch: (mean loss, scored tokens, gradient norm, all tokens)."""
    rank, processes = parallel.world()
    first = run.step * run.config.batch_size
    positions = range(first + rank, first + run.config.batch_size, processes)
    samples = [sample for position in positions if (sample := run.source.sample(position)) is not None]
    scored = torch.tensor(
        [sum(sample.example.scored for sample in samples)], device=run.device, dtype=torch.float64
    )
    parallel.sum_over_processes(scored)
    if scored.item() == 0:
        raise TrainerError("data", f"step {run.step}: none of its {run.config.batch_size} rows is usable")
    factor = schedule(run.step, run.config.warmup_steps, run.total)
    for group in run.optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    run.optimizer.zero_grad(set_to_none=True)
    total = torch.zeros(1, device=run.device, dtype=torch.float64)
    for group in micro_batches(samples, run.config.micro_batch_size):
        loss = loss_sum(run, group)
        (loss / scored.item()).backward()
        total += loss.detach()
    parallel.sum_gradients(run.parameters.values())
    parallel.sum_over_processes(total)
    norm = nn.utils.clip_grad_norm_(run.parameters.values(), run.config.clip)
    if not torch.isfinite(norm):
        raise TrainerError(
            "diverged", f"step {run.step}: the gradient is not finite (loss {total.item():.4g})"
        )
    run.optimizer.step()
    run.step += 1
    tokens = sum(len(sample.example.ids) for sample in samples) * processes
    return total.item() / scored.item(), int(scored.item()), float(norm), tokens


@torch.no_grad()
def validate(run: Run) -> float | None:
    """Mean loss per scored token over the held-back samples; None if the run has none."""
    total, scored = 0.0, 0
    for group in micro_batches(list(run.source.validation()), run.config.micro_batch_size):
        total += loss_sum(run, group).item()
        scored += sum(sample.example.scored for sample in group)
    return total / scored if scored else None


def save(run: Run) -> Path:
    """Write a checkpoint of the present step (rank 0 writes, the others wait)."""
    root = run.config.output / "checkpoints"
    state = {
        "step": run.step,
        "position": run.step * run.config.batch_size,
        "total": run.total,
        "skipped": run.skips.count,
        "fingerprint": run.config.fingerprint,
    }
    target = root / f"step-{run.step:08d}"
    if parallel.world()[0] == 0:
        trained = {name: parameter for name, parameter in run.parameters.items()}
        target = save_checkpoint(
            root, trained, run.optimizer.state_dict(), state, run.config.keep_checkpoints
        )
        emit("checkpoint", step=run.step, path=str(target))
    parallel.barrier()
    return target


def resume(run: Run) -> bool:
    """Continue from the newest checkpoint of the output folder, if there is one."""
    folder = newest_checkpoint(run.config.output / "checkpoints")
    if folder is None:
        return False
    trained, optimizer, state = load_checkpoint(folder, run.config.fingerprint)
    if set(trained) != set(run.parameters):
        raise TrainerError("checkpoint", f"{folder}: holds other tensors than this run trains")
    with torch.no_grad():
        for name, parameter in run.parameters.items():
            parameter.copy_(trained[name])
    run.optimizer.load_state_dict(optimizer)
    run.step, run.skips.count = state["step"], state["skipped"]
    return True


def _validation_event(run: Run) -> None:
    loss = validate(run)
    if loss is not None:
        emit("validation", step=run.step, loss=round(loss, 5), perplexity=round(math.exp(min(loss, 20)), 3))


def train(run: Run, export: Callable[[Run, Path], None]) -> None:
    """Run to the end, or to a SIGTERM / SIGINT, which saves and leaves with a ``stopped`` event."""
    config = run.config

    def stop(_signal: int, _frame: object) -> None:
        run.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    resumed = resume(run)
    trained = sum(parameter.numel() for parameter in run.parameters.values())
    emit(
        "started", stage=config.stage, step=run.step, steps=run.total, resumed=resumed, trainedParameters=trained,
        device=str(run.device), processes=parallel.world()[1], samplesPerEpoch=run.source.samples_per_epoch,
    )  # fmt: skip
    if run.step == 0:
        _validation_event(run)
    began, began_step, since, tokens, losses, saved = time.time(), run.step, time.time(), 0, [], run.step
    while run.step < run.total and not _any_stopping(run):
        loss, _, norm, seen = train_step(run)
        tokens += seen
        losses.append(loss)
        if run.step % config.log_every == 0 or run.step == run.total:
            now = time.time()
            pace = (now - began) / (run.step - began_step)
            emit(
                "step", step=run.step, steps=run.total, loss=round(sum(losses) / len(losses), 5),
                lr=run.optimizer.param_groups[0]["lr"], gradientNorm=round(norm, 4),
                tokensPerSecond=round(tokens / max(now - since, 1e-9), 1),
                etaSeconds=round(pace * (run.total - run.step), 1), skipped=run.skips.count,
            )  # fmt: skip
            since, tokens, losses = now, 0, []
        if run.step % config.validate_every == 0 and run.step < run.total:
            _validation_event(run)
        if run.step % config.checkpoint_every == 0:
            save(run)
            saved = run.step
    if saved != run.step:
        save(run)
    if run.step < run.total:
        emit("stopped", step=run.step, steps=run.total)
        return
    _validation_event(run)
    target = config.output / "model"
    if parallel.world()[0] == 0:
        export(run, target)
    parallel.barrier()
    emit(
        "finished",
        step=run.step,
        model=str(target),
        seconds=round(time.time() - began, 1),
        skipped=run.skips.count,
    )


def _any_stopping(run: Run) -> bool:
    """All processes must leave after the same step, whichever of them was told to."""
    flag = torch.tensor([float(run.stopping)], device=run.device)
    return bool(parallel.sum_over_processes(flag).item() > 0)


def command(
    stage: int, build: Callable[[RunConfig, torch.device], Run], export: Callable[[Run, Path], None], argv
) -> int:
    """The command line of a stage: 0 done or stopped, 1 failed, 2 bad input; the reason is an ``error`` event."""
    parser = argparse.ArgumentParser(description=f"Stage {stage} of the TextBind training")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    arguments = parser.parse_args(argv)
    try:
        config = read_config(arguments.config, stage)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        device = parallel.prepare()
        train(build(config, device), export)
        return 0
    except TrainerError as error:
        emit("error", kind=error.kind, message=str(error))
        return 2 if error.kind in ("config", "data") else 1
    except torch.cuda.OutOfMemoryError as error:
        emit("error", kind="memory", message=f"the GPU's memory is full: {error}")
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the launcher must learn of it
        traceback.print_exc(file=sys.stderr)
        emit("error", kind="internal", message=f"{type(error).__name__}: {error}")
        return 1
    finally:
        parallel.finish()
