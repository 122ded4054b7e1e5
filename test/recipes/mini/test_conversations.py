"""The generated conversations: true, in the schema, varied, and drawn only when asked."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from textbind_trainer.data import check_conversation

from recipes.mini import held_out, talking
from recipes.mini import wordings as say
from recipes.mini.album import Album, Wish, shown_view
from recipes.mini.conversations import conversation, lesson
from recipes.mini.instructions import instructions
from recipes.mini.questions import QUESTIONS
from recipes.mini.seen import SEEN, SEEN_NAMES, called, countable, plural, synonyms
from recipes.mini.small_talk import questions
from recipes.mini.stories import REQUESTS
from recipes.mini.turns import State
from recipes.mini.views import MODE_NAMES, compose_view
from recipes.mini.world import DRAWN

TALK = [
    {"question": "What is tea?", "answer": "A drink.", "kind": "short"},
    {"question": "Go on: It", "answer": "rained.", "kind": "text"},
]
PHOTO = [np.full((120, 160, 3), 90, np.uint8)]


@pytest.fixture(scope="module")
def rows(pictures, tmp_path_factory):
    images = tmp_path_factory.mktemp("images")
    random_ = random.Random(0)
    album = Album(pictures, images, "training", random_, PHOTO, PHOTO)
    return images, [conversation(State(random_, album, TALK)) for _ in range(250)]


def test_every_row_passes_the_check_of_stage_2(rows):
    images, conversations = rows
    for number, row in enumerate(conversations):
        check_conversation(row, number, "made", images, ("[INST]", "</s>"))


def test_assistant_draws_only_when_asked(rows):
    _, conversations = rows
    wordings = [
        *say.DRAW, *say.DRAW_AGAIN_BACKGROUND, *say.DRAW_COLOUR, *say.DRAW_ADD, *say.DRAW_NUMBER, *say.DRAW_INSTEAD, *say.DRAW_LIKE, *say.DRAW_ANYTHING, *REQUESTS,
    ]  # fmt: skip
    fixed = [[part.strip(" .?,:").lower() for part in re.split(r"\{\w\}", words)] for words in wordings]
    for row in conversations:
        for user, assistant in zip(row["conversation"][::2], row["conversation"][1::2], strict=True):
            if assistant["image_list"]:
                text = user["content"].lower()
                assert any(all(part in text for part in parts) for parts in fixed), text


def test_talk_never_draws_and_never_promises_what_the_hand_has_not_learned(rows):
    random_ = random.Random(1)
    for _ in range(500):
        _, answer = talking.some_talk(random_)
        assert "<image>" not in answer
        offered = re.search(r"I can draw (an? .+|some .+) for you", answer)
        assert offered is None or any(called(name) == offered[1] for name in DRAWN)


def test_lessons_are_mostly_one_exchange_about_one_picture(pictures, tmp_path):
    random_ = random.Random(4)
    album = Album(pictures, tmp_path, "training", random_, PHOTO, PHOTO)
    lessons = [lesson(State(random_, album, TALK)) for _ in range(240)]
    lengths = [len(row["conversation"]) for row in lessons]
    assert set(lengths) == {2, 4, 6} and 2 <= lengths.count(6) <= 30
    asked = [row["conversation"][0] for row in lessons if len(row["conversation"]) == 2]
    single = [re.search(r"\b(a|an|some) ", "".join(turn["caption_list"])) for turn in asked]
    assert sum(map(bool, single)) > 80
    assert sum(bool(re.search("(?i)how many|count|number|where", turn["content"])) for turn in asked) > 12
    for number, row in enumerate(lessons):
        check_conversation(row, number, "made", tmp_path, ("[INST]", "</s>"))


def test_greetings_are_many_and_none_is_one_of_the_evaluation():
    random_ = random.Random(6)
    said = {talking.greeted(random_)[0] for _ in range(2000)}
    assert len(said) > 500
    assert not said & set(held_out.TALK)


def test_thanks_are_answered_in_words_that_fit(rows):
    random_ = random.Random(3)
    said = set()
    for number in range(400):
        text, answer = talking.thanks(random_, ("cat", "blue") if number % 2 else None)
        said.add(text)
        assert "<image>" not in answer and "{" not in text + answer
        assert number % 2 or not re.search("draw", answer), answer
    assert len(said) > 150


def test_no_training_talk_is_held_out():
    asked = {
        *instructions(),
        *questions(),
        *say.DRAW_ANYTHING,
        *talking.THANKS[0],
        *talking.THANKS_FOR_ANSWER,
    }
    assert not asked & set(held_out.TALK)
    assert len(instructions()) > 250


def test_wordings_vary(rows):
    _, conversations = rows
    asked = [turn["content"] for row in conversations for turn in row["conversation"][::2]]
    assert len(set(asked)) > 0.75 * len(asked)


def test_the_model_says_that_it_cannot_tell_strangers(rows):
    _, conversations = rows
    found = 0
    for row in conversations:
        for user, assistant in zip(row["conversation"][::2], row["conversation"][1::2], strict=True):
            if any(caption.startswith(("a photograph", "a screenshot")) for caption in user["caption_list"]):
                found += 1
                assert re.search("cannot", assistant["content"]), assistant["content"]
    assert found > 5


@pytest.mark.parametrize("mode", MODE_NAMES)
def test_answers_agree_with_what_was_placed(pictures, mode):
    random_ = random.Random(2)
    for seed in range(40):
        view = compose_view(seed, pictures, mode=mode)
        it = shown_view(view, "x.png")
        assert set(it.names) == {one.name for one in view.placed} and it.number == len(view.placed)
        if mode in ("beside", "over"):
            edge = 0 if mode == "beside" else 1
            first, second = (one.box[edge] + one.box[edge + 2] for one in view.placed)
            assert first < second
        for question, _ in QUESTIONS:
            made = question(random_, it)
            assert made is None or all(made)


def test_the_drawn_are_seen_by_the_same_picture():
    assert all(SEEN[name][0][0] == code for name, code in DRAWN.items())


def test_names_are_said_as_people_say_them():
    assert called("apple") == "an apple" and called("unicorn") == "a unicorn"
    assert called("jeans") == "some jeans" and called("bread") == "bread"
    assert plural("fox") == "foxes" and plural("mouse") == "mice" and plural("strawberry") == "strawberries"
    assert not countable("scissors") and not countable("cheese")
    assert not {name for name in SEEN_NAMES if name in synonyms(name)}


def test_nothing_is_refused_that_can_be_drawn():
    known = set(SEEN) | {word for name in SEEN for word in synonyms(name)}
    assert not set(say.UNSEEN) & known


def test_a_wish_says_what_the_hand_understands():
    assert (
        Wish("single small", ("dog",), ("a puppy",), "orange").caption
        == "a small puppy on an orange background"
    )
    assert Wish("two", ("fox",), ("a fox",), "blue").caption == "two foxes on a blue background"
    assert (
        Wish("beside left", ("cat", "dog"), ("a cat", "a dog"), "red").caption
        == "a cat to the right of a dog on a red background"
    )
