"""Checkpoint folders: everything an exact resume needs, the manifest written last.

``step-00000100/``: trained.safetensors (every trained tensor by its module name), optimizer.pt,
state.json (step, position in the data, schedule), rng.pt, manifest.json. A folder without a manifest
was interrupted and is ignored; it is written under another name first and renamed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .faults import TrainerError
from .files import replace_folder, write_json

FORMAT = 1


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("step-*") if (path / "manifest.json").is_file())


def save_checkpoint(
    root: Path, trained: dict[str, Tensor], optimizer: dict, state: dict[str, Any], keep: int
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
        rng = {"torch": torch.get_rng_state()}
        if torch.cuda.is_available():
            rng["cuda"] = torch.cuda.get_rng_state_all()
        torch.save(rng, part / "rng.pt")
        write_json(part / "state.json", state)
        files = {path.name: path.stat().st_size for path in sorted(part.iterdir())}
        manifest = {
            "format": FORMAT,
            "step": state["step"],
            "fingerprint": state["fingerprint"],
            "files": files,
        }
        write_json(part / "manifest.json", manifest)
    for old in _folders(root)[: -max(keep, 1)]:
        shutil.rmtree(old)
    return target


def newest_checkpoint(root: Path) -> Path | None:
    """The newest complete checkpoint, or None."""
    folders = _folders(root)
    return folders[-1] if folders else None


def load_checkpoint(folder: Path, fingerprint: str | None = None) -> tuple[dict[str, Tensor], dict, dict]:
    """(trained tensors, optimiser state, state); also restores the random generators.

    TrainerError("checkpoint") if a file is missing or cut, or if it belongs to another run file.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise TrainerError("checkpoint", f"{folder}: format {manifest.get('format')!r}, expected {FORMAT}")
    for name, size in manifest["files"].items():
        actual = (folder / name).stat().st_size if (folder / name).exists() else None
        if actual != size:
            raise TrainerError("checkpoint", f"{folder / name}: {actual} bytes, the manifest says {size}")
    if fingerprint is not None and manifest["fingerprint"] != fingerprint:
        raise TrainerError(
            "checkpoint", f"{folder}: was made by another run file (a resume must keep its settings)"
        )
    trained = load_file(folder / "trained.safetensors")
    optimizer = torch.load(folder / "optimizer.pt", map_location="cpu", weights_only=True)
    rng = torch.load(folder / "rng.pt", map_location="cpu", weights_only=True)
    torch.set_rng_state(rng["torch"])
    if "cuda" in rng and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(rng["cuda"])
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    return trained, optimizer, state
