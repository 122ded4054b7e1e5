"""The events of a run: the contract with whoever launched it.

The same in TypeScript: src/shared/contracts/trainer-protocol.ts; test/shared/trainer-protocol.test.ts holds the two
together by the JSON schemas that ``python -m textbind_trainer.protocol`` prints. Every line also has ``time``.
"""

from __future__ import annotations

import json
import sys
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Event(BaseModel):
    """One line of standard output."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=True, frozen=True
    )

    event: str


class Checking(Event):
    """Data is looked through before the run: ``done`` of ``total`` rows."""

    event: Literal["checking"] = "checking"
    done: int
    total: int


class Caching(Event):
    """Features of the frozen vision encoder are computed once and kept: pictures, and bytes on disk in the end."""

    event: Literal["caching"] = "caching"
    done: int
    total: int
    bytes: int


class Started(Event):
    """The run begins or goes on at ``step``."""

    event: Literal["started"] = "started"
    stage: int
    step: int
    steps: int
    resumed: bool
    trained_parameters: int
    device: str
    processes: int
    precision: Literal["fp32", "bf16"]
    samples_per_epoch: int


class Step(Event):
    """``loss``: mean since the last of these events; null where it is no number. ``lr``: of the first group.

    ``memory_bytes``: the most that this process has held so far, of the GPU's memory where there is one; null where
    the system does not tell.
    """

    event: Literal["step"] = "step"
    step: int
    steps: int
    loss: float | None
    lr: float
    gradient_norm: float | None
    tokens_per_second: float
    eta_seconds: float
    skipped: int
    memory_bytes: int | None


class Validation(Event):
    """Mean loss a scored token over the held-back samples."""

    event: Literal["validation"] = "validation"
    step: int
    loss: float | None
    perplexity: float | None


class Prompt(BaseModel):
    """What a run is asked while it learns. ``text``: ``<image>`` where a picture stands; ``pictures``: small copies as
    ``data:`` addresses; ``wanted``: what held-back data answers, with its pictures' captions.
    """

    model_config = Event.model_config

    text: str
    pictures: list[str]
    wanted: str | None
    wanted_captions: list[str]


class Prompts(Event):
    """What ``replies`` from here on answer, in this order."""

    event: Literal["prompts"] = "prompts"
    prompts: list[Prompt]


class Reply(BaseModel):
    """An answer up to its end (``finished``), its first caption's end, or the limit."""

    model_config = Event.model_config

    text: str
    captions: list[str]
    finished: bool


class Replies(Event):
    """What the model answers to the prompts after ``step`` steps, and how long that took.

    ``cut_at``: the most tokens of a reply, where these are fewer than asked for; null where they are not.
    """

    event: Literal["replies"] = "replies"
    step: int
    seconds: float
    cut_at: int | None = None
    replies: list[Reply]


class Checkpoint(Event):
    """A checkpoint folder is whole."""

    event: Literal["checkpoint"] = "checkpoint"
    step: int
    path: str


class Damaged(Event):
    """A checkpoint cannot be used; the one before it is tried."""

    event: Literal["damaged"] = "damaged"
    path: str
    reason: str


class Skipped(Event):
    """A row is left out: the first few with their reason, ``count`` so far."""

    event: Literal["skipped"] = "skipped"
    reason: str
    count: int


class Change(BaseModel):
    """A setting that differs from the checkpoint's, as JSON texts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    field: str
    was: str
    now: str


class Question(Event):
    """The run file differs from what the checkpoint was made with: a launcher asks, and starts with --accept-changes."""

    event: Literal["question"] = "question"
    code: Literal["settings-changed"]
    message: str
    changes: list[Change]


class Stopped(Event):
    """Told to stop, saved, left."""

    event: Literal["stopped"] = "stopped"
    step: int
    steps: int


class Finished(Event):
    """The model lies in ``model``."""

    event: Literal["finished"] = "finished"
    step: int
    model: str
    seconds: float
    skipped: int


class Failed(Event):
    """The run ends: why, and of what kind."""

    event: Literal["error"] = "error"
    kind: Literal["config", "data", "checkpoint", "diverged", "memory", "disk", "internal"]
    message: str


EVENTS: tuple[type[Event], ...] = (
    Checking, Caching, Started, Prompts, Step, Validation, Replies, Checkpoint, Damaged, Skipped, Question, Stopped, Finished,
    Failed,
)  # fmt: skip


def main() -> int:
    """Print the JSON schema of every event by its name."""
    schemas = {kind.model_fields["event"].default: kind.model_json_schema(by_alias=True) for kind in EVENTS}
    sys.stdout.write(json.dumps(schemas, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
