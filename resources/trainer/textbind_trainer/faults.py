"""Errors that have a kind, a sentence that names the thing, and a place in a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .protocol import Question

Kind = Literal["config", "data", "checkpoint", "diverged", "memory", "disk", "internal"]


class TrainerError(Exception):
    """A user's mistake or a bad input: shown as an ``error`` event with its kind, without a traceback."""

    def __init__(self, kind: Kind, message: str):
        super().__init__(message)
        self.kind: Kind = kind


@dataclass(frozen=True)
class Fault:
    """What is wrong with one row of training data. Rows count from 0."""

    file: str
    row: int
    field: str
    kind: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """As printed by the data check."""
        return asdict(self)


class RowError(TrainerError):
    """A row that cannot be used."""

    def __init__(self, fault: Fault):
        super().__init__("data", f"{fault.file}, row {fault.row}, {fault.field}: {fault.message}")
        self.fault = fault


class QuestionError(Exception):
    """A run cannot go on before someone has decided; the event says about what."""

    def __init__(self, event: Question):
        super().__init__(event.message)
        self.event = event
