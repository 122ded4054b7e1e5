"""What the Q-Former's 32 outputs are to say: the caption, and behind it a list whose every entry has its own place.

In a caption the second thing stands where the first one's name lets it stand, and each output is computed beside the others,
not after them: outputs that had learned captions alone said both names of two things in none of 40 scenes. In the list the
outputs know what they are for: how many things there are, the left or upper one, the right or lower one, a third.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import torch
from textbind_trainer.tokenizer import AnyTokenizer, language_tokenizer
from torch import Tensor

from .album import STRANGER_CAPTIONS
from .seen import SEEN_NAMES, called, countable, plural
from .shape import SHAPE
from .views import BACKGROUND_NAMES, NUMBERS

CAPTION = 16
"""Outputs for the caption; the others are the list's."""
WIDTHS = (1, 1, 4, 1, 4, 1, 4)
"""Tokens of each entry: number, place, name, place, name, "and", name."""
NAMED = tuple(slice(CAPTION + sum(WIDTHS[:entry]), CAPTION + sum(WIDTHS[: entry + 1])) for entry in (2, 4, 6))
"""The outputs of each of the three names."""
FIRST, SECOND = NAMED[:2]
PLACES = {
    " and ": ("left", "right"),
    " above ": ("top", "bottom"),
    " to the left of ": ("left", "right"),
    " to the right of ": ("right", "left"),
}
_BEHIND = re.compile(r" on an? \w+ background$")


@functools.cache
def _names() -> dict[str, str]:
    """'a cat' -> 'cat'."""
    return {called(name): name for name in SEEN_NAMES}


@functools.cache
def _several() -> dict[str, tuple[str, str]]:
    """'two cats' -> ('two', 'cat')."""
    kinds = [name for name in SEEN_NAMES if countable(name)]
    return {f"{number} {plural(name)}": (number, name) for number in NUMBERS[2:] for name in kinds}


def _apart(phrase: str) -> tuple[str, list[str]]:
    """(what joins them, names) of 'a cat, a dog and a bow and arrow'; nothing joins a phrase that names no two things."""
    named = _names()
    for joint in PLACES:
        for found in re.finditer(joint, phrase):
            pieces = [*phrase[: found.start()].split(", "), phrase[found.end() :]]
            if all(piece in named for piece in pieces):
                return joint, [named[piece] for piece in pieces]
    return "", [named.get(phrase, re.sub(r"^(an?|some) ", "", phrase))]


def listed(caption: str) -> tuple[str, ...]:
    """The entries of a caption's list; '' where there is none."""
    phrase = _BEHIND.sub("", caption)
    if phrase == caption and caption.startswith("a "):  # a photograph or a screenshot
        return ("no", "", caption.split()[1], "", "", "", "")
    if phrase in _several():
        number, name = _several()[phrase]
        return (number, "", name, "", "", "", "")
    joint, names = _apart(phrase)
    number = NUMBERS[min(len(names), len(NUMBERS) - 1)]
    if len(names) == 1:
        return (number, "", names[0], "", "", "", "")
    first, second = PLACES[joint] if len(names) == 2 else ("", "")
    third = ("and", names[2]) if len(names) > 2 else ("", "")
    return (number, first, names[0], second, names[1], *third)


def kind_of(caption: str) -> int:
    """0: one thing or a stranger, 1: several of a kind, 2: two in their places, 3: more."""
    number, first, _, _, second, *_ = listed(caption)
    if second:
        return 2 if first else 3
    return int(number in NUMBERS[2:])


def target_ids(tokenizer: AnyTokenizer, captions: Sequence[str]) -> Tensor:
    """[captions, 32]: the caption's tokens and the list's, cut to their room or filled up with newlines."""
    tokenizer = language_tokenizer(tokenizer)
    (filler,) = tokenizer.encode("\n", add_special_tokens=False)

    def room(words: str, width: int) -> list[int]:
        ids = tokenizer.encode(f" {words}", add_special_tokens=False) if words else []
        return (ids + [filler] * width)[:width]

    rows = []
    for caption in captions:
        row = room(f"{caption}.", CAPTION)
        for words, width in zip(listed(caption), WIDTHS, strict=True):
            row += room(words, width)
        rows.append(row)
    targets = torch.tensor(rows)
    if targets.shape[1] != SHAPE.num_query_tokens:
        raise ValueError(f"{targets.shape[1]} targets for {SHAPE.num_query_tokens} queries")
    return targets


def vocabulary(tokenizer: AnyTokenizer) -> Tensor:
    """Every token id that targets of views and strangers have, in order."""
    captions = [f"{called(name)} on a white background" for name in SEEN_NAMES]
    captions += [f"{phrase} on an orange background" for phrase in _several()]
    captions += [f"a cat, a dog and an owl on a {colour} background" for colour in BACKGROUND_NAMES]
    captions += [f"a cat{joint}a dog on a white background" for joint in PLACES]
    return torch.unique(target_ids(tokenizer, [*captions, *STRANGER_CAPTIONS.values()]))
