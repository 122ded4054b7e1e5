"""The token ids that training gives a conversation: what ``textbind tokens --trainer`` prints.

Run: ``python -m textbind_trainer.tokens --model DIR --conversation IN.json``; one JSON object on standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .faults import TrainerError
from .prompt import Pair, PromptError, encode_conversation
from .tokenizer import load_tokenizer


def pairs_of(turns: list[dict[str, Any]]) -> tuple[str | None, list[Pair]]:
    """(system message, pairs) of turns in the TextBind schema whose last is the user's. PromptError if they are not."""
    system = turns[0]["content"] if turns and turns[0]["role"] == "system" else None
    said = turns if system is None else turns[1:]
    expected = ["assistant" if index % 2 else "user" for index in range(len(said))]
    if not said or [turn["role"] for turn in said] != expected or len(said) % 2 == 0:
        raise PromptError("conversation: user and assistant must alternate, the last turn the user's")
    texts = [turn["content"] for turn in said]
    answers = [*texts[1::2], None]
    return system, [Pair(user, answer) for user, answer in zip(texts[::2], answers, strict=True)]


def prompt_ids(model: Path, conversation: Path) -> list[int]:
    """Ids up to where the reply begins. TrainerError("data" or "config") names the file that is wrong."""
    try:
        manifest = json.loads((model / "textbind.json").read_text(encoding="utf-8"))
        language = model / manifest["languageModel"]
        queries = int(manifest["qformerConfig"]["numQueryTokens"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainerError("config", f"{model / 'textbind.json'}: {error!r}") from error
    try:
        turns = json.loads(conversation.read_text(encoding="utf-8"))["conversation"]
        system, pairs = pairs_of(turns)
        segments = encode_conversation(load_tokenizer(language), pairs, queries, system)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainerError("data", f"{conversation}: {error}") from error
    return [token for segment in segments for token in segment.ids]


def main(argv: list[str] | None = None) -> int:
    """Command line: 0, or 2 with one line on standard error."""
    parser = argparse.ArgumentParser(description="Token ids of a conversation, as in training")
    parser.add_argument("--model", type=Path, required=True, help="folder with textbind.json")
    parser.add_argument("--conversation", type=Path, required=True, help="JSON in the TextBind schema")
    arguments = parser.parse_args(argv)
    try:
        ids = prompt_ids(arguments.model, arguments.conversation)
    except TrainerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps({"ids": ids}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
