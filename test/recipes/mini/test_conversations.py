"""The generated conversations: true, in the schema, varied, and drawn only when asked."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textbind_trainer.data import check_conversation

from recipes.mini import wordings as say
from recipes.mini.conversations import Bank, State, conversation
from recipes.mini.objects import NAMES
from recipes.mini.pictures import fetch_pictures

RAW = Path(__file__).parents[3] / ".cache" / "mini" / "raw"
TALK = [{"question": "What is tea?", "answer": "A drink."}]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    try:
        pictures = fetch_pictures(RAW)
    except (RuntimeError, OSError) as error:
        pytest.skip(f"the picture package cannot be fetched: {error}")
    images = tmp_path_factory.mktemp("images")
    random_ = random.Random(0)
    bank = Bank(pictures, images, "training", random_, 400)
    return images, [conversation(State(random_, bank, TALK)) for _ in range(250)]


def test_every_row_passes_the_check_of_stage_2(rows):
    images, conversations = rows
    for number, row in enumerate(conversations):
        check_conversation(row, number, "made", images, ("[INST]", "</s>"))


def test_captions_say_what_the_file_shows(rows):
    _, conversations = rows
    for row in conversations:
        for turn in row["conversation"]:
            for file, caption in zip(turn["image_list"], turn["caption_list"], strict=True):
                shown = file.removesuffix(".png").split("-", 2)[2].replace("-", " ")
                assert shown in caption or any(strange in caption for strange in say.UNSEEN)


def test_assistant_draws_only_when_asked(rows):
    _, conversations = rows
    wordings = [*say.DRAW, *say.DRAW_AGAIN_BACKGROUND, *say.DRAW_INSTEAD, *say.DRAW_LIKE]
    fixed = [
        [part.strip(" .?,:").lower() for part in words.replace("{a}", "{}").replace("{c}", "{}").split("{}")]
        for words in wordings
    ]
    for row in conversations:
        for user, assistant in zip(row["conversation"][::2], row["conversation"][1::2], strict=True):
            if assistant["image_list"]:
                text = user["content"].lower()
                assert any(all(part in text for part in parts) for parts in fixed), text


def test_no_unseen_object_has_a_picture():
    assert not set(say.UNSEEN) & set(NAMES)


def test_wordings_vary(rows):
    _, conversations = rows
    asked = [turn["content"] for row in conversations for turn in row["conversation"][::2]]
    assert len(set(asked)) > 0.8 * len(asked)
