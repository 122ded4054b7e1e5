"""Scenes composed in the latent space are the latents of the composed pictures."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from recipes.mini import scene_latents
from recipes.mini.drawing_scenes import DrawingScenes
from recipes.mini.hand_scenes import BOXES, CELL, HandScene
from recipes.mini.latents import find_basis
from recipes.mini.pictures import SIZE
from recipes.mini.world import DRAWN, DRAWN_NAMES


@pytest.fixture(scope="module")
def basis(pictures):
    return find_basis(pictures, scenes=300)


def pasted(canvas: np.ndarray, sprite: np.ndarray, top: int, left: int) -> np.ndarray:
    """A premultiplied sprite over part of a picture [side, side, 3], 0 .. 1."""
    canvas, (height, width) = canvas.copy(), sprite.shape[:2]
    part = canvas[top : top + height, left : left + width]
    part[:] = part * (1 - sprite[..., 3:]) + sprite[..., :3]
    return canvas


@pytest.mark.parametrize("box", BOXES)
def test_a_stamped_sprite_is_the_encoded_picture(basis, pictures, box):
    """On a graded background of any colour, plain and mirrored, wherever the box may stand."""
    stamps = scene_latents.find_stamps(basis, pictures, box)
    backdrops = scene_latents.find_backdrops(basis)
    corner = (SIZE // CELL - box.cells) // 2
    row = DRAWN_NAMES.index("apple")
    sprite = scene_latents._boxed(str(pictures), DRAWN["apple"], box)
    colour, ramp = torch.tensor([[0.3, 0.6, 0.8]]), torch.tensor([[0.05, -0.03]])
    line = (np.arange(SIZE) + 0.5) / (SIZE / 2) - 1
    graded = colour.numpy()[0] + (0.05 * line[:, None] - 0.03 * line[None, :])[..., None]
    for mirrored in (False, True):
        picture = pasted(graded, sprite[:, ::-1] if mirrored else sprite, corner * CELL, corner * CELL)
        wanted = basis.encode(torch.from_numpy(picture).permute(2, 0, 1)[None].float() * 2 - 1)
        canvas = scene_latents.backdrop(backdrops, colour, ramp)
        where = torch.tensor([corner])
        scene_latents.stamp(
            canvas, stamps, torch.tensor([row]), torch.tensor([mirrored]), where, where, colour, ramp,
            torch.tensor([0]),
        )  # fmt: skip
        assert torch.allclose(canvas, wanted, atol=1e-3)


def test_a_scene_of_several_has_as_many_objects(basis, pictures):
    """Three apples differ from the empty background in three boxes, one in one."""
    scenes = DrawingScenes(basis, pictures)

    def cells(layout: str) -> int:
        torch.manual_seed(0)
        made = scenes.of([HandScene("apple", "blue", layout)], random.Random(1)).latents[0]
        return int(((made - made[:, :1, :1]).square().mean(0) > 0.3).sum())

    one, two, three = (cells(layout) for layout in ("single small", "two", "three"))
    assert one < two < three


def test_a_batch_is_the_same_for_a_seed(basis, pictures):
    scenes = DrawingScenes(basis, pictures)
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(scenes.batch(random.Random(5), 4))
    assert made[0].scenes == made[1].scenes
    assert torch.equal(made[0].latents, made[1].latents)
    assert torch.equal(made[0].described, made[1].described)
