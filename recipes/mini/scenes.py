"""Scenes as tensors: batches for the vision and drawing networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .pictures import Scene, compose, seed_of


def batch_of(pictures: Path, split: str, first: int, count: int, variety: float = 1.0) -> list[Scene]:
    """Scenes number first .. first + count - 1 of a split."""
    return [compose(seed_of(split, first + index), pictures, variety=variety) for index in range(count)]


def pixels(scenes: Sequence[Scene]) -> torch.Tensor:
    """[batch, 3, 128, 128] float in -1 .. 1."""
    stacked = np.stack([np.asarray(scene.image) for scene in scenes])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 127.5 - 1
