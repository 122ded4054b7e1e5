"""Scenes composed in the latent space: training pictures of the drawing network at next to no cost.

Latents are a linear function of a picture (latents.py), and a scene is linear in its background's colour and in its
sprites. So what a sprite adds to a background is computed once, exactly; a batch of new scenes of any colours and
places is then a few additions. Sprites stand on the grid of the cells: a shift by whole cells is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .hand_scenes import CELL, Box, scaled, sprite
from .latents import CHANNELS, Basis
from .pictures import BACKGROUNDS, SIZE
from .world import DRAWN

CELLS = SIZE // CELL


@dataclass(frozen=True)
class Stamps:
    """What sprites in boxes of k x k cells add to latents, plain and mirrored: [objects, 2, ...].

    own [.., 32, k, k]; per_colour [.., 3, 32, k, k] is taken off for each colour of the background (0 .. 1);
    per_ramp [.., 2, 32, k, k] for a grading down and to the right, in box coordinates (pixels / 64 from its corner).
    """

    box: Box
    own: Tensor
    per_colour: Tensor
    per_ramp: Tensor


def _boxed(folder: str, code: str, box: Box) -> np.ndarray:
    """[side, side, 4] premultiplied, 0 .. 1, in the middle of its box."""
    image, side = sprite(folder, code), box.cells * CELL
    ratio = box.longest / max(image.size)
    small = np.asarray(image.resize(scaled(image, ratio), Image.Resampling.LANCZOS), np.float32) / 255
    square = np.zeros((side, side, 4), np.float32)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square


@torch.no_grad()
def find_stamps(basis: Basis, pictures: Path, box: Box) -> Stamps:
    """Of the drawn objects, in their order."""
    boxes = torch.stack([
        torch.from_numpy(_boxed(str(pictures), code, box)) for code in DRAWN.values()
    ]).permute(0, 3, 1, 2)  # fmt: skip
    boxes = torch.stack([boxes, boxes.flip(3)], dim=1)
    colours, alpha = boxes[:, :, :3], boxes[:, :, 3:]
    line = (torch.arange(box.cells * CELL) + 0.5) / (SIZE / 2)

    def latents(images: Tensor) -> Tensor:
        flat = basis.encode(images.reshape(-1, *images.shape[2:]))
        return 2 * flat.reshape(*images.shape[:2], *flat.shape[1:])

    per_colour = []
    for channel in range(3):
        only = torch.zeros_like(colours)
        only[:, :, channel] = alpha[:, :, 0]
        per_colour.append(latents(only))
    ramps = [latents((alpha * each).expand_as(colours)) for each in (line.view(-1, 1), line.view(1, -1))]
    return Stamps(box, latents(colours), torch.stack(per_colour, 2), torch.stack(ramps, 2))


@dataclass(frozen=True)
class Backdrops:
    """Latents of plain colours (0 .. 1) and of gradings."""

    offset: Tensor
    per_colour: Tensor
    per_ramp: Tensor


@torch.no_grad()
def find_backdrops(basis: Basis) -> Backdrops:
    """offset [32, 8, 8] of black; per_colour [3, 32, 8, 8]; per_ramp [2, 32, 8, 8] of -1 .. 1 down and right."""
    white = 2 * basis.encode(torch.eye(3).view(3, 3, 1, 1).expand(3, 3, SIZE, SIZE).contiguous())
    line = (torch.arange(SIZE) + 0.5) / (SIZE / 2) - 1
    ramps = torch.stack([each.expand(3, SIZE, SIZE) for each in (line.view(-1, 1), line.view(1, -1))])
    return Backdrops(-white.sum(0) / 2, white, 2 * basis.encode(ramps.contiguous()))


def backgrounds(chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of BACKGROUNDS -> colours [n, 3] a little off, 0 .. 1, and gradings [n, 2], as pictures.py draws them."""
    named = torch.tensor([BACKGROUNDS[name] for name in BACKGROUNDS], dtype=torch.float32)
    count = len(chosen)
    colours = named[chosen] + (torch.rand(count, 1) * 16 - 8)
    strength = (8 + 10 * torch.rand(count)) * torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    strength = strength * (torch.rand(count) < 0.5)
    down = torch.rand(count) < 0.7
    return colours / 255, torch.stack([strength * down, strength * ~down], 1) / 255


def backdrop(table: Backdrops, colours: Tensor, ramps: Tensor) -> Tensor:
    """[n, 32, 8, 8]"""
    plain = torch.einsum("nc,clhw->nlhw", colours, table.per_colour)
    return table.offset + plain + torch.einsum("nr,rlhw->nlhw", ramps, table.per_ramp)


def stamp(
    canvas: Tensor, stamps: Stamps, objects: Tensor, mirrored: Tensor, tops: Tensor, lefts: Tensor,
    colours: Tensor, ramps: Tensor, rows: Tensor,
) -> None:  # fmt: skip
    """Adds a sprite to these rows of canvas [n, 32, 8, 8], its box's corner at (tops, lefts) in cells."""
    mirrored = mirrored.long()
    own = stamps.own[objects, mirrored]
    per_colour = stamps.per_colour[objects, mirrored]
    per_ramp = stamps.per_ramp[objects, mirrored]
    # A grading at a pixel is its corner's plus the way inside the box.
    corners = torch.stack([tops, lefts], 1).float() * (CELL / (SIZE / 2)) - 1
    seen = colours + (ramps * corners).sum(1, keepdim=True)
    patch = (
        own
        - torch.einsum("nc,nclhw->nlhw", seen, per_colour)
        - torch.einsum("nr,nrlhw->nlhw", ramps, per_ramp)
    )
    line = torch.arange(stamps.box.cells)
    down, right = (tops.view(-1, 1, 1) + line.view(1, -1, 1), lefts.view(-1, 1, 1) + line.view(1, 1, -1))
    canvas[rows.view(-1, 1, 1), :, down, right] += patch.permute(0, 2, 3, 1)


assert CHANNELS == 32
