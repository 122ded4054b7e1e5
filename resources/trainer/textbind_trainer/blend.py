"""Endless, exactly repeatable sequences of rows: position n of a run is a pure function of (seed, n).

So a run resumes at a position without any stored reader state, and the number of processes does not change which samples
a step sees.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from .faults import TrainerError
from .formats import Shard
from .pairs import PairRow
from .tars import SHARDS_SHUFFLED_TOGETHER

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)


class Endless(Protocol[Row_co]):
    """``sequence[position]`` for any position from 0 on; ``samples_per_epoch`` rows are a pass."""

    samples_per_epoch: int

    def __getitem__(self, position: int) -> Row_co: ...


class ShuffledRows(Generic[Row]):
    """Rows in memory, shuffled anew each pass."""

    def __init__(self, rows: Sequence[Row], seed: int | str):
        self.rows, self.seed = rows, seed
        self.samples_per_epoch = len(rows)
        self._order: tuple[int, list[int]] | None = None

    def __getitem__(self, position: int) -> Row:
        number, index = divmod(position, self.samples_per_epoch)
        if self._order is None or self._order[0] != number:
            order = list(range(self.samples_per_epoch))
            random.Random(f"{self.seed} epoch {number}").shuffle(order)
            self._order = (number, order)
        return self.rows[self._order[1][index]]


class ShuffledShards:
    """Stage 1's shards: shuffled per pass, taken in groups, and the rows of a group shuffled together."""

    def __init__(self, shards: Sequence[Shard], seed: int | str, samples_per_epoch: int | None = None):
        self.shards, self.seed = list(shards), seed
        self._sizes: dict[int, int] = {}
        # Counting 1,255 big tars takes long: a run that says how long its epoch is needs no count beforehand.
        self.samples_per_epoch = samples_per_epoch or sum(map(self._size, range(len(self.shards))))
        self._groups: list[tuple[int, list[int]]] = []  # (first position, shards), grown as needed
        self._next_position, self._passes = 0, 0
        self._shuffled: tuple[int, list[PairRow]] | None = None

    def _size(self, shard: int) -> int:
        if shard not in self._sizes:
            self._sizes[shard] = self.shards[shard].size
        return self._sizes[shard]

    def _grow(self) -> None:
        order = list(range(len(self.shards)))
        random.Random(f"{self.seed} pass {self._passes}").shuffle(order)
        for start in range(0, len(order), SHARDS_SHUFFLED_TOGETHER):
            group = order[start : start + SHARDS_SHUFFLED_TOGETHER]
            self._groups.append((self._next_position, group))
            self._next_position += sum(self._size(shard) for shard in group)
        self._passes += 1

    def __getitem__(self, position: int) -> PairRow:
        while position >= self._next_position:
            self._grow()
        number = max(i for i, (first, _) in enumerate(self._groups) if first <= position)
        if self._shuffled is None or self._shuffled[0] != number:
            rows = [row for shard in self._groups[number][1] for row in self.shards[shard].rows()]
            random.Random(f"{self.seed} group {number}").shuffle(rows)
            self._shuffled = (number, rows)
        return self._shuffled[1][position - self._groups[number][0]]


class Blend(Generic[Row]):
    """Several sequences as one. An epoch takes ``weight`` passes of each, mixed; the next goes on where it stopped."""

    def __init__(self, parts: Sequence[tuple[Endless[Row], float]], seed: int | str):
        self.seed = seed
        self.parts = [sequence for sequence, _ in parts]
        self.shares = [max(1, round(weight * sequence.samples_per_epoch)) for sequence, weight in parts]
        self.samples_per_epoch = sum(self.shares)
        self._order: tuple[int, bytes, list[np.ndarray]] | None = None

    def _epoch(self, number: int) -> tuple[int, bytes, list[np.ndarray]]:
        if self._order is None or self._order[0] != number:
            order = bytearray(b"".join(bytes([part]) * share for part, share in enumerate(self.shares)))
            random.Random(f"{self.seed} blend {number}").shuffle(order)
            whose = np.frombuffer(bytes(order), np.uint8)
            ranks = [np.cumsum(whose == part) - 1 for part in range(len(self.parts))]
            self._order = (number, bytes(order), ranks)
        return self._order

    def __getitem__(self, position: int) -> Row:
        number, index = divmod(position, self.samples_per_epoch)
        _, order, ranks = self._epoch(number)
        part = order[index]
        return self.parts[part][number * self.shares[part] + int(ranks[part][index])]


MOST_PARTS = 255


def blended(
    parts: Sequence[float], seed: int, make: Callable[[int, int | str], Endless[Row]]
) -> Endless[Row]:
    """One part as it is (weight 1), several as a blend. parts: their weights; ``make(number, seed)`` gives a sequence.

    TrainerError("data") for more than 255 parts.
    """
    if list(parts) == [1]:
        return make(0, seed)
    if len(parts) > MOST_PARTS:
        raise TrainerError("data", f"{len(parts)} parts are more than {MOST_PARTS}")
    # Parts of one length would otherwise be shuffled alike.
    return Blend(
        [(make(number, f"{seed} part {number}"), weight) for number, weight in enumerate(parts)], seed
    )
