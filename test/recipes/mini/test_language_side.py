"""The language model's side: which of its own answers are kept, and the way back to the base."""

from __future__ import annotations

import random

import pytest
import torch
from textbind_trainer.prompt import SPECIAL_TOKENS

from recipes.mini.going_on import openings, rows_of, tidy
from recipes.mini.interpolate import EMBEDDING, between
from recipes.mini.small_talk import trimmed, usable


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("1. Boil the water.\n\n2. Add the rice and", "1. Boil the water."),
        ("Boil the water first. Then add the rice.\n3.", "Boil the water first. Then add the rice."),
        ("**Bread** is made from flour, water and salt.", "Bread is made from flour, water and salt."),
        ("Stir the soup well. Stir the soup well. Stir the", ""),
        ("Look at the picture of the cake here.", ""),
        ("no end at all", ""),
    ],
)
def test_a_long_answer_ends_where_a_sentence_does(answer, kept):
    assert trimmed(answer) == kept


def test_a_short_answer_is_dropped_where_it_was_cut_or_is_a_list():
    assert usable("Tea is a drink.")
    assert not usable("Tea is a drink that") and not usable("Tea:\n- green.")


def test_half_way_is_the_mean_and_added_rows_are_the_tuned_ones():
    rows = len(SPECIAL_TOKENS) + 2
    base = {EMBEDDING: torch.zeros(rows, 4), "layer": torch.zeros(3)}
    tuned = {EMBEDDING: torch.ones(rows, 4, dtype=torch.float16), "layer": torch.tensor([2.0, 4.0, -2.0])}
    mixed = between(base, tuned, 0.5)
    assert mixed["layer"].tolist() == [1.0, 2.0, -1.0]
    assert mixed[EMBEDDING][:2].eq(0.5).all() and mixed[EMBEDDING][2:].eq(1).all()
    with pytest.raises(ValueError, match="the same weights"):
        between(base, {"layer": tuned["layer"]}, 0.5)


def test_layers_below_the_first_that_is_mixed_stay_the_tuned_ones():
    names = (EMBEDDING, "model.layers.1.x", "model.layers.2.x", "model.layers.12.x")
    base = {name: torch.zeros(5, 4) for name in names}
    tuned = {name: torch.ones(5, 4) for name in names}
    mixed = between(base, tuned, 0.5, first=2)
    assert [mixed[name][0, 0].item() for name in names] == [0.5, 1.0, 0.5, 0.5]


def test_a_text_goes_on_to_its_last_whole_sentence():
    text = "the rain fell on the roofs of the old town all night long. In the morning the streets were wet and shone. And then"
    assert tidy(text) == text[: text.rindex(" And")]
    assert not tidy("too short.") and not tidy(text.replace("rain", "[INST] rain"))
    (row,) = rows_of(openings()[:2], [tidy(text), ""], random.Random(0))
    assert row["kind"] == "text" and openings()[0] in row["question"] and row["answer"] == tidy(text)
