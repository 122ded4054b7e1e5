"""Interleaved generation with a language model that says what a script tells it to."""

from __future__ import annotations

import pytest
import torch
from textbind_trainer.generate import embed_prompt, first_words, reply
from textbind_trainer.model import QformerShape, load_model
from textbind_trainer.prompt import Pair
from tiny_parts import QUERIES, SHAPE
from transformers import AutoTokenizer


@pytest.fixture
def model(parts):
    return load_model(parts / "vision", parts / "language", QformerShape.from_json(SHAPE), None).eval()


@pytest.fixture
def tokenizer(parts):
    return AutoTokenizer.from_pretrained(parts / "language")


def scripted(model, tokenizer, text: str, monkeypatch) -> list[int]:
    """Make the model say ``text``; returns the cache length seen at each token."""
    ids = tokenizer.encode(text, add_special_tokens=False)
    said = iter(ids)
    lengths: list[int] = []
    real = model.language_model.model.forward

    def forward(*arguments, past_key_values, **rest):
        result = real(*arguments, past_key_values=past_key_values, **rest)
        lengths.append(past_key_values.get_seq_length())
        return result

    monkeypatch.setattr(model.language_model.model, "forward", forward)

    def logits(hidden):
        row = torch.zeros(1, len(tokenizer))
        row[0, next(said, tokenizer.eos_token_id)] = 1
        return row

    monkeypatch.setattr(model, "logits", logits)
    return lengths


def test_caption_is_forgotten_and_the_picture_stands_in_its_place(model, tokenizer, monkeypatch):
    lengths = scripted(model, tokenizer, "Here<start> a cat <end> Nice<|finish|>", monkeypatch)
    asked: list[str] = []

    def draw(caption: str) -> torch.Tensor:
        asked.append(caption)
        return torch.randn(1, 5, 24)

    answer = reply(model, tokenizer, [Pair("Draw", None)], None, draw)
    assert (answer.text, answer.captions, answer.finished) == ("Here<image> Nice", ["a cat"], True)
    assert asked == ["a cat"]
    prompt = lengths[0]
    here = len(tokenizer.encode("Here", add_special_tokens=False))
    caption = len(tokenizer.encode("<start> a cat ", add_special_tokens=False))
    after = prompt + here + caption
    # <end> is never fed: the next input is the picture, on the cache as it was before <start>.
    assert lengths[here + caption] == after
    assert lengths[here + caption + 1] == prompt + here + QUERIES


@pytest.mark.parametrize(
    ("said", "text", "captions", "finished"),
    [
        ("Hello<|finish|>", "Hello", [], True),
        ("Hi<end> there<|finish|>", "Hi<end> there", [], True),
        ("<start>" + " a" * 70, "", [], False),
    ],
)
def test_unusual_replies(model, tokenizer, monkeypatch, said, text, captions, finished):
    scripted(model, tokenizer, said, monkeypatch)
    answer = reply(model, tokenizer, [Pair("x", None)], None, None, 100)
    assert (answer.text, answer.captions, answer.finished) == (text, captions, finished)


def test_many_at_once_say_what_each_says_alone(model, tokenizer):
    """Left padding changes nothing: greedy tokens of a batch are those of single replies."""
    questions = ["Hi", "What is a cat on a blue background?", "Draw me"]
    prompts = [embed_prompt(model, tokenizer, [Pair(question, None)], None) for question in questions]
    together = first_words(model, tokenizer, prompts, 12)
    for question, answer in zip(questions, together, strict=True):
        alone = reply(model, tokenizer, [Pair(question, None)], None, None, 12)
        assert answer.text.removesuffix("<image>").strip() == alone.text.removesuffix("<image>").strip()
