"""Stage 1's data: pictures with captions, in tars, folders, tables, lists and parquet files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .blend import Endless, ShuffledShards, blended
from .config import data_parts
from .data import Question, Sample, Tokens
from .faults import TrainerError
from .formats import Shard, TarShard, shards, tar_paths
from .images import decode_image
from .pairs import PairRow
from .prompt import IMAGE, Pair, check_text, unsafe_tags
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


def _tars(patterns: str | list[str], base: Path) -> list[Shard]:
    tars = tar_paths(patterns, base)
    missing = [tar for tar in tars if not tar.is_file()]
    if missing or not tars:
        raise TrainerError("data", f"{missing[0] if missing else 'data.tars'}: no such tar")
    return [TarShard(tar) for tar in tars]


class Captions:
    """Stage 1: picture-caption pairs (WebDataset tars with jpg, png or webp, txt, json; or any format of ``pairs``)."""

    def __init__(
        self, data: dict[str, Any], tokens: Tokens, processor: View, seed: int, on_skip: Callable[[str], None]
    ):
        self._base = Path(data["base"])
        self.sequence = self._read(data, "tars", "pairs", seed, data.get("samplesPerEpoch"))
        self.samples_per_epoch = data.get("samplesPerEpoch") or self.sequence.samples_per_epoch
        held = data.get("validationTars") or data.get("validationPairs")
        self._held = self._read(data, "validationTars", "validationPairs", seed, None) if held else None
        wanted = data.get("validationSamples", 256)
        self._held_count = min(wanted, self._held.samples_per_epoch) if self._held else 0
        self.tokens, self.processor, self.seed, self.on_skip = tokens, processor, seed, on_skip
        self._tags = unsafe_tags(tokens.tokenizer)

    def _read(
        self, data: dict[str, Any], tars: str, pairs: str, seed: int, per_epoch: int | None
    ) -> Endless[PairRow]:
        """The tars, if there are any, are the first part of the blend."""
        listed: list[tuple[list[Shard], float]] = []
        if data.get(tars):
            listed.append((_tars(data[tars], self._base), 1.0))
        for part in data_parts(data, pairs):
            images = self._base / part.images if part.images else None
            listed.append((shards(self._base / part.path, images, part.format), part.weight))
        # Of a blend the sizes must be known; alone, tars need not be counted where the run file says how long an epoch is.
        alone = per_epoch if len(listed) == 1 else None
        return blended(
            [weight for _, weight in listed],
            seed,
            lambda part, own: ShuffledShards(listed[part][0], own, alone),
        )

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

    def questions(self) -> Iterator[Question]:
        """The request for each held-back picture's caption, and the caption."""
        for position in range(self._held_count if self._held is not None else 0):
            assert self._held is not None
            try:
                caption, picture = self._held[position].load()
                decode_image(picture)
            except (ValueError, OSError):
                continue
            yield Question(random.Random(position).choice(TEMPLATES), [picture], wanted=caption)

    def _build(self, row: PairRow, random_: random.Random) -> Sample | None:
        try:
            caption, picture = row.load()
            check_text(caption, (*self._tags, IMAGE), "txt")
            pixels = self.processor.look(picture)
        except (ValueError, OSError) as error:
            self.on_skip(f"{row.file.name}, {row.key}: {error}")
            return None
        template = random_.choice(TEMPLATES)
        example = self.tokens.example([Pair(template, caption)], [])
        return Sample(example, [pixels])
