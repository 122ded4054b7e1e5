"""RUN.json: what a run is. Unknown or wrong fields are refused by name before anything is loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import TrainerError
from .model import QformerShape


def _take(
    fields: dict, name: str, kinds: type | tuple[type, ...], default: Any = ..., where: str = ""
) -> Any:
    value = fields.pop(name, None)
    label = f"{where}{name}"
    if value is None:
        if default is ...:
            raise TrainerError("config", f"{label}: it is missing")
        return default
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise TrainerError("config", f"{label}: got {value!r}")
    return value


def _none_left(fields: dict, where: str) -> None:
    if fields:
        raise TrainerError("config", f"{where}: unknown field {min(fields)!r}")


@dataclass(frozen=True)
class ModelConfig:
    """Where the parts are. Paths are relative to the file they stand in."""

    vision: Path
    processor: Path
    language: Path
    qformer: Path | None
    shape: QformerShape


@dataclass(frozen=True)
class LoraConfig:
    """Adapters of stage 2; without them the whole language model is trained."""

    rank: int
    alpha: float


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
    precision: str
    weight_decay: float
    clip: float
    lora: LoraConfig | None
    train_layers_from: int
    int4_aware: bool
    checkpoint_every: int
    keep_checkpoints: int
    validate_every: int
    log_every: int
    export_pt: bool
    fingerprint: str = field(default="")


def _model(fields: dict, base: Path) -> ModelConfig:
    """Either ``{"textbind": DIR or textbind.json, "fresh": bool}`` or the parts one by one."""
    if "textbind" in fields:
        described = base / fields.pop("textbind")
        described = described / "textbind.json" if described.is_dir() else described
        fresh = _take(fields, "fresh", bool, False, "model.")
        replaced = {name: fields.pop(name) for name in ("qformer", "languageModel") if name in fields}
        _none_left(fields, "model")
        try:
            parts = json.loads(described.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise TrainerError("config", f"model.textbind: {described}: {error}") from error
        home = described.parent
        paths = {
            name: home / parts[name]
            for name in ("visionModel", "languageModel", "processor", "qformer")
            if parts.get(name)
        }
        paths |= {name: base / value for name, value in replaced.items()}
        shape = parts.get("qformerConfig", {})
        if fresh:
            paths.pop("qformer", None)
    else:
        names = ("visionModel", "languageModel", "processor")
        paths = {name: base / _take(fields, name, str, ..., "model.") for name in names}
        qformer = _take(fields, "qformer", str, None, "model.")
        if qformer:
            paths["qformer"] = base / qformer
        shape = _take(fields, "qformerConfig", dict, ..., "model.")
        _none_left(fields, "model")
    for name, path in paths.items():
        if not path.exists():
            raise TrainerError("config", f"model.{name}: {path} does not exist")
    try:
        qformer_shape = QformerShape.from_json(shape)
    except ValueError as error:
        raise TrainerError("config", f"model.{error}") from error
    return ModelConfig(
        paths["visionModel"], paths["processor"], paths["languageModel"], paths.get("qformer"), qformer_shape
    )


def parse_config(fields: dict, base: Path, stage: int) -> RunConfig:
    """Check a RUN.json object; TrainerError("config") names the first field that is wrong.

    The stages' defaults are the paper's (shared facts in DESIGN.md): stage 1 batch 256, 1e-4, 2,000 warm-up
    steps, length 256; stage 2 batch 64, 1e-5, 100 warm-up steps, length 768.
    """
    fingerprint = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
    fields = dict(fields)
    first = stage == 1
    given = _take(fields, "stage", int, stage)
    if given != stage:
        raise TrainerError("config", f"stage: the file says {given}, the command {stage}")
    lora_fields = _take(fields, "lora", dict, None)
    lora = None
    if lora_fields is not None:
        if first:
            raise TrainerError("config", "lora: stage 1 does not train the language model")
        lora_fields = dict(lora_fields)
        rank = _take(lora_fields, "rank", int, 16, "lora.")
        lora = LoraConfig(rank, float(_take(lora_fields, "alpha", (int, float), 2 * rank, "lora.")))
        _none_left(lora_fields, "lora")
    config = RunConfig(
        stage=stage,
        model=_model(dict(_take(fields, "model", dict)), base),
        data=dict(_take(fields, "data", dict), base=str(base)),
        output=base / _take(fields, "output", str),
        steps=_take(fields, "steps", int, None),
        epochs=_take(fields, "epochs", (int, float), None),
        batch_size=_take(fields, "batchSize", int, 256 if first else 64),
        micro_batch_size=_take(fields, "microBatchSize", int, 16 if first else 1),
        learning_rate=float(_take(fields, "learningRate", (int, float), 1e-4 if first else 1e-5)),
        learning_rates={k: float(v) for k, v in _take(fields, "learningRates", dict, {}).items()},
        warmup_steps=_take(fields, "warmupSteps", int, 2000 if first else 100),
        max_length=_take(fields, "maxLength", int, 256 if first else 768),
        seed=_take(fields, "seed", int, 0),
        threads=_take(fields, "threads", int, None),
        precision=_take(fields, "precision", str, "fp32"),
        weight_decay=float(_take(fields, "weightDecay", (int, float), 0.001)),
        clip=float(_take(fields, "clip", (int, float), 1.0)),
        lora=lora,
        train_layers_from=_take(fields, "trainLayersFrom", int, 0),
        int4_aware=_take(fields, "int4Aware", bool, False),
        checkpoint_every=_take(fields, "checkpointEvery", int, 500),
        keep_checkpoints=_take(fields, "keepCheckpoints", int, 2),
        validate_every=_take(fields, "validateEvery", int, 500),
        log_every=_take(fields, "logEvery", int, 10),
        export_pt=_take(fields, "exportPt", bool, False),
        fingerprint=fingerprint,
    )
    _none_left(fields, "the run file")
    _check(config)
    return config


def _check(config: RunConfig) -> None:
    if (config.steps is None) == (config.epochs is None):
        raise TrainerError("config", "steps, epochs: give exactly one of the two")
    for name in (
        "batch_size",
        "micro_batch_size",
        "max_length",
        "checkpoint_every",
        "validate_every",
        "log_every",
    ):
        if getattr(config, name) < 1:
            raise TrainerError("config", f"{name}: {getattr(config, name)} is less than 1")
    if config.max_length <= config.model.shape.num_query_tokens:
        raise TrainerError("config", f"maxLength: {config.max_length} has no room for one picture")
    if config.precision not in ("fp32", "bf16"):
        raise TrainerError("config", f"precision: {config.precision!r} is neither 'fp32' nor 'bf16'")
    if config.train_layers_from and (config.stage == 1 or config.lora):
        raise TrainerError("config", "trainLayersFrom: it is for a stage 2 without lora")
    if config.int4_aware and (config.stage == 1 or config.lora):
        raise TrainerError("config", "int4Aware: it is for a stage 2 without lora")
    known = {"qformer", "language", "tokens"}
    if set(config.learning_rates) - known:
        raise TrainerError("config", f"learningRates: only {sorted(known)} can be set apart")


def read_config(path: Path, stage: int) -> RunConfig:
    """Read RUN.json; paths in it are relative to its folder."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TrainerError("config", f"{path}: {error}") from error
    if not isinstance(fields, dict):
        raise TrainerError("config", f"{path}: expected an object")
    return parse_config(fields, path.resolve().parent, stage)
