"""Batches for the drawing network: latents of scenes, and the description vector of what their captions say."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .describe import LAYOUT_CHANCES, Descriptions
from .hand_scenes import BOXES, LAYOUTS, Box, HandScene, Placed, arranged, some_scene
from .latents import Basis
from .pictures import BACKGROUNDS
from .scene_latents import backdrop, backgrounds, find_backdrops, find_stamps, stamp
from .world import DRAWN_NAMES

WORDING_NOISE = 0.12
"""Deviation of what the text encoder says from what it should say."""
_ROWS = {name: row for row, name in enumerate(DRAWN_NAMES)}
_COLOURS = {name: row for row, name in enumerate(BACKGROUNDS)}


@dataclass(frozen=True)
class Batch:
    """latents [n, 32, 8, 8] of the scenes; described [n, POOLED]."""

    scenes: list[HandScene]
    latents: Tensor
    described: Tensor


class DrawingScenes:
    """New scenes without end. Places by random_, shades by torch's generator."""

    def __init__(self, basis: Basis, pictures: Path) -> None:
        self.descriptions = Descriptions(pictures)
        self.backdrops = find_backdrops(basis)
        self.stamps = {box: find_stamps(basis, pictures, box) for box in BOXES}

    def batch(self, random_: random.Random, count: int) -> Batch:
        """Scenes of all layouts."""
        return self.of(
            [some_scene(random_, layout) for layout in random_.choices(LAYOUTS, LAYOUT_CHANCES, k=count)],
            random_,
        )

    def of(self, scenes: list[HandScene], random_: random.Random) -> Batch:
        """These scenes, arranged by chance."""
        shown = [scene.background or random_.choice(tuple(BACKGROUNDS)) for scene in scenes]
        colours, ramps = backgrounds(torch.tensor([_COLOURS[name] for name in shown]))
        canvas = backdrop(self.backdrops, colours, ramps)
        placed = [(row, each) for row, scene in enumerate(scenes) for each in arranged(random_, scene)]
        for box in BOXES:
            self._stamp(canvas, box, [(row, each) for row, each in placed if each.box == box], colours, ramps)
        exact = torch.stack([self.descriptions.target(scene) for scene in scenes])
        return Batch(scenes, canvas, exact + WORDING_NOISE * torch.randn_like(exact))

    def _stamp(
        self, canvas: Tensor, box: Box, placed: list[tuple[int, Placed]], colours: Tensor, ramps: Tensor
    ) -> None:
        # One after the other where a scene has several: rows of one call must differ.
        turns: list[list[tuple[int, Placed]]] = []
        seen: dict[int, int] = {}
        for row, each in placed:
            turn = seen[row] = seen.get(row, -1) + 1
            if turn == len(turns):
                turns.append([])
            turns[turn].append((row, each))
        for together in turns:
            rows = torch.tensor([row for row, _ in together])
            objects = torch.tensor([_ROWS[each.name] for _, each in together])
            mirrored = torch.tensor([each.mirrored for _, each in together])
            tops, lefts = torch.tensor([[each.top, each.left] for _, each in together]).T
            stamp(canvas, self.stamps[box], objects, mirrored, tops, lefts, colours[rows], ramps[rows], rows)
