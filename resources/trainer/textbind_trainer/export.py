"""What a run leaves: the trained weights in the reference's names, and a textbind.json that the engine opens in place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from . import parallel
from .files import replace_folder, write_json
from .loop import Run
from .model import language_state, qformer_state
from .prompt import SPECIAL_TOKENS
from .tokenizer import LanguageTokenizer, load_tokenizer
from .weights import read_state

KEPT = (".json", ".txt", ".model", ".jinja")
QFORMER_FILE = "qformer.safetensors"
CHECKPOINT_FILE = "language-checkpoint.safetensors"
MAX_SEQUENCE = 768
"""Of the released checkpoints: for a base without a textbind.json."""


def write_tokens(folder: Path, tokenizer: LanguageTokenizer) -> None:
    """Name TextBind's tokens in a tokenizer's own files, so that other readers give them the same ids."""
    ids = {token: tokenizer.special_ids[token] for token in SPECIAL_TOKENS}
    file = folder / "tokenizer.json"
    if file.is_file():
        definition = json.loads(file.read_text(encoding="utf-8"))
        known = {token["content"] for token in definition["added_tokens"]}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        definition["added_tokens"] += [
            {"id": token, "content": name} | flags for name, token in ids.items() if name not in known
        ]
        if not set(ids) <= known:
            write_json(file, definition)
    elif (folder / "tokenizer.model").is_file():
        added = folder / "added_tokens.json"
        listed = json.loads(added.read_text(encoding="utf-8")) if added.is_file() else {}
        write_json(added, listed | ids)


def write_language(run: Run, state: dict[str, Tensor], folder: Path) -> None:
    """A Hugging Face folder: the weights, and the base's tokenizer and configuration brought to the same size."""
    folder.mkdir()
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    source = run.config.model.language
    for path in sorted(source.iterdir()):
        if path.is_file() and path.suffix in KEPT and not path.name.endswith("index.json"):
            shutil.copyfile(path, folder / path.name)
    fields = json.loads((source / "config.json").read_text(encoding="utf-8"))
    fields.pop("quantization_config", None)
    rows = state["model.embed_tokens.weight"].shape[0]
    write_json(
        folder / "config.json", fields | {"vocab_size": rows, "dtype": "float32", "torch_dtype": "float32"}
    )
    write_tokens(folder, load_tokenizer(source))


def _absolute(home: Path, value: Any) -> Any:
    return str((home / value).resolve()) if isinstance(value, str) else value


def manifest_of(run: Run, language: str, checkpoint: str | None) -> dict[str, Any]:
    """textbind.json of the result: the trained parts beside it, the others where they are."""
    parts = run.config.model
    described: dict[str, Any] = {}
    if parts.manifest is not None:
        described = json.loads(parts.manifest.read_text(encoding="utf-8"))
        decoder = described.get("imageDecoder") or {}
        home = parts.manifest.parent
        described["imageDecoder"] = {name: _absolute(home, value) for name, value in decoder.items()} or None
        described.pop("checkpoint", None)
    usual = {
        "licence": "see the licences of the parts",
        "imageDecoder": None,
        "maxSequenceLength": MAX_SEQUENCE,
    }
    own = {
        "name": run.config.output.name,
        "visionModel": str(parts.vision.resolve()),
        "processor": str(parts.processor.resolve()),
        "qformer": QFORMER_FILE,
        "languageModel": language,
        "qformerConfig": parts.shape.to_json(),
    }
    return usual | described | own | ({"checkpoint": checkpoint} if checkpoint else {})


def _language_beneath(checkpoint: Path | None) -> dict[str, Tensor]:
    """The language model that a checkpoint lays over the base: stage 1 trained on top of it and leaves it as it is."""
    state = read_state(checkpoint) if checkpoint else {}
    return {name: value.contiguous() for name, value in state.items() if name.startswith("language_model.")}


def export_run(run: Run, target: Path, with_language: bool) -> None:
    """Write the result in the place of an earlier one. Every process must call it; the first writes."""
    qformer = qformer_state(run.model)
    language = language_state(run.model) if with_language else {}
    if parallel.world()[0] != 0:
        return
    with replace_folder(target) as part:
        save_file(qformer, part / QFORMER_FILE)
        beneath = {} if with_language else _language_beneath(run.config.model.checkpoint)
        if beneath:
            save_file(beneath, part / CHECKPOINT_FILE)
        if with_language:
            write_language(run, language, part / "language")
        where = "language" if with_language else str(run.config.model.language.resolve())
        write_json(part / "textbind.json", manifest_of(run, where, CHECKPOINT_FILE if beneath else None))
        if run.config.export_pt:
            flat = qformer | {f"language_model.{name}": value for name, value in language.items()}
            torch.save(flat, part / "pytorch_model.pt")
