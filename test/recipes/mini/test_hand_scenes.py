"""The hand's scenes: pictures there, captions that say what is shown, the same for a seed."""

from __future__ import annotations

import random

import numpy as np
import pytest

from recipes.mini.hand_scenes import (
    LAYOUTS,
    HandScene,
    caption_of,
    hand_scene,
    is_plural,
    paint,
    plural,
    some_scene,
)
from recipes.mini.objects import NAMES
from recipes.mini.pictures import BACKGROUNDS
from recipes.mini.world import DRAWN, DRAWN_NAMES, SYNONYMS


def test_at_least_two_hundred_objects_with_those_the_eyes_know(pictures):
    assert len(DRAWN_NAMES) >= 200
    assert set(NAMES) <= set(DRAWN_NAMES)
    assert [name for name, code in DRAWN.items() if not (pictures / f"{code}.webp").is_file()] == []
    assert len(set(DRAWN.values())) == len(DRAWN)


def test_a_synonym_means_one_object():
    words = [word for several in SYNONYMS.values() for word in several]
    assert len(set(words)) == len(words)
    assert not set(words) & set(DRAWN_NAMES)
    assert set(SYNONYMS) <= set(DRAWN_NAMES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_captions_name_what_is_there(layout):
    random_ = random.Random(layout)
    for _ in range(150):
        scene = some_scene(random_, layout)
        caption = caption_of(random_, scene)
        for name in filter(None, (scene.main, scene.second)):
            words = (name, plural(name), *SYNONYMS.get(name, ()))
            assert any(word in caption for word in words), (caption, name)
        assert scene.background is None or scene.background in caption, caption
        others = [
            colour
            for colour in BACKGROUNDS
            if colour != scene.background and f"{colour} background" in caption
        ]
        assert others == [], caption


def test_a_seed_gives_the_same_scene(pictures):
    first, again = (hand_scene(5, "pair", pictures) for _ in range(2))
    assert first[:2] == again[:2]
    assert (np.asarray(first[2]) == np.asarray(again[2])).all()


def test_sizes_and_sides_are_those_of_the_layout(pictures):
    """What differs from the bare background lies where the layout says."""

    def shown(layout, second=None):
        scene = HandScene("apple", "blue", layout, second)
        picture = np.asarray(paint(random.Random(3), scene, pictures), int)
        bare = picture[:1, :1].repeat(128, 0).repeat(128, 1)
        return np.abs(picture - bare).sum(2) > 90

    areas = [shown(layout).sum() for layout in ("single small", "single", "single large")]
    assert areas[0] < 0.6 * areas[1] < areas[2]


@pytest.mark.parametrize(("layout", "half"), [("beside right", 0), ("beside left", 1)])
def test_the_main_object_stands_on_the_side_that_is_said(pictures, layout, half):
    picture = np.asarray(paint(random.Random(3), HandScene("apple", "blue", layout, "lemon"), pictures), int)
    red = (picture[..., 0] > 150) & (picture[..., 1] < 110)
    sides = red[:, :64].sum(), red[:, 64:].sum()
    assert sides[half] > 500 > 10 * sides[1 - half]


@pytest.mark.parametrize(
    ("name", "several"),
    [("fox", "foxes"), ("cherries", "cherries"), ("mouse", "mice"), ("glass of milk", "glasses of milk")],
)
def test_plurals(name, several):
    assert plural(name) == several
    assert is_plural("scissors") and not is_plural("fox")
