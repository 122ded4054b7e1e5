"""Captions are true of the pixels, scenes follow from their seeds, splits do not overlap."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from recipes.mini.objects import NAMES, OBJECTS
from recipes.mini.pictures import (
    BACKGROUNDS,
    SIZE,
    SPLITS,
    compose,
    seed_of,
    split_of,
    with_article,
)

SEEDS = range(60)


def array(scene) -> np.ndarray:
    return np.asarray(scene.image, np.float32)


def flat_sprite(pictures, name: str, colour: np.ndarray, size: tuple[int, int], mirrored: bool) -> np.ndarray:
    image = Image.open(pictures / f"{OBJECTS[name][0]}.webp").convert("RGBA")
    image = image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())
    values = np.asarray(image.resize(size), np.float32)
    if mirrored:
        values = values[:, ::-1]
    alpha = values[..., 3:] / 255
    return values[..., :3] * alpha + colour * (1 - alpha)


def test_table_is_distinct():
    codes = [code for code, _ in OBJECTS.values()]
    assert len(set(codes)) == len(codes) == len(NAMES)
    assert len(NAMES) >= 120


def test_every_object_has_its_picture(pictures):
    assert [name for name, (code, _) in OBJECTS.items() if not (pictures / f"{code}.webp").is_file()] == []


def test_same_seed_same_bytes(pictures):
    for seed in (0, 7, 123456):
        first, second = compose(seed, pictures), compose(seed, pictures)
        assert first.image.tobytes() == second.image.tobytes()
        assert first.caption == second.caption
    assert compose(1, pictures).image.tobytes() != compose(2, pictures).image.tobytes()


def test_caption_names_what_was_placed(pictures):
    for seed in SEEDS:
        scene = compose(seed, pictures)
        assert scene.main_object in scene.caption
        assert with_article(f"{scene.background} background") in scene.caption
        assert (scene.second_object is None) == (scene.second_box is None)
        if scene.second_object:
            assert f"a small {scene.second_object}" in scene.caption


def test_background_has_the_colour_of_its_name(pictures):
    for seed in SEEDS:
        scene = compose(seed, pictures)
        pixels = array(scene)
        corners = np.concatenate([pixels[:4, :4].reshape(-1, 3), pixels[:4, -4:].reshape(-1, 3)])
        colour = np.median(corners, axis=0)
        nearest = min(BACKGROUNDS, key=lambda name: np.abs(np.array(BACKGROUNDS[name]) - colour).sum())
        assert nearest == scene.background, scene.caption


def test_nothing_outside_the_boxes(pictures):
    for seed in SEEDS:
        scene = compose(seed, pictures)
        outside = np.ones((SIZE, SIZE), bool)
        for box in (scene.main_box, scene.second_box):
            if box:
                outside[box[1] : box[3], box[0] : box[2]] = False
        values = array(scene)[outside]
        # A gradient spans at most 2 x 18 levels; an object's pixels would span far more.
        assert (values.max(0) - values.min(0)).max() <= 37


def test_the_pixels_show_the_object_named(pictures):
    """Among all objects drawn into the same box, the named one is nearest to what is there."""
    for seed in range(24):
        scene = compose(seed, pictures)
        left, top, right, bottom = scene.main_box
        shown = array(scene)[top:bottom, left:right]
        colour = array(scene)[0, 0]
        distances = {
            name: min(
                np.abs(
                    flat_sprite(pictures, name, colour, (right - left, bottom - top), mirrored) - shown
                ).mean()
                for mirrored in (False, True)
            )
            for name in NAMES
        }
        assert min(distances, key=distances.__getitem__) == scene.main_object, scene.caption


def test_side_words_are_true(pictures):
    seen = set()
    for seed in range(300):
        scene = compose(seed, pictures)
        if scene.second_box is None:
            continue
        main_middle = scene.main_box[0] + scene.main_box[2]
        second_middle = scene.second_box[0] + scene.second_box[2]
        assert (second_middle < main_middle) == (scene.second_side == "left")
        seen.add(scene.second_side)
    assert seen == {"left", "right"}


def test_splits_are_disjoint_and_named_right():
    seeds = {split: {seed_of(split, index) for index in range(500)} for split in SPLITS}
    for split, members in seeds.items():
        assert len(members) == 500
        assert {split_of(seed) for seed in members} == {split}
    assert not seeds["training"] & seeds["validation"]
    assert not seeds["training"] & seeds["held-out"]
    with pytest.raises(ValueError, match="no split"):
        seed_of("test", 0)


def test_articles():
    assert [with_article(word) for word in ("apple", "cat", "unicorn", "orange")] == [
        "an apple",
        "a cat",
        "a unicorn",
        "an orange",
    ]
