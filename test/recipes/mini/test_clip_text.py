"""The tokenizers take any text, know every caption word, and are in the form that transformers reads."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import CLIPTokenizer

from recipes.mini import clip_text
from recipes.mini.objects import NAMES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("text")
    clip_text.write_tokenizers(target)
    return target


@pytest.fixture(scope="module")
def tokenizer(folder):
    return CLIPTokenizer.from_pretrained(folder / "tokenizer")


def test_round_trip(tokenizer):
    text = "a fire truck on a blue background"
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True).strip() == text


def test_lower_cases_and_marks(tokenizer):
    ids = tokenizer("A CAT").input_ids
    assert ids == tokenizer("a cat").input_ids
    assert (ids[0], ids[-1]) == (len(tokenizer) - 2, len(tokenizer) - 1)


def test_every_object_word_is_one_token(tokenizer):
    words = {word for name in NAMES for word in name.split()}
    assert [word for word in sorted(words) if len(tokenizer(word).input_ids) != 3] == []


@pytest.mark.parametrize("text", ["zyzzyva qux", "Ünïcode", "東京", "🦊", "x9!?", ""])
def test_unknown_words_encode_as_pieces(tokenizer, text):
    ids = tokenizer(text).input_ids
    assert len(tokenizer) - 1 not in ids[1:-1], "an unknown piece became the unknown mark"
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.lower().replace(" ", "")


def test_the_two_pad_as_in_sdxl(folder, tokenizer):
    second = CLIPTokenizer.from_pretrained(folder / "tokenizer_2")
    assert tokenizer.pad_token_id == len(tokenizer) - 1
    assert second.pad_token_id == 0
    assert clip_text.encode(second, ["a cat"], full=True).shape == (1, 77)


def test_clips_own_files_are_there_and_consistent(folder):
    vocabulary = json.loads((folder / "tokenizer" / "vocab.json").read_text())
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    for line in (folder / "tokenizer" / "merges.txt").read_text().splitlines()[1:]:
        assert "".join(line.split(" ")) in vocabulary
    whole = json.loads((folder / "tokenizer" / "tokenizer.json").read_text())
    assert whole["model"]["vocab"] == vocabulary


def test_pooled_state_does_not_depend_on_padding(tokenizer):
    torch.manual_seed(0)
    first, second = clip_text.build(len(tokenizer))
    short, full = (
        clip_text.encode(tokenizer, ["a cat on a red background"], full=full) for full in (False, True)
    )
    with torch.no_grad():
        assert torch.allclose(second.eval()(short).text_embeds, second(full).text_embeds, atol=1e-5)
        assert torch.allclose(first.eval()(short).pooler_output, first(full).pooler_output, atol=1e-5)
