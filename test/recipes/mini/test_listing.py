"""What the Q-Former's outputs are to say: the list behind the caption, true of every view."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from textbind_trainer.tokenizer import language_tokenizer, load_tokenizer

from recipes.mini.listing import CAPTION, WIDTHS, kind_of, listed, target_ids, vocabulary
from recipes.mini.seen import SEEN_NAMES, called
from recipes.mini.shape import SHAPE
from recipes.mini.views import NUMBERS, caption_of, compose_view

LANGUAGE = Path(__file__).parents[3] / "models" / "textbind-mini" / "language"


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(LANGUAGE)


@pytest.mark.parametrize(
    ("caption", "entries", "kind"),
    [
        ("a cat on a red background", ("one", "", "cat", "", "", "", ""), 0),
        ("a photograph of something unknown", ("no", "", "photograph", "", "", "", ""), 0),
        ("three cats on an orange background", ("three", "", "cat", "", "", "", ""), 1),
        ("a cat and a dog on a red background", ("two", "left", "cat", "right", "dog", "", ""), 2),
        ("a cat above a dog on a red background", ("two", "top", "cat", "bottom", "dog", "", ""), 2),
        ("a cat, a dog and an owl on a red background", ("three", "", "cat", "", "dog", "and", "owl"), 3),
        ("a bow and arrow on a red background", ("one", "", "bow and arrow", "", "", "", ""), 0),
        ("a cat and a bow and arrow on a red background", ("two", "left", "cat", "right", "bow and arrow", "", ""), 2),
    ],
)  # fmt: skip
def test_entries_of_a_caption(caption, entries, kind):
    assert listed(caption) == entries and kind_of(caption) == kind


def test_the_list_says_what_a_view_shows(pictures):
    places = {"beside": ("left", "right"), "over": ("top", "bottom")}
    for seed in range(400):
        view = compose_view(seed, pictures)
        number, first, name, second, other, _, third = listed(caption_of(view))
        assert number == NUMBERS[len(view.placed)]
        assert (first, second) == places.get(view.mode, ("", ""))
        assert tuple(filter(None, (name, other, third))) == view.names[:3]


def test_every_entry_has_its_own_place(tokenizer):
    plain = language_tokenizer(tokenizer)
    word = lambda text: plain.encode(f" {text}", add_special_tokens=False)
    captions = [f"{called(name)} above a dog on a red background" for name in SEEN_NAMES if name != "dog"]
    targets = target_ids(tokenizer, captions)
    assert (
        targets.shape == (len(captions), SHAPE.num_query_tokens) and CAPTION + sum(WIDTHS) == targets.shape[1]
    )
    below = CAPTION + sum(WIDTHS[:4])
    assert targets[:, CAPTION].eq(word("two")[0]).all()
    assert targets[:, below].eq(word("dog")[0]).all() and targets[:, below - 1].eq(word("bottom")[0]).all()


def test_the_vocabulary_has_every_word_of_every_view(tokenizer, pictures):
    captions = [caption_of(compose_view(seed, pictures)) for seed in range(400)]
    assert torch.isin(target_ids(tokenizer, captions), vocabulary(tokenizer)).all()
