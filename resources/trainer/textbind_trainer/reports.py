"""A run's figures for other tools, where the run file asks for them: TensorBoard's files, Weights & Biases.

Our own events stay what they are. TensorBoard writes into OUTPUT/tensorboard. Weights & Biases writes into OUTPUT/wandb
and sends to its server only what its own settings say (WANDB_MODE, by default offline here: `wandb sync` sends it later).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from .config import RunConfig
from .events import listen
from .faults import TrainerError

FIGURES = {
    "step": {"loss": "train/loss", "lr": "train/lr", "gradientNorm": "train/gradient_norm", "tokensPerSecond": "train/tokens_per_second",
             "memoryBytes": "train/memory_bytes"},
    "validation": {"loss": "validation/loss", "perplexity": "validation/perplexity"},
}  # fmt: skip
"""Which fields of which events are figures, and what they are called elsewhere."""


class Sink(Protocol):
    """Somewhere that takes figures."""

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Figures of a step."""

    def close(self) -> None:
        """No more come."""


def lacks(package: str) -> TrainerError:
    """What is said where a report's package, which the report is called by, is missing."""
    said = f'reports: "{package}" needs the package {package}, which this Python lacks: pip install {package}'
    return TrainerError("config", said)


class TensorBoard:
    """Event files of TensorBoard."""

    def __init__(self, config: RunConfig, step: int):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise lacks("tensorboard") from error
        writer: Any = SummaryWriter
        self._writer = writer(str(config.output / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, figures: dict[str, float]) -> None:
        """Written at once: a run may be killed."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases, gone on with when ours is."""

    def __init__(self, config: RunConfig, step: int):
        try:
            import wandb
        except ImportError as error:
            raise lacks("wandb") from error
        name = config.output.resolve().name
        mode = os.environ.get("WANDB_MODE", "offline")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "textbind"), name=name, dir=str(config.output), mode=mode,
            config=config.settings, resume="allow",
        )  # fmt: skip

    def add(self, step: int, figures: dict[str, float]) -> None:
        """By the run's own steps."""
        self._run.log(figures, step=step)

    def close(self) -> None:
        """Let it finish."""
        self._run.finish()


SINKS: dict[str, Callable[[RunConfig, int], Sink]] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}


def figures_of(event: dict[str, Any]) -> dict[str, float]:
    """The figures of an event, under their names elsewhere; those that are no number are left out."""
    names = FIGURES.get(event["event"], {})
    return {name: event[field] for field, name in names.items() if isinstance(event.get(field), (int, float))}


def report(config: RunConfig, step: int) -> list[Sink]:
    """Open what the run file asks for, and hand it every event from here on. TrainerError("config") where it is not there."""
    sinks: list[Sink] = [SINKS[name](config, step) for name in dict.fromkeys(config.reports)]

    def hear(event: dict[str, Any]) -> None:
        figures = figures_of(event)
        for sink in sinks if figures else []:
            sink.add(int(event["step"]), figures)

    if sinks:
        listen(hear)
    return sinks
