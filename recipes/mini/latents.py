"""The latent space of the image decoder, written down before any network is trained.

A latent cell stands for 16 x 16 pixels, given by its 32 strongest principal components over the scenes. The
VAE's encoder learns to compute them and its decoder to draw from them, and the UNet need not wait for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from .hand_scenes import CELL, LAYOUTS, hand_scene

CHANNELS = 32
SPREAD = 0.5
"""Channels' deviations are the components' own, to this power: 1 would leave fine structure to drown in noise,
0 would make the UNet spend itself on it."""


@dataclass(frozen=True)
class Basis:
    """weights [CHANNELS, 3, CELL, CELL]: latents are the strided convolution of a picture (-1 .. 1) with them.

    back [3 * CELL * CELL, CHANNELS] is the best linear way back to pixels.
    """

    weights: torch.Tensor
    back: torch.Tensor

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[batch, 3, height, width] -> [batch, CHANNELS, height / CELL, width / CELL], mean square 1."""
        return torch.nn.functional.conv2d(images, self.weights, stride=CELL)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The linear picture of latents; what the VAE's decoder improves on."""
        kernel = self.back.T.reshape(CHANNELS, 3, CELL, CELL)
        return torch.nn.functional.conv_transpose2d(latents, kernel, stride=CELL)


def pixels_of(images: Sequence[Image.Image]) -> torch.Tensor:
    """[batch, 3, 128, 128] float in -1 .. 1 of pictures."""
    stacked = np.stack([np.asarray(image) for image in images])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def find_basis(pictures: Path, scenes: int = 1600) -> Basis:
    """From training scenes of all layouts; the same each time."""
    images = pixels_of(
        [
            hand_scene(seed, LAYOUTS[seed % len(LAYOUTS)] if seed % 2 else "single", pictures)[2]
            for seed in range(scenes)
        ]
    )
    cells = (
        images.unfold(2, CELL, CELL).unfold(3, CELL, CELL).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * CELL**2)
    )
    values, directions = torch.linalg.eigh(cells.T @ cells / len(cells))
    values, directions = values.flip(0)[:CHANNELS], directions.flip(1)[:, :CHANNELS]
    # An eigenvector's sign is arbitrary: let its largest entry be positive.
    directions = directions * directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign()
    deviation = values.sqrt()
    factor = deviation**SPREAD / deviation
    factor = factor / ((deviation * factor).square().mean().sqrt())
    weights = (directions * factor).T.reshape(CHANNELS, 3, CELL, CELL)
    return Basis(weights.contiguous(), (directions / factor).contiguous())


def load_or_find_basis(out: Path, pictures: Path) -> Basis:
    """OUT/latent-basis.safetensors, found once."""
    path = out / "latent-basis.safetensors"
    if not path.is_file():
        basis = find_basis(pictures)
        scratch = path.with_name(f".{path.name}")
        save_file({"weights": basis.weights, "back": basis.back}, scratch)
        scratch.rename(path)
    return Basis(**load_file(path))
