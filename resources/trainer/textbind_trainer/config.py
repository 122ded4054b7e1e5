"""RUN.json: what a run is. Unknown fields, wrong types and impossible values are refused by name before anything loads.

The schema is pydantic's: strict types, and every fault at once with the path of its field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from .faults import TrainerError
from .files import read_object
from .shape import QformerShape
from .tokenizer import IMAGE

Count = Annotated[int, Field(ge=1)]
Paths = str | Annotated[list[str], Field(min_length=1)]
FAULTS_SHOWN = 5


class Fields(BaseModel):
    """Names in camel case, no others, no conversion from one type to another."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        allow_inf_nan=False,
        str_min_length=1,
    )


AnyFields = TypeVar("AnyFields", bound=Fields)


class LoraConfig(Fields):
    """Adapters of stage 2; without them the whole language model is trained. ``alpha``: twice the rank if absent.

    ``bits``: 4 keeps the frozen matrices beneath in four bits (QLoRA's NF4, by bitsandbytes).
    """

    rank: Count = 16
    alpha: Annotated[float, Field(gt=0)] | None = None
    bits: Literal[4] | None = None


class ModelFields(Fields):
    """``textbind`` (a folder with textbind.json), or the parts one by one."""

    textbind: str | None = None
    fresh: bool = False
    vision_model: str | None = None
    processor: str | None = None
    language_model: str | None = None
    qformer: str | None = None
    checkpoint: str | None = None
    qformer_config: dict[str, Any] | None = None


class DataPart(Fields):
    """A part of a blend. ``images``: where its pictures are looked for; ``format``: of ``formats.FORMATS``, found by looking
    where absent; ``weight``: passes through it in an epoch.
    """

    path: str
    images: str | None = None
    format: str | None = None
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0


Parts = str | Annotated[list[DataPart], Field(min_length=1)]


class CaptionData(Fields):
    """Stage 1's ``data``: pictures and captions, in WebDataset tars or as ``pairs`` of any format."""

    tars: Paths | None = None
    pairs: Parts | None = None
    samples_per_epoch: Count | None = None
    validation_tars: Paths | None = None
    validation_pairs: Parts | None = None
    validation_samples: Annotated[int, Field(ge=0)] = 256
    bad_rows: Literal["skip"] = "skip"


class ConversationData(Fields):
    """Stage 2's ``data``: conversations, one path or a blend. ``images``: where pictures are looked for, unless a part says."""

    conversations: Parts
    images: str | None = None
    validation: Parts | None = None
    validation_samples: Annotated[int, Field(ge=0)] = 256
    bad_rows: Literal["stop", "skip"] = "stop"


class SamplePrompt(Fields):
    """A message that the model is asked while it learns; pictures stand as ``<image>`` in it, or in front of it."""

    text: Annotated[str, Field(max_length=4000)]
    images: list[str] = []


class SamplesConfig(Fields):
    """What the model is asked at every validation: ``prompts``, and the first messages of ``held_back`` validation rows."""

    prompts: Annotated[list[SamplePrompt], Field(max_length=8)] = []
    held_back: Annotated[int, Field(ge=0, le=8)] = 0
    max_tokens: Annotated[int, Field(ge=1, le=512)] = 48


class RunFields(Fields):
    """The run file as it is written. None: the stage's own default."""

    stage: Literal[1, 2] | None = None
    model: ModelFields
    data: dict[str, Any]
    output: str
    steps: Count | None = None
    epochs: Annotated[float, Field(gt=0)] | None = None
    batch_size: Count | None = None
    micro_batch_size: Count | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    learning_rates: dict[Literal["qformer", "language", "tokens"], Annotated[float, Field(ge=0)]] = {}
    warmup_steps: Annotated[int, Field(ge=0)] | None = None
    max_length: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    threads: Count | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    weight_decay: Annotated[float, Field(ge=0)] = 0.001
    clip: Annotated[float, Field(gt=0)] = 1.0
    lora: LoraConfig | None = None
    train_layers_from: Annotated[int, Field(ge=0)] = 0
    int4_aware: bool = False
    optimizer: Literal["adam", "adam8bit", "pagedAdam", "pagedAdam8bit"] = "adam"
    sharding: Literal["none", "fsdp"] = "none"
    offload: bool = False
    activation_checkpointing: bool = False
    feature_cache: str | None = None
    reports: list[Literal["tensorboard", "wandb"]] = []
    samples: SamplesConfig | None = None
    checkpoint_every: Count = 500
    keep_checkpoints: Count = 2
    validate_every: Count = 500
    log_every: Count = 10
    export_pt: bool = False


class Defaults(Fields):
    """What a stage takes where the run file is silent: the paper's."""

    batch_size: int
    micro_batch_size: int
    learning_rate: float
    warmup_steps: int
    max_length: int


DEFAULTS = {
    1: Defaults(batchSize=256, microBatchSize=16, learningRate=1e-4, warmupSteps=2000, maxLength=256),
    2: Defaults(batchSize=64, microBatchSize=1, learningRate=1e-5, warmupSteps=100, maxLength=768),
}
EPOCHS = {1: 2.0, 2: 3.0}

FREE = frozenset({
    "output", "threads", "micro_batch_size", "checkpoint_every", "keep_checkpoints", "validate_every", "log_every",
    "export_pt", "sharding", "offload", "activation_checkpointing", "feature_cache",
    "reports", "samples",
})  # fmt: skip
"""Settings that a resume may change unasked: they do not change what is learnt."""
FIXED = frozenset({"stage", "model", "lora", "train_layers_from", "int4_aware", "optimizer"})
"""Settings that a resume must keep: they say which tensors are trained, and what is kept of them."""
NEWER: dict[str, Any] = {"optimizer": "adam", "reports": []}
"""Settings that checkpoints of an earlier version do not name, and what they were."""


@dataclass(frozen=True)
class ModelConfig:
    """Where the parts are. ``manifest``: the textbind.json that named them."""

    vision: Path
    processor: Path
    language: Path
    qformer: Path | None
    shape: QformerShape
    checkpoint: Path | None = None
    fresh: bool = False
    manifest: Path | None = None


@dataclass(frozen=True)
class RunConfig:
    """One run of one stage. Sizes count samples, lengths tokens, learning rates are the peak's."""

    stage: int
    model: ModelConfig
    data: dict[str, Any]
    output: Path
    steps: int | None
    epochs: float | None
    batch_size: int
    micro_batch_size: int
    learning_rate: float
    learning_rates: dict[str, float]
    warmup_steps: int
    max_length: int
    seed: int
    threads: int | None
    precision: Literal["auto", "fp32", "bf16"]
    weight_decay: float
    clip: float
    lora: LoraConfig | None
    train_layers_from: int
    int4_aware: bool
    optimizer: str
    sharding: str
    offload: bool
    activation_checkpointing: bool
    feature_cache: Path | None
    reports: list[str]
    samples: SamplesConfig | None
    checkpoint_every: int
    keep_checkpoints: int
    validate_every: int
    log_every: int
    export_pt: bool
    settings: dict[str, Any] = field(default_factory=dict)
    """All settings as plain values, defaults included: what a resume is compared with."""
    fingerprint: str = ""


def _sentence(fault: Any) -> str:
    where = [str(part) for part in fault["loc"] if part != "[key]"]
    label = ".".join(where) or "the run file"
    match fault["type"]:
        case "extra_forbidden":
            return f"{'.'.join(where[:-1]) or 'the run file'}: unknown field {where[-1]!r}"
        case "missing":
            return f"{label}: it is missing"
        case _:
            return f"{label}: got {fault['input']!r}; {fault['msg'][0].lower()}{fault['msg'][1:]}"


def checked(kind: type[AnyFields], fields: Mapping[str, Any], where: str = "") -> AnyFields:
    """Fields of a run file as ``kind``; TrainerError("config") names each one that is wrong."""
    try:
        return kind.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        faults = [
            _sentence(fault | {"loc": (*([where] if where else []), *fault["loc"])})
            for fault in error.errors()
        ]
        more = f" (and {len(faults) - FAULTS_SHOWN} more)" if len(faults) > FAULTS_SHOWN else ""
        raise TrainerError("config", "; ".join(faults[:FAULTS_SHOWN]) + more) from error


def _manifest_paths(fields: ModelFields, base: Path) -> tuple[dict[str, Path], Any, Path]:
    described = base / (fields.textbind or "")
    described = described / "textbind.json" if described.is_dir() else described
    alone = [
        n
        for n in ("vision_model", "processor", "checkpoint", "qformer_config")
        if getattr(fields, n) is not None
    ]
    if alone:
        raise TrainerError("config", f"model.{to_camel(alone[0])}: textbind.json says it already")
    try:
        parts = json.loads(described.read_text(encoding="utf-8"))
        home = described.parent
        names = ("visionModel", "languageModel", "processor", "qformer", "checkpoint")
        paths = {name: home / parts[name] for name in names if parts.get(name)}
        shape = parts.get("qformerConfig")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise TrainerError("config", f"model.textbind: {described}: {error}") from error
    for name, value in (("qformer", fields.qformer), ("languageModel", fields.language_model)):
        if value is not None:
            paths[name] = base / value
    if not fields.fresh and "qformer" not in paths and "checkpoint" not in paths:
        raise TrainerError("config", f'model.textbind: {described} names neither "qformer" nor "checkpoint"')
    return paths, shape, described


def _part_paths(fields: ModelFields, base: Path) -> tuple[dict[str, Path], Any, None]:
    names = ("vision_model", "processor", "language_model", "qformer", "checkpoint")
    given = {to_camel(name): getattr(fields, name) for name in names}
    for name in ("visionModel", "processor", "languageModel"):
        if given[name] is None:
            raise TrainerError("config", f"model.{name}: it is missing")
    return (
        {name: base / value for name, value in given.items() if value is not None},
        fields.qformer_config or QformerShape.published().to_json(),
        None,
    )


def locate_model(fields: ModelFields, base: Path) -> ModelConfig:
    """The parts that a run file names. TrainerError("config") names the one that is missing."""
    paths, shape, manifest = (_part_paths if fields.textbind is None else _manifest_paths)(fields, base)
    for name in ("visionModel", "processor", "languageModel"):
        if name not in paths:
            raise TrainerError("config", f"model.{name}: {manifest} does not name it")
    for name, path in paths.items():
        if not path.exists():
            raise TrainerError("config", f"model.{name}: {path} does not exist")
    if fields.fresh:
        paths.pop("qformer", None)
    try:
        qformer_shape = QformerShape.from_json(shape if isinstance(shape, dict) else {})
    except ValueError as error:
        raise TrainerError("config", f"model.{error}") from error
    return ModelConfig(
        paths["visionModel"], paths["processor"], paths["languageModel"], paths.get("qformer"), qformer_shape,
        paths.get("checkpoint"), fields.fresh, manifest,
    )  # fmt: skip


def _data(stage: int, fields: dict[str, Any], base: Path) -> dict[str, Any]:
    """The checked ``data`` in camel case, with ``base``: the folder that its paths are relative to."""
    kind = CaptionData if stage == 1 else ConversationData
    data = checked(kind, fields, "data")
    if isinstance(data, CaptionData) and data.tars is None and data.pairs is None:
        raise TrainerError("config", "data.tars: it is missing, and so is data.pairs")
    return data.model_dump(by_alias=True, exclude_none=True) | {"base": str(base)}


def parse_config(fields: dict[str, Any], base: Path, stage: int) -> RunConfig:
    """Check a RUN.json object; TrainerError("config") names the fields that are wrong.

    The stages' defaults are the paper's: stage 1 batch 256, 1e-4, 2,000 warm-up steps, length 256, 2 epochs; stage 2
    batch 64, 1e-5, 100 warm-up steps, length 768, 3 epochs.
    """
    for name in ("model", "data"):
        if isinstance(fields.get(name), dict):
            given = {key: value for key, value in fields[name].items() if value is not None}
            fields = fields | {name: given}
    run = checked(RunFields, fields)
    if run.stage not in (None, stage):
        raise TrainerError("config", f"stage: the file says {run.stage}, the command {stage}")
    _check(run, stage)
    values = {name: getattr(run, name) for name in RunFields.model_fields}
    for name, value in DEFAULTS[stage]:
        if values[name] is None:
            values[name] = value
    if run.steps is None and run.epochs is None:
        values["epochs"] = EPOCHS[stage]
    values |= {
        "stage": stage,
        "data": _data(stage, run.data, base),
        "learning_rates": dict(run.learning_rates),
    }
    settings = _plain(values)
    values["reports"] = list(run.reports)
    values["model"] = locate_model(run.model, base)
    values["output"] = base / run.output
    values["feature_cache"] = base / run.feature_cache if run.feature_cache else None
    if values["max_length"] <= values["model"].shape.num_query_tokens:
        raise TrainerError("config", f"maxLength: {values['max_length']} has no room for one picture")
    return RunConfig(**values, settings=settings, fingerprint=fingerprint_of(settings))


def data_parts(data: Mapping[str, Any], name: str) -> list[DataPart]:
    """The parts that a checked ``data`` names in a field; none where it is absent."""
    held = data.get(name)
    if held is None:
        return []
    if isinstance(held, str):
        return [DataPart(path=held)]
    return [DataPart.model_validate(part) for part in held]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return value.model_dump(by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value

    return {to_camel(name): plain(value) for name, value in values.items()}


def fingerprint_of(settings: Mapping[str, Any]) -> str:
    """Names the settings that change what is learnt."""
    free = {to_camel(name) for name in FREE}
    kept = {name: value for name, value in settings.items() if name not in free}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def _check(run: RunFields, stage: int) -> None:
    """What concerns more than one field."""
    if run.steps is not None and run.epochs is not None:
        raise TrainerError("config", "steps, epochs: give exactly one of the two")
    if stage == 1 and run.lora:
        raise TrainerError("config", "lora: stage 1 does not train the language model")
    for name in ("train_layers_from", "int4_aware"):
        if getattr(run, name) and (stage == 1 or run.lora):
            raise TrainerError("config", f"{to_camel(name)}: it is for a stage 2 without lora")
    if run.sharding == "fsdp" and run.lora and run.lora.bits:
        raise TrainerError("config", 'lora.bits: four bits are for "sharding": "none"')
    if run.sharding == "fsdp" and run.optimizer != "adam":
        raise TrainerError("config", f'optimizer: {run.optimizer} is for "sharding": "none"')
    _check_samples(run)
    if run.offload and run.sharding != "fsdp":
        raise TrainerError("config", 'offload: it is for "sharding": "fsdp"')


def _check_samples(run: RunFields) -> None:
    if run.samples is None:
        return
    for number, prompt in enumerate(run.samples.prompts):
        places = prompt.text.count(IMAGE)
        if places and places != len(prompt.images):
            said = f"{places} {IMAGE} in the text, but {len(prompt.images)} pictures"
            raise TrainerError("config", f"samples.prompts.{number}.images: {said}")


def read_config(path: Path, stage: int | None = None) -> RunConfig:
    """Read RUN.json; paths in it are relative to its folder. Without ``stage`` the file must say it."""
    fields = read_object(path)
    stage = stage or fields.get("stage")
    if stage not in (1, 2):
        raise TrainerError("config", f"stage: got {stage!r}, expected 1 or 2")
    return parse_config(fields, path.resolve().parent, stage)
