"""The judge's lessons say what they show."""

from __future__ import annotations

import pytest
import torch

from recipes.mini import judge
from recipes.mini.world import DRAWN_NAMES


@pytest.fixture(scope="module")
def table(pictures):
    return judge.sprites(pictures)


def test_a_sprite_stands_where_it_was_put(table):
    torch.manual_seed(0)
    canvas = torch.zeros(2, 3, 64, 64)
    shown = table[[DRAWN_NAMES.index("moon")] * 2]
    drawn = judge.pasted(canvas, shown, torch.tensor([0.4, 0.4]), torch.tensor([[-0.6, -0.6], [0.6, 0.6]]))
    assert drawn[0, :, :32, :32].sum() > 0.95 * drawn[0].sum() > 0
    assert drawn[1, :, 32:, 32:].sum() > 0.95 * drawn[1].sum() > 0


def test_lessons_have_one_or_two_objects_that_share_the_whole(table):
    torch.manual_seed(1)
    images, shares = judge.training_batch(table, 200)
    assert images.shape == (200, 3, 64, 64)
    assert torch.allclose(shares.sum(1), torch.ones(200))
    counts = (shares > 0).sum(1)
    assert set(counts.tolist()) == {1, 2}
    assert 0.3 < (counts == 2).float().mean() < 0.5


def test_the_judge_learns_its_lessons(table):
    """Of four objects only, a short training tells them apart: the labels belong to the pictures."""
    torch.manual_seed(2)
    torch.set_num_threads(1)
    few = table[:: len(table) // 4][:4]
    network = judge.Judge(4)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(60):
        images, shares = judge.training_batch(few, 32)
        loss = torch.nn.functional.cross_entropy(network(images), shares)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    images, shares = judge.training_batch(few, 200)
    alone = shares.amax(1) == 1
    with torch.no_grad():
        right = (network.eval()(images).argmax(1) == shares.argmax(1))[alone].float().mean()
    assert right > 0.7
