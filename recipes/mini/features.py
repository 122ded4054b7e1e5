"""Frozen vision features of many scenes, computed once: the Q-Former's first lessons read nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import write_json
from textbind_trainer.images import ImageProcessor
from torch import Tensor, nn

from .captioned import Captioned
from .looking import spots
from .vision import normalised

BATCH = 64


def picture_features(vision: nn.Module, processor: ImageProcessor, pictures: list[Image.Image]) -> Tensor:
    """[pictures, patches + 1, hidden] of the published encoder through the published image processor."""
    with torch.no_grad():
        pixels = torch.stack([processor.pixels(picture) for picture in pictures])
        return vision(pixel_values=pixels).last_hidden_state


def fingerprint(folder: Path) -> str:
    """Which vision weights the features came from."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]


def open_eyes(folder: Path) -> nn.Module:
    """The published encoder, frozen."""
    from transformers import Blip2VisionModel

    return Blip2VisionModel.from_pretrained(folder, dtype=torch.float32).eval()


@torch.no_grad()
def seen(vision: nn.Module, pictures: list[np.ndarray]) -> Tensor:
    """[pictures, patches + 1, hidden] in half precision; pictures [SIZE, SIZE, 3] uint8."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    with torch.autocast("cpu", torch.bfloat16):
        return vision(normalised(stacked.float() / 127.5 - 1)).last_hidden_state.half()


def cached_features(
    vision_folder: Path, source: Captioned, cache: Path, split: str, count: int
) -> tuple[Tensor, list[str], Tensor]:
    """Half precision features of the first ``count`` captioned pictures of a split, the captions, and looking.spots of each.

    From the cache if they fit the vision weights.
    """
    mark = fingerprint(vision_folder)
    path = cache / f"features-and-spots-{split}-{count}-{mark}.safetensors"
    if path.exists():
        stored = load_file(path)
        captions = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return stored["features"], captions, stored["spots"]
    vision = open_eyes(vision_folder)
    parts, captions, where = [], [], []
    for first in range(0, count, BATCH):
        rows = [source.placed(split, number) for number in range(first, min(first + BATCH, count))]
        parts.append(seen(vision, [pixels for pixels, _, _ in rows]))
        captions += [caption for _, caption, _ in rows]
        where += [spots(placed) for _, _, placed in rows]
        if first % (16 * BATCH) == 0:
            emit("progress", step="features", split=split, done=first, of=count)
    features = torch.cat(parts).contiguous()
    cache.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file({"features": features, "spots": torch.stack(where)}, part)
    write_json(path.with_suffix(".json"), captions)
    part.replace(path)
    return features, captions, torch.stack(where)
