"""Checkpoint folders: everything an exact resume needs, the manifest written last.

``step-00000100/``: trained.safetensors (every trained tensor by its module name), optimizer.pt,
state.json (step, position in the data, settings), rng.pt, manifest.json with every file's size and SHA-256.
A folder without a manifest was interrupted and is ignored; it is written under another name first and renamed.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .faults import TrainerError
from .files import replace_folder, write_json

FORMAT = 2
SIZES_ONLY = 1
"""The format before: sizes in the manifest, no digests."""


STATE_FILE = "state.json"


def folders(root: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(path for path in root.glob("step-*") if (path / "manifest.json").is_file())


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def file_entry(file: Path) -> dict[str, Any]:
    """What the manifest says of a file."""
    return {"bytes": file.stat().st_size, "sha256": _digest(file)}


def save_checkpoint(
    root: Path, trained: dict[str, Tensor], optimizer: dict[str, Any], state: dict[str, Any], keep: int
) -> Path:
    """Write ``root/step-N`` and drop all but the newest ``keep``. state must hold ``step`` and ``fingerprint``."""
    root.mkdir(parents=True, exist_ok=True)
    target = root / f"step-{state['step']:08d}"
    with replace_folder(target) as part:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in trained.items()},
            part / "trained.safetensors",
        )
        torch.save(optimizer, part / "optimizer.pt")
        rng: dict[str, Any] = {"torch": torch.get_rng_state()}
        if torch.cuda.is_available():
            rng["cuda"] = torch.cuda.get_rng_state_all()
        torch.save(rng, part / "rng.pt")
        write_json(part / STATE_FILE, state)
        files = {path.name: file_entry(path) for path in sorted(part.iterdir())}
        manifest = {
            "format": FORMAT,
            "step": state["step"],
            "fingerprint": state["fingerprint"],
            "files": files,
        }
        write_json(part / "manifest.json", manifest)
    for old in folders(root)[: -max(keep, 1)]:
        shutil.rmtree(old)
    return target


def newest_checkpoint(root: Path) -> Path | None:
    """The newest complete checkpoint, or None."""
    found = folders(root)
    return found[-1] if found else None


def check_files(folder: Path) -> dict[str, Any]:
    """The manifest, once every file is found to be what it says. TrainerError("checkpoint") names the one that is not."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        form, files = manifest["format"], manifest["files"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainerError("checkpoint", f"{folder / 'manifest.json'}: {error}") from error
    if form == SIZES_ONLY:
        files = [(name, {"bytes": size, "sha256": None}) for name, size in files]
    elif form != FORMAT:
        raise TrainerError("checkpoint", f"{folder}: format {form!r}, expected {FORMAT}")
    for name, said in files:
        actual = (folder / name).stat().st_size if (folder / name).is_file() else None
        if actual != said["bytes"]:
            raise TrainerError(
                "checkpoint", f"{folder / name}: {actual} bytes, the manifest says {said['bytes']}"
            )
        if said["sha256"] is not None and _digest(folder / name) != said["sha256"]:
            raise TrainerError("checkpoint", f"{folder / name}: other bytes than were written")
    return manifest


def load_checkpoint(
    folder: Path, fingerprint: str | None = None
) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]]:
    """(trained tensors, optimizer state, state); also restores the random generators.

    TrainerError("checkpoint") if a file is missing, cut or changed, or if it belongs to another run file.
    """
    manifest = check_files(folder)
    if fingerprint is not None and manifest["fingerprint"] != fingerprint:
        raise TrainerError(
            "checkpoint", f"{folder}: was made by another run file (a resume must keep its settings)"
        )
    try:
        trained = load_file(folder / "trained.safetensors")
        optimizer = torch.load(folder / "optimizer.pt", map_location="cpu", weights_only=True)
        rng = torch.load(folder / "rng.pt", map_location="cpu", weights_only=True)
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise TrainerError("checkpoint", f"{folder}: {error}") from error
    torch.set_rng_state(rng["torch"])
    if "cuda" in rng and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(rng["cuda"])
    return trained, optimizer, state


def newest_usable(root: Path, on_damage: Callable[[Path, str], None]) -> Path | None:
    """The newest checkpoint whose files are whole; damaged ones are reported. None where there never was one.

    TrainerError("checkpoint") if there are some and all are damaged: starting anew would throw the run away.
    """
    found = folders(root)
    for folder in reversed(found):
        try:
            check_files(folder)
        except TrainerError as error:
            on_damage(folder, str(error))
            continue
        return folder
    if found:
        raise TrainerError(
            "checkpoint", f"{root}: all {len(found)} checkpoints are damaged; remove them to start anew"
        )
    return None
