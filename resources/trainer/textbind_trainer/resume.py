"""Saving a run, and going on with it: settings that changed are asked about, damaged checkpoints passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic.alias_generators import to_camel
from torch import Tensor

from . import parallel, protocol
from .checkpoint import load_checkpoint, newest_usable, save_checkpoint
from .config import FIXED, FREE, NEWER, RunConfig
from .events import tell
from .faults import QuestionError, TrainerError

if TYPE_CHECKING:
    from .loop import Run


def save(run: Run) -> Path:
    """Write a checkpoint of the present step (rank 0 writes, the others wait)."""
    root = run.config.output / "checkpoints"
    state = {
        "step": run.step,
        "position": run.position,
        "total": run.total,
        "precision": run.precision,
        "skipped": run.skips.count,
        "settings": run.config.settings,
        "fingerprint": run.config.fingerprint,
    }
    trained = {name: parallel.whole(parameter.detach()) for name, parameter in run.parameters.items()}
    optimizer = parallel.whole_optimizer(run.optimizer.state_dict())
    target = root / f"step-{run.step:08d}"
    if parallel.world()[0] == 0:
        target = save_checkpoint(root, trained, optimizer, state, run.config.keep_checkpoints)
        tell(protocol.Checkpoint(step=run.step, path=str(target)))
    parallel.barrier()
    return target


def _tell_damage(folder: Path, reason: str) -> None:
    tell(protocol.Damaged(path=str(folder), reason=reason))


def resume(run: Run, accept_changes: bool = False) -> bool:
    """Continue from the newest whole checkpoint of the output folder, if there is one.

    QuestionError if the run file has other settings than the checkpoint and ``accept_changes`` does not say to go on;
    TrainerError("checkpoint") if they are of a kind that cannot go on from it.
    """
    folder = newest_usable(run.config.output / "checkpoints", _tell_damage)
    if folder is None:
        return False
    trained, optimizer, state = load_checkpoint(folder)
    compare_settings(state, run.config, folder, accept_changes)
    peaks = [group["peak"] for group in run.optimizer.param_groups]
    lay_over(run, trained, folder)
    parallel.load_optimizer(run.optimizer, optimizer)
    for group, peak in zip(run.optimizer.param_groups, peaks, strict=True):
        group["peak"] = peak
        group["weight_decay"] = run.config.weight_decay
    run.step, run.skips.count = state["step"], state["skipped"]
    run.position = state["position"]
    run.precision = state.get("precision", run.precision)
    return True


def lay_over(run: Run, trained: dict[str, Tensor], folder: Path) -> None:
    """Put a checkpoint's tensors in the place of the run's. TrainerError("checkpoint") where they do not fit."""
    if set(trained) != set(run.parameters):
        raise TrainerError("checkpoint", f"{folder}: holds other tensors than this run trains")
    with torch.no_grad():
        for name, parameter in run.parameters.items():
            if trained[name].shape != parameter.shape:
                raise TrainerError("checkpoint", f"{folder}: {name} has another shape than this run trains")
            parameter.copy_(parallel.like(trained[name], parameter))


def resolved(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with data's paths put onto the folder that they are relative to: a run folder that moved has changed nothing."""
    data = settings.get("data")
    if not isinstance(data, dict) or "base" not in data:
        return settings
    base = Path(data["base"])

    def put_on(value: Any) -> Any:
        if isinstance(value, str):
            return str(base / value)
        if isinstance(value, list):
            return [put_on(each) for each in value]
        if isinstance(value, dict):
            return {
                name: put_on(each) if name in ("path", "images") else each for name, each in value.items()
            }
        return value

    plain = {
        name: value if name in NO_PATHS else put_on(value) for name, value in data.items() if name != "base"
    }
    return settings | {"data": plain}


NO_PATHS = frozenset({"badRows"})
"""Texts in a run file's ``data`` that are no paths."""


def changed_settings(was: dict[str, Any], now: dict[str, Any]) -> list[protocol.Change]:
    """Settings that differ and matter, by name."""
    free = {to_camel(name) for name in FREE}
    was, now = resolved(NEWER | was), resolved(NEWER | now)
    names = sorted((set(was) | set(now)) - free)
    return [
        protocol.Change(field=name, was=json.dumps(was.get(name)), now=json.dumps(now.get(name)))
        for name in names
        if was.get(name) != now.get(name)
    ]


def compare_settings(state: dict[str, Any], config: RunConfig, folder: Path, accept_changes: bool) -> None:
    """Refuse, or ask about, settings that are not those of the checkpoint's run."""
    if "settings" not in state:
        if state["fingerprint"] != config.fingerprint and not accept_changes:
            raise TrainerError("checkpoint", f"{folder}: was made by an earlier version or another run file")
        return
    changes = changed_settings(state["settings"], config.settings)
    fixed = {to_camel(name) for name in FIXED}
    refused = [change for change in changes if change.field in fixed]
    if refused:
        names = ", ".join(f"{change.field} (was {change.was}, now {change.now})" for change in refused)
        raise TrainerError("checkpoint", f"{folder}: another model was trained there: {names}")
    if changes and not accept_changes:
        names = ", ".join(f"{change.field} was {change.was}, is now {change.now}" for change in changes)
        message = (
            f"{folder.name} was made with other settings: {names}. --accept-changes goes on with the new ones"
        )
        raise QuestionError(protocol.Question(code="settings-changed", message=message, changes=changes))
