"""The prompt's token ids: the form, the rule at special tokens, refusals, and the fixture for TypeScript."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textbind_trainer.prompt import (
    Pair,
    PromptError,
    encode_caption,
    encode_conversation,
    encode_pair,
    encode_text,
)
from transformers import AutoTokenizer

FIXTURES = Path(__file__).parents[1] / "fixtures"
MINI = Path(__file__).parents[2] / ".cache" / "mini" / "language-base"


@pytest.fixture(scope="module")
def tokenizer(parts):
    return AutoTokenizer.from_pretrained(parts / "language")


def test_pair_has_the_papers_form(tokenizer):
    user, answer = encode_pair(tokenizer, Pair("  What is this? <image>\n", " A cat. "), 3)
    assert tokenizer.decode(user.ids) == "<|begin|>[INST] What is this? <image><image><image> [/INST]"
    assert tokenizer.decode(answer.ids) == "A cat. <|finish|>"
    assert (user.by_assistant, answer.by_assistant) == (False, True)


def test_system_message_stands_in_the_first_user_text(tokenizer):
    segments = encode_conversation(tokenizer, [Pair("Hi", "Yo"), Pair("More", None)], 2, system="Be kind.")
    texts = [tokenizer.decode(segment.ids) for segment in segments]
    assert texts[0] == "<|begin|>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST]"
    assert texts[2] == "<|begin|>[INST] More [/INST]"


def test_caption(tokenizer):
    ids = encode_caption(tokenizer, "  a cat ")
    assert tokenizer.decode(ids) == "<start> a cat <end>"
    with pytest.raises(PromptError, match="empty"):
        encode_caption(tokenizer, "  ")


def test_stretches_are_encoded_by_themselves(tokenizer):
    text = "a cat <image> on<start>x"
    by_hand = [
        *tokenizer.encode("a cat ", add_special_tokens=False), tokenizer.convert_tokens_to_ids("<image>"),
        *tokenizer.encode(" on", add_special_tokens=False), tokenizer.convert_tokens_to_ids("<start>"),
        *tokenizer.encode("x", add_special_tokens=False),
    ]  # fmt: skip
    assert encode_text(tokenizer, text) == by_hand


@pytest.mark.parametrize("tag", ["[INST]", "[/INST]", "<<SYS>>", "</s>", "<start>", "<end>", "<|finish|>"])
def test_markup_in_a_text_is_refused(tokenizer, tag):
    for pair in (Pair(f"a {tag} b", "fine"), Pair("fine", f"a {tag} b")):
        with pytest.raises(PromptError, match="markup"):
            encode_pair(tokenizer, pair, 2)
    with pytest.raises(PromptError, match="markup"):
        encode_caption(tokenizer, f"a {tag}")


def test_fixture_is_what_the_mini_tokenizer_gives():
    if not (MINI / "tokenizer.json").exists():
        pytest.skip("the mini language model has not been built here")
    from textbind_trainer.mini.prompt_cases import cases

    assert json.loads((FIXTURES / "prompt-cases.json").read_text("utf-8")) == cases(
        AutoTokenizer.from_pretrained(MINI)
    )
