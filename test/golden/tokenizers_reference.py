"""Small tokenizers and their token ids, from sentencepiece, tokenizers and transformers themselves.

Called as ``python tokenizers_reference.py OUT_DIR``; writes three folders with a ``cases.json`` each (text, ids):

- ``llama``: a SentencePiece BPE model with byte fallback, trained as Llama's; ids by sentencepiece and our own
  reading of what transformers 4.31's slow tokenizer does at special tokens (``slow_ids``; its own results are in
  test/fixtures/llama-tokens). tokenizer.json in Llama 2's spelling (Prepend normaliser).
- ``llama-metaspace``: the same vocabulary in the later spelling (Metaspace pre-tokenizer, "first").
- ``llama-new``: the first with ``"legacy": false``.
- ``llama-model``: tokenizer.model alone, ``"legacy": false``.
- ``clip`` and ``clip-files``: transformers' CLIPTokenizer, as tokenizer.json and as vocab.json + merges.txt.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer
from transformers.tokenization_utils_base import generate_merges

CORPUS = [
    "What is in this picture? It shows a red apple on a blue background.",
    "Draw me a small dog, please. Here is a picture of a small dog on green grass:",
    "The quick brown fox jumps over the lazy dog; 12345 times, it's said, they've done so.",
    "Ein Bild von einem Hund. Une image d'un chat. Naïve façade, señor.",
    "[INST] Can you show me a cat? [/INST] Of course! What colour should it be?",
] * 20
SPECIAL = ["<image>", "<start>", "<end>", "<s>", "</s>"]
TEXTS = [
    "Hello",
    " leading space",
    "two  spaces and a tab\tand\nnew lines\n\n",
    "<s>[INST] What is in this picture?<image><image> [/INST]",
    "It shows a dog. </s>",
    "a<image>b <image> c",
    "emoji 🍎👩‍👩‍👧 and 漢字 and naïve",
    "<start> a red apple <end>",
    "",
    "   ",
    "it's they've 12345!!??",
    "\u2581 literal marker",
    "nul \u0000 and bell \u0007",
]
CLIP_TEXTS = [
    "a photo of a cat",
    "A Photo   of\nA CAT",
    "it's 12345 o'clock!!",
    "",
    "naïve façade 漢字 🍎",
    "e\u0301 composed",
    "word " * 100,
    "hyphen-ated, under_score; (brackets) #tag",
]


def train_sentencepiece(folder: Path) -> sentencepiece.SentencePieceProcessor:
    """A Llama-like SentencePiece model."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=450,
        byte_fallback=True,
        character_coverage=0.99,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))


def slow_ids(
    processor: sentencepiece.SentencePieceProcessor, special: dict[str, int], text: str, legacy: bool
) -> list[int]:
    """What LlamaTokenizer (slow, transformers 4.31) gives for ``text``; ``special``: ids of all its special tokens.

    Tokens that were added as plain strings (TextBind's) strip the white space beside them; begin, end and unknown
    token carry flags that say not to. With ``legacy`` false one marker is put before the whole text, and a stretch
    that is not its first loses the marker that sentencepiece puts before it, unless a space of its own follows.
    """
    if not legacy:
        text = "\u2581" + text.replace("\u2581", " ")
    parts = re.split("(" + "|".join(map(re.escape, special)) + ")", text)
    for place, part in enumerate(parts):
        if part in SPECIAL[:3]:
            parts[place - 1] = parts[place - 1].rstrip()
            parts[place + 1] = parts[place + 1].lstrip()
    ids: list[int] = []
    for place, part in enumerate(parts):
        if place % 2:
            ids.append(special[part])
        elif part and legacy:
            ids += processor.encode(part)
        elif part:
            first = part[0] == "\u2581"
            pieces = processor.encode(part[1:] if first else part, out_type=str)
            if not first and part[0] != " " and pieces[0][0] == "\u2581":
                pieces = [pieces[0][1:], *pieces[1:]] if len(pieces[0]) > 1 else pieces[1:]
            ids += [processor.piece_to_id(piece) for piece in pieces]
    return ids


def random_texts(count: int) -> list[str]:
    """Words, spaces of all kinds and special tokens in any order."""
    random_ = random.Random(5)
    bits = [*" ".join(CORPUS).split()[:80], *SPECIAL[:5], *SPECIAL[:3] * 6, " ", " ", "  ", "\n", "\t", "\u00a0", "\u2581"]
    bits += ["\u3000", "\ufeff", "\u0085", "\x1c", "\u200b", "e\u0301", "\U0001f34e", "\u6f22", "<0x0A>", "[INST]", "."]
    make = lambda: "".join(random_.choice(bits) + random_.choice(["", " "]) for _ in range(random_.randrange(1, 12)))
    return [make() for _ in range(count)]


def llama_json(processor: sentencepiece.SentencePieceProcessor, metaspace: bool) -> Tokenizer:
    """The vocabulary for tokenizer.json, in one of Llama's two spellings."""
    size = processor.vocab_size()
    vocabulary = {processor.id_to_piece(index): index for index in range(size)}
    scores = {
        piece: processor.get_score(index)
        for piece, index in vocabulary.items()
        if not (processor.is_byte(index) or processor.is_control(index) or processor.is_unknown(index))
    }
    merges = generate_merges(vocabulary, scores)
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    )
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
        )
    strip = decoders.Strip(content=" ", left=1)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), strip]
    )
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in ("<unk>", "<s>", "</s>")])
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in SPECIAL[:3]])
    return tokenizer


def write_llama(
    processor: sentencepiece.SentencePieceProcessor, folder: Path, metaspace: bool = False, legacy: bool | None = None
) -> None:
    """tokenizer.json, its configuration and the cases."""
    tokenizer = llama_json(processor, metaspace)
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": {"content": "<s>", "__type": "AddedToken"}, "eos_token": "</s>"}
    if legacy is not None:
        config["legacy"] = legacy
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf8")
    special = {name: tokenizer.token_to_id(name) for name in [*SPECIAL, "<unk>"]}
    cases = [
        {"text": text, "ids": slow_ids(processor, special, text, legacy is not False)}
        for text in [*TEXTS, *random_texts(2000)]
    ]
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf8")


def write_clip(out: Path) -> None:
    """A CLIP tokenizer in both kinds of folder, padded with ``!`` as SDXL's second is."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Lowercase()
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    trained.train_from_iterator(CORPUS, trainer)
    model = json.loads(trained.to_str())["model"]
    vocabulary: dict[str, int] = {}
    for token in [*alphabet, *(f"{letter}</w>" for letter in alphabet), *model["vocab"]]:
        vocabulary.setdefault(token, len(vocabulary))
    for token in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[token] = len(vocabulary)
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges, pad_token="!", model_max_length=77)
    texts = [{"text": text, "ids": tokenizer(text, padding="max_length", truncation=True).input_ids} for text in CLIP_TEXTS]
    whole = out / "clip"
    tokenizer.save_pretrained(whole)
    files = out / "clip-files"
    files.mkdir()
    (files / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf8")
    lines = ["#version: 0.2", *(" ".join(merge) for merge in merges)]
    (files / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf8")
    config = {"model_max_length": 77, "bos_token": {"content": "<|startoftext|>"}, "eos_token": "<|endoftext|>"}
    (files / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf8")
    (files / "special_tokens_map.json").write_text(json.dumps({"pad_token": "!"}), encoding="utf8")
    for folder in (whole, files):
        (folder / "cases.json").write_text(json.dumps(texts), encoding="utf8")


def main() -> None:
    """Write all folders."""
    out = Path(sys.argv[1])
    processor = train_sentencepiece(out)
    write_llama(processor, out / "llama")
    write_llama(processor, out / "llama-metaspace", metaspace=True)
    write_llama(processor, out / "llama-new", legacy=False)
    write_llama(processor, out / "llama-model", legacy=False)
    (out / "llama-model" / "tokenizer.json").unlink()
    shutil.copyfile(out / "tokenizer.model", out / "llama-model" / "tokenizer.model")
    write_clip(out)


if __name__ == "__main__":
    main()
