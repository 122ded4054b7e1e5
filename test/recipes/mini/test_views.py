"""What the eyes are taught: views with true labels, strangers, and lessons that a network can take."""

from __future__ import annotations

import random

import numpy as np
import torch

from recipes.mini import eyes, strangers
from recipes.mini.pictures import SIZE
from recipes.mini.seen import SEEN, SEEN_NAMES
from recipes.mini.views import caption_of, compose_view, view_of
from recipes.mini.vision import build_vision

PHOTO = [np.random.default_rng(0).integers(0, 255, (150, 200, 3), np.uint8)]


def test_a_seed_gives_the_same_view_each_time(pictures):
    first, again, other = (compose_view(seed, pictures) for seed in (7, 7, 8))
    assert (first.pixels == again.pixels).all() and first.placed == again.placed
    assert not (first.pixels == other.pixels).all()


def test_held_out_views_are_no_training_views(pictures):
    trained = {view_of("training", number, pictures).seed for number in range(300)}
    assert not trained & {view_of("held-out", number, pictures).seed for number in range(20)}


def test_things_stand_inside_and_captions_count_them(pictures):
    for seed in range(200):
        view = compose_view(seed, pictures)
        for one in view.placed:
            left, top, right, bottom = one.box
            assert 0 <= left < right <= SIZE and 0 <= top < bottom <= SIZE
        if view.mode == "several":
            assert caption_of(view).startswith(("two ", "three ", "four "))
        assert caption_of(view).endswith(f"{view.background} background")


def test_patches_are_labelled_by_what_covers_them(pictures):
    view = compose_view(3, pictures, mode="beside", names=["cat", "dog"])
    labels = eyes.patch_labels(view).reshape(8, 8)
    assert set(labels.unique().tolist()) == {SEEN_NAMES.index("cat"), SEEN_NAMES.index("dog"), eyes.NOTHING}
    cat, dog = ((labels == SEEN_NAMES.index(name)).nonzero()[:, 1].float().mean() for name in ("cat", "dog"))
    assert cat < dog


def test_every_picture_is_there(pictures):
    assert all((pictures / f"{code}.webp").is_file() for codes, _ in SEEN.values() for code in codes)


def test_strangers_are_pictures_of_their_kind():
    random_ = random.Random(0)
    kinds = set()
    for _ in range(40):
        pixels, kind = strangers.stranger(random_, PHOTO, PHOTO)
        assert pixels.shape == (SIZE, SIZE, 3) and pixels.dtype == np.uint8
        kinds.add(kind)
    assert kinds == {"photograph", "screenshot"}


def test_a_few_lessons_lower_the_loss(pictures):
    torch.manual_seed(0)
    vision, heads = build_vision(), eyes.Heads()
    batch = eyes.Batches(pictures, PHOTO, PHOTO).batch("training", 0, 8)
    optimizer = torch.optim.AdamW([*vision.parameters(), *heads.parameters()], lr=1e-3)
    seen = []
    for _ in range(4):
        optimizer.zero_grad()
        loss, figures = eyes.losses(vision, heads, batch)
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < seen[0] and set(figures) > {"patches", "main", "numberRight"}
