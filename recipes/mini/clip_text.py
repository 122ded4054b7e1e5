"""The two text encoders of the image decoder and their tokenizers, of the kinds that SDXL uses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from .objects import NAMES
from .pictures import BACKGROUNDS, with_article

MAX_LENGTH = 77
START, END = "<|startoftext|>", "<|endoftext|>"
# How CLIP cuts a text into words before merging (its published tokenizer's rule).
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def corpus() -> list[str]:
    """Texts that make every word of the captions frequent enough to become one token."""
    texts = []
    for name in NAMES:
        for background in BACKGROUNDS:
            shown, behind = with_article(name), with_article(f"{background} background")
            texts += [
                f"{shown} on {behind}",
                f"a picture of {shown} in front of {behind}",
                f"{with_article(f'large {name}')}, with {behind} behind it",
                f"{shown} and a small {name} beside it on {behind}",
                f"a small {name} to the left of {shown}, to the right",
                f"draw a photo of the {name} please.",
            ]
    return texts


def learn_merges(texts: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """Byte-pair merges in the order learned, in CLIP's alphabet with its end-of-word mark."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=limit,
        min_frequency=2,
        end_of_word_suffix="</w>",
        show_progress=False,
        initial_alphabet=list(bytes_to_unicode().values()),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def write_tokenizers(folder: Path, texts: Iterable[str] | None = None, limit: int = 4096) -> int:
    """Write folder/tokenizer and folder/tokenizer_2; returns the vocabulary's size.

    Vocabulary in CLIP's order: bytes, bytes that end a word, merges, the two marks; so every
    text encodes, through single bytes if need be. As in SDXL the first pads with the end mark,
    the second with "!" (id 0).
    """
    merges = learn_merges(texts or corpus(), limit)
    alphabet = list(bytes_to_unicode().values())
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    tokens += [token for token in dict.fromkeys("".join(pair) for pair in merges) if token not in set(tokens)]
    tokens += [START, END]
    for name, padding in (("tokenizer", END), ("tokenizer_2", "!")):
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        vocabulary = {token: index for index, token in enumerate(tokens)}
        (target / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        (target / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        CLIPTokenizer(
            str(target / "vocab.json"),
            str(target / "merges.txt"),
            unk_token=END,
            bos_token=START,
            eos_token=END,
            pad_token=padding,
            model_max_length=MAX_LENGTH,
        ).save_pretrained(target)
        special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": padding}
        (target / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
        if not (target / "vocab.json").exists():
            (target / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
            (target / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(tokens)


def text_config(
    vocabulary: int, hidden: int, layers: int, heads: int, act: str, projection: int, pad: int
) -> CLIPTextConfig:
    """A text encoder's configuration; the marks are the last two tokens."""
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=MAX_LENGTH,
        hidden_act=act,
        projection_dim=projection,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=pad,
    )


def build(vocabulary: int) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """New text encoders: hidden sizes 96 and 128, as SDXL's pair differ in size and activation."""
    first = CLIPTextModel(text_config(vocabulary, 96, 4, 4, "quick_gelu", 128, vocabulary - 1))
    second = CLIPTextModelWithProjection(text_config(vocabulary, 128, 4, 4, "gelu", 128, 0))
    return first, second


def encode(tokenizer: CLIPTokenizer, texts: list[str], full: bool = False) -> torch.Tensor:
    """[batch, length] ids; padded to 77 as the pipeline does (full) or to the longest text.

    Both give the same pooled states, since attention is causal.
    """
    return tokenizer(
        texts,
        padding="max_length" if full else "longest",
        max_length=MAX_LENGTH,
        truncation=True,
        return_tensors="pt",
    ).input_ids
