"""The prompt's token ids: the form, the rule at special tokens, refusals, and the fixture for TypeScript."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from textbind_trainer.faults import TrainerError
from textbind_trainer.prompt import (
    Pair,
    PromptError,
    encode_caption,
    encode_conversation,
    encode_pair,
    encode_text,
)
from textbind_trainer.tokenizer import load_tokenizer
from transformers import AutoTokenizer

FIXTURES = Path(__file__).parents[1] / "fixtures"
MINI = Path(__file__).parents[2] / "models" / "textbind-mini" / "language"


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
    """A byte-level vocabulary keeps the spaces beside special tokens: the embedded model was trained so."""
    text = "a cat <image> on<start>x"
    by_hand = [
        *tokenizer.encode("a cat ", add_special_tokens=False), tokenizer.convert_tokens_to_ids("<image>"),
        *tokenizer.encode(" on", add_special_tokens=False), tokenizer.convert_tokens_to_ids("<start>"),
        *tokenizer.encode("x", add_special_tokens=False),
    ]  # fmt: skip
    assert encode_text(tokenizer, text) == by_hand


SHARED = json.loads((FIXTURES / "llama-tokens" / "cases.json").read_text("utf-8"))


@pytest.fixture(params=["tokenizer.json", "tokenizer.model"])
def llama(request, tmp_path):
    """Opens the shared SentencePiece tokenizer with either value of ``legacy``, from either file."""

    def opened(legacy: bool | None):
        shutil.copy(FIXTURES / "llama-tokens" / request.param, tmp_path)
        fields = {} if legacy is None else {"legacy": legacy}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(fields))
        return load_tokenizer(tmp_path)

    return opened


@pytest.mark.parametrize("cases", SHARED["of"], ids=lambda cases: f"legacy={cases['legacy']}")
def test_ids_are_those_of_the_slow_tokenizer(cases, llama):
    """Ids that transformers 4.31's own slow tokenizer gave; the engine is held to the same file."""
    tokenizer = llama(cases["legacy"])
    for case in cases["texts"]:
        assert encode_text(tokenizer, case["text"]) == case["ids"], case["text"]
    for case in cases["captions"]:
        assert encode_caption(tokenizer, case["caption"]) == case["ids"], case["caption"]
    for case in cases["prompts"]:
        texts = case["texts"]
        pairs = [Pair(user, *(texts[2 * i + 1 : 2 * i + 2] or [None])) for i, user in enumerate(texts[::2])]
        segments = encode_conversation(tokenizer, pairs, SHARED["numQueryTokens"], case["system"])
        assert [token for segment in segments for token in segment.ids] == case["ids"], texts


@pytest.mark.parametrize("legacy", [True, False, None])
def test_random_texts_are_encoded_as_by_an_independent_reading(legacy, llama):
    sys.path.insert(0, str(FIXTURES.parent / "golden"))
    from sentencepiece import SentencePieceProcessor
    from tokenizers_reference import random_texts, slow_ids

    processor = SentencePieceProcessor(model_file=str(FIXTURES / "llama-tokens" / "tokenizer.model"))
    special = {"<unk>": 0, "<s>": 1, "</s>": 2, "<image>": 450, "<start>": 451, "<end>": 452}
    tokenizer = llama(legacy)
    for text in random_texts(2000):
        assert encode_text(tokenizer, text) == slow_ids(processor, special, text, legacy is not False), text


def test_decoding_gives_the_words_back(llama):
    tokenizer = llama(True)
    assert tokenizer.decode(encode_text(tokenizer, "Look: <image> Na\u00efve \U0001f34e")) == (
        "Look:<image> Na\u00efve \U0001f34e"
    )


def test_half_a_character_is_refused_by_name(tokenizer):
    with pytest.raises(PromptError, match=r"user turn: character 2 is a lone surrogate \(U\+D83C\)"):
        encode_pair(tokenizer, Pair("ab\ud83c", None), 2)


def test_a_folder_without_a_tokenizer_is_named(tmp_path):
    with pytest.raises(TrainerError, match="neither tokenizer.json nor tokenizer.model"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Unigram"}}')
    with pytest.raises(TrainerError, match="tokenizer.json: model.type"):
        load_tokenizer(tmp_path)
    shutil.copy(FIXTURES / "llama-tokens" / "cases.json", tmp_path / "tokenizer.model")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(TrainerError, match="tokenizer.model: not a SentencePiece model"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("tag", ["[INST]", "[/INST]", "<<SYS>>", "</s>", "<start>", "<end>", "<|finish|>"])
def test_markup_in_a_text_is_refused(tokenizer, tag):
    for pair in (Pair(f"a {tag} b", "fine"), Pair("fine", f"a {tag} b")):
        with pytest.raises(PromptError, match="markup"):
            encode_pair(tokenizer, pair, 2)
    with pytest.raises(PromptError, match="markup"):
        encode_caption(tokenizer, f"a {tag}")


def test_fixture_is_what_the_mini_tokenizer_gives():
    """The embedded model was trained with these ids."""
    shared = json.loads((FIXTURES / "prompt-cases.json").read_text("utf-8"))
    tokenizer = load_tokenizer(MINI)
    for case in shared["cases"]:
        texts = [turn["content"] for turn in case["conversation"]]
        pairs = [Pair(user, *(texts[2 * i + 1 : 2 * i + 2] or [None])) for i, user in enumerate(texts[::2])]
        segments = encode_conversation(tokenizer, pairs, shared["numQueryTokens"], case["system"])
        assert [token for segment in segments for token in segment.ids] == case["ids"], case["name"]
    for case in shared["captions"]:
        assert encode_caption(tokenizer, case["caption"]) == case["ids"]
