"""The latent space of the image decoder, written down before any network is trained.

A latent cell stands for 8 x 8 pixels: three channels hold its mean colour, five its strongest
structure (principal components of what the mean leaves, over the training scenes). The VAE's encoder
learns to compute it and its decoder to draw from it. Measured on two cores: a free latent space took
thousands of steps to find colours that this one has from the start, the UNet need not wait for the
encoder, and a thumbnail with hints is easy to draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from .scenes import batch_of, pixels

CELL = 8
COLOURS, STRUCTURES = 3, 5
CHANNELS = COLOURS + STRUCTURES
COLOUR_SCALE = 2.0
STRUCTURE_SCALE = 0.9


@dataclass(frozen=True)
class Basis:
    """weights [CHANNELS, 3, CELL, CELL]: latents are the strided convolution of a picture (-1 .. 1) with them."""

    weights: torch.Tensor

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[batch, 3, height, width] -> [batch, CHANNELS, height / 8, width / 8]."""
        return torch.nn.functional.conv2d(images, self.weights, stride=CELL)


@torch.no_grad()
def find_basis(pictures: Path, scenes: int = 600) -> Basis:
    """From training scenes; the same each time. Structure channels spread as the fourth root of their variance."""
    images = torch.cat([pixels(batch_of(pictures, "training", first, 50)) for first in range(0, scenes, 50)])
    cells = (
        images.unfold(2, CELL, CELL)
        .unfold(3, CELL, CELL)
        .permute(0, 2, 3, 1, 4, 5)
        .reshape(-1, 3, CELL * CELL)
    )
    rest = (cells - cells.mean(2, keepdim=True)).flatten(1)
    values, directions = torch.linalg.eigh(rest.T @ rest / len(rest))
    values, directions = values.flip(0)[:STRUCTURES], directions.flip(1)[:, :STRUCTURES]
    # An eigenvector's sign is arbitrary: let its largest entry be positive.
    directions = directions * directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign()
    wanted = STRUCTURE_SCALE * (values / values[0]) ** 0.25
    structure = (directions / values.sqrt() * wanted).T.reshape(STRUCTURES, 3, CELL, CELL)
    # Components are orthogonal to the mean, so they need no centring of their own.
    colour = torch.zeros(COLOURS, 3, CELL, CELL)
    for channel in range(COLOURS):
        colour[channel, channel] = COLOUR_SCALE / CELL**2
    return Basis(torch.cat([colour, structure]).contiguous())


def load_or_find_basis(out: Path, pictures: Path) -> Basis:
    """OUT/latent-basis.safetensors, found once."""
    path = out / "latent-basis.safetensors"
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}")
        save_file({"weights": find_basis(pictures).weights}, scratch)
        scratch.rename(path)
    return Basis(load_file(path)["weights"])


@torch.no_grad()
def measure_scaling(basis: Basis, pictures: Path, count: int = 400) -> float:
    """1 / standard deviation of the latents: the VAE's scaling_factor."""
    return round(1 / float(basis.encode(pixels(batch_of(pictures, "training", 0, count))).std()), 5)
