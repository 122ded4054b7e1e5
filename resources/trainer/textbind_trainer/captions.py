"""Stage 1's data: pictures with captions in WebDataset tars."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .data import Sample, Tokens
from .prompt import IMAGE, Pair, check_text, unsafe_tags
from .tars import TarSample, TarSequence, expand_braces
from .views import View

_REQUESTS = (
    "Describe the picture in a few words.",
    "Give a short description of this picture.",
    "What does the picture show, in short?",
    "Write a brief caption for this image.",
    "Summarise this image in one line.",
    "Say briefly what can be seen here.",
    "Provide a short caption.",
    "What is in this image? Keep it short.",
    "Tell me in a few words what this shows.",
    "Caption this picture.",
)
TEMPLATES = tuple([f"{IMAGE} {text}" for text in _REQUESTS] + [f"{text} {IMAGE}" for text in _REQUESTS])
"""The 20 requests of stage 1: ten wordings, the picture in front or behind."""


def tar_paths(patterns: str | list[str], base: Path) -> list[Path]:
    """The files of one or more patterns such as ``cc/{00000..01254}.tar``."""
    listed = [patterns] if isinstance(patterns, str) else patterns
    return [base / name for pattern in listed for name in expand_braces(pattern)]


def caption_and_picture(row: TarSample) -> tuple[str, bytes]:
    """A row's caption, stripped, and the bytes of its picture. ValueError says what is missing."""
    ending = row.picture_ending()
    if ending is None:
        raise ValueError("no picture")
    if "txt" not in row.parts:
        raise ValueError("no txt")
    caption = row.read("txt").decode("utf-8").strip()
    if not caption:
        raise ValueError("the caption is empty")
    return caption, row.read(ending)


class CaptionTars:
    """Stage 1: picture-caption pairs in WebDataset tars (jpg / png / webp, txt, json)."""

    def __init__(
        self, data: dict[str, Any], tokens: Tokens, processor: View, seed: int, on_skip: Callable[[str], None]
    ):
        base = Path(data["base"])
        self.sequence = TarSequence(tar_paths(data["tars"], base), seed, data.get("samplesPerEpoch"))
        self.samples_per_epoch = self.sequence.samples_per_epoch
        held = data.get("validationTars")
        self._held = TarSequence(tar_paths(held, base), seed) if held else None
        wanted = data.get("validationSamples", 256)
        self._held_count = min(wanted, self._held.samples_per_epoch) if self._held else 0
        self.tokens, self.processor, self.seed, self.on_skip = tokens, processor, seed, on_skip
        self._tags = unsafe_tags(tokens.tokenizer)

    def pictures(self) -> int:
        """One a sample of an epoch, and of the held-back ones."""
        return self.samples_per_epoch + self._held_count

    def sample(self, position: int) -> Sample | None:
        """The sample at a position of the run."""
        return self._build(self.sequence[position], random.Random(f"{self.seed} template {position}"))

    def validation(self) -> Iterator[Sample]:
        """The held-back samples."""
        if self._held is None:
            return
        for position in range(self._held_count):
            built = self._build(self._held[position], random.Random(position))
            if built:
                yield built

    def _build(self, row: TarSample, random_: random.Random) -> Sample | None:
        try:
            caption, picture = caption_and_picture(row)
            check_text(caption, (*self._tags, IMAGE), "txt")
            pixels = self.processor.look(picture)
        except (ValueError, OSError) as error:
            self.on_skip(f"{row.tar.name}, {row.key}: {error}")
            return None
        template = random_.choice(TEMPLATES)
        example = self.tokens.example([Pair(template, caption)], [])
        return Sample(example, [pixels])
