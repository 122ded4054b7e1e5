"""Frozen vision features of many scenes, computed once: the Q-Former's first lessons read nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.images import ImageProcessor
from torch import Tensor, nn

from .pictures import Scene
from .scenes import batch_of

BATCH = 64


def scene_features(vision: nn.Module, processor: ImageProcessor, scenes: list[Scene]) -> Tensor:
    """[scenes, patches + 1, hidden] of the published encoder through the published image processor."""
    with torch.no_grad():
        return vision(
            pixel_values=torch.stack([processor.pixels(scene.image) for scene in scenes])
        ).last_hidden_state


def fingerprint(folder: Path) -> str:
    """Which vision weights the features came from."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]


def cached_features(vision_folder: Path, pictures: Path, cache: Path, split: str, count: int) -> Tensor:
    """Half precision features of the first ``count`` scenes of a split, from the cache if they fit it."""
    from transformers import Blip2VisionModel

    mark = fingerprint(vision_folder)
    path = cache / f"features-{split}-{count}-{mark}.safetensors"
    if path.exists():
        return load_file(path)["features"]
    vision = Blip2VisionModel.from_pretrained(vision_folder, dtype=torch.float32).eval()
    processor = ImageProcessor.load(vision_folder)
    parts = []
    for first in range(0, count, BATCH):
        scenes = batch_of(pictures, split, first, min(BATCH, count - first))
        parts.append(scene_features(vision, processor, scenes).half())
        if first % (16 * BATCH) == 0:
            emit("progress", step="features", split=split, done=first, of=count)
    features = torch.cat(parts).contiguous()
    cache.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file({"features": features}, part)
    part.replace(path)
    return features
