"""Writes test/fixtures/prompt-cases.json: conversations with their token ids, which the TypeScript engine must match."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from textbind_trainer.prompt import Pair, encode_caption, encode_conversation
from textbind_trainer.tokenizer import AnyTokenizer

from .shape import SHAPE

CASES: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("one user turn", None, ("What is the capital of France?",)),
    ("one pair", None, ("What is the capital of France?", "The capital of France is Paris.")),
    ("picture behind the words", None, ("What is this? <image>",)),
    ("picture in front of the words", None, ("<image> What is this?",)),
    ("picture inside the words", None, ("I took this <image> yesterday. Do you like it?",)),
    ("picture without a space", None, ("Look:<image>Nice?",)),
    ("picture alone", None, ("<image>",)),
    ("two pictures together", None, ("<image><image>\nWhich is larger?",)),
    ("assistant draws", None, ("Draw a cat.", "Here is a picture of a cat: <image>", "What did you draw?")),
    (
        "drawn in the middle",
        None,
        ("Show me a dog, please", "Of course! <image> Is that what you meant?", "Yes", "Good."),
    ),
    ("three pairs", None, ("Hi", "Hello!", "<image> Name it", "It is a red apple.", "And its colour?")),
    ("system message", "You are a kind painter.", ("Hello", "Good day.", "Draw a house.")),
    ("system message with a picture", "Be brief.", ("<image>\nDescribe.",)),
    ("white space around", None, ("  \n Hello there \t ", "  Hi.  ", " again ")),
    ("white space inside", None, ("a  b   c\n\n\nd\te",)),
    ("digits", None, ("In 1969 and 2024: 3.14159 * 1,000,000 = ?", "About 3141590.")),
    ("accents and other scripts", None, ("Café über naïve: 你好, привет, שלום, مرحبا", "日本語もどうぞ。")),
    ("emoji and combining marks", None, ("👩‍👩‍👧 e\u0301 🇩🇪 😀",)),
    (
        "contractions and code",
        None,
        ("It's what they're: `if (a<b) {return x_1;}`", "That's `f(x)`, I'd say."),
    ),
    ("like markup but none", None, ("[inst] <imag> <Image> < image> [ INST ] </ s>", "<starts> (end)")),
    ("repeated signs", None, ("!!!??? ----- ...... ######## ====", "~~~~")),
    ("upper case and long word", None, ("ANTIDISESTABLISHMENTARIANISM aaaaaaaaaaaaaaaaaaaaaaaa", "Ok.")),
)
CAPTIONS = (
    "a cat on a blue background",
    "an apple, with a green background behind it",
    "  a small key  ",
    "Café in 1920",
)


def cases(tokenizer: AnyTokenizer) -> dict[str, Any]:
    """The fixture's content."""
    rows = []
    for name, system, texts in CASES:
        pairs = [
            Pair(user, texts[index * 2 + 1] if index * 2 + 1 < len(texts) else None)
            for index, user in enumerate(texts[::2])
        ]
        segments = encode_conversation(tokenizer, pairs, SHAPE.num_query_tokens, system)
        turns = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]
        ids = [token for segment in segments for token in segment.ids]
        rows.append({"name": name, "system": system, "conversation": turns, "ids": ids})
    captions = [{"caption": caption, "ids": encode_caption(tokenizer, caption)} for caption in CAPTIONS]
    return {"numQueryTokens": SHAPE.num_query_tokens, "cases": rows, "captions": captions}


def main(argv: list[str] | None = None) -> int:
    """Command: write the fixture from a tokenizer folder."""
    from transformers import AutoTokenizer

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    content = cases(AutoTokenizer.from_pretrained(arguments.language))
    # One line a case: the ids are long and nobody reads them one below the other.
    lines = [json.dumps(row, ensure_ascii=False) for row in content["cases"]]
    captions = [json.dumps(row, ensure_ascii=False) for row in content["captions"]]
    text = (
        f'{{\n"numQueryTokens": {content["numQueryTokens"]},\n"cases": [\n' + ",\n".join(lines)
        + '\n],\n"captions": [\n' + ",\n".join(captions) + "\n]\n}\n"
    )  # fmt: skip
    arguments.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
