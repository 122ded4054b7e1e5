"""What the text encoders are taught to say of a caption."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from recipes.mini import describe
from recipes.mini.hand_scenes import HandScene
from recipes.mini.world import DRAWN_NAMES


@pytest.fixture(scope="module")
def descriptions(pictures):
    return describe.Descriptions(pictures)


def test_names_are_far_apart(descriptions):
    unit = functional.normalize(descriptions.names, dim=1)
    nearest = (unit @ unit.T - 2 * torch.eye(len(unit))).max(1).values
    assert nearest.mean() < 0.5
    assert nearest.max() < 0.9


def test_a_target_holds_object_company_colour_and_layout(descriptions):
    alone = descriptions.target(HandScene("cat", "blue", "single"))
    company = descriptions.target(HandScene("cat", "red", "pair", "dog"))
    main, second = slice(0, describe.MAIN), slice(describe.MAIN, describe.MAIN + describe.SECOND)
    assert alone.shape == (describe.POOLED,)
    assert torch.equal(alone[main], company[main])
    assert alone[second].abs().max() == 0 and company[second].abs().max() > 0
    assert not torch.equal(alone[second.stop :], company[second.stop :])


def test_the_appearance_is_the_picture(descriptions):
    """Like pictures have like vectors: a taxi is nearer to a car than to a cat."""
    row = {name: descriptions.names[at] for at, name in enumerate(DRAWN_NAMES)}
    near = lambda a, b: float(functional.cosine_similarity(row[a], row[b], dim=0))
    assert near("taxi", "car") > near("taxi", "cat")
    assert near("lemon", "orange") > near("lemon", "bat")
