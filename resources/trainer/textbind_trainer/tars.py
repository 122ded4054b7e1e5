"""WebDataset tars as an endless, exactly repeatable sequence of samples.

Position n of a run is a pure function of (seed, n): tars are shuffled per pass, taken in groups, and the
samples of a group are shuffled together. So a run resumes at a position without any stored reader state,
and the number of processes does not change which samples a step sees.
"""

from __future__ import annotations

import functools
import random
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .faults import TrainerError

PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp")
TARS_SHUFFLED_TOGETHER = 4


@dataclass(frozen=True)
class TarSample:
    """Where the parts of one sample lie: ending -> (offset, size) in the tar."""

    tar: Path
    row: int
    key: str
    parts: dict[str, tuple[int, int]]

    def read(self, ending: str) -> bytes:
        """The bytes of one part; KeyError if the sample has none."""
        offset, size = self.parts[ending]
        with self.tar.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def picture_ending(self) -> str | None:
        """Which of the picture formats the sample has."""
        return next((ending for ending in PICTURE_ENDINGS if ending in self.parts), None)


def expand_braces(pattern: str) -> list[str]:
    """``{00000..01254}`` -> the names it stands for (one range a name, width kept)."""
    found = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if not found:
        return [pattern]
    first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    return [pattern[: found.start()] + f"{n:0{len(first)}d}" + pattern[found.end() :] for n in numbers]


@functools.lru_cache(maxsize=4 * TARS_SHUFFLED_TOGETHER)
def index_tar(path: Path) -> tuple[TarSample, ...]:
    """The samples of one tar, in its order. Only headers are read. TrainerError("data") if it is damaged."""
    samples: dict[str, dict[str, tuple[int, int]]] = {}
    size_on_disk = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                if member.offset_data + member.size > size_on_disk:
                    raise TrainerError("data", f"{path}: ends in the middle of {member.name!r}")
                samples.setdefault(f"{folder}/{stem}", {})[ending.lower()] = (member.offset_data, member.size)
        with path.open("rb") as file:
            file.seek(max(0, size_on_disk - 2 * tarfile.BLOCKSIZE))
            if file.read().strip(b"\0") or size_on_disk % tarfile.BLOCKSIZE:
                # Python's tarfile takes a cut in a header for the end: samples would be missing in silence.
                raise TrainerError("data", f"{path}: has no end mark, it was probably cut")
    except (tarfile.TarError, OSError) as error:
        raise TrainerError("data", f"{path}: not a readable tar: {error}") from error
    if not samples:
        raise TrainerError("data", f"{path}: holds no sample")
    return tuple(TarSample(path, row, key, parts) for row, (key, parts) in enumerate(samples.items()))


class TarSequence:
    """``sequence[position]`` for any position from 0 on; passes are shuffled differently."""

    def __init__(self, tars: Sequence[Path], seed: int, samples_per_epoch: int | None = None):
        missing = [tar for tar in tars if not tar.is_file()]
        if missing or not tars:
            raise TrainerError("data", f"{missing[0] if missing else 'data.tars'}: no such tar")
        self.tars = list(tars)
        self.seed = seed
        self._sizes: dict[Path, int] = {}
        # Counting 1,255 big tars takes long: a run that says how long its epoch is needs no count beforehand.
        self.samples_per_epoch = samples_per_epoch or sum(self._size(tar) for tar in self.tars)
        self._groups: list[tuple[int, list[Path]]] = []  # (first position, tars), grown as needed
        self._next_position, self._passes = 0, 0
        self._shuffled: tuple[int, list[TarSample]] | None = None

    def _size(self, tar: Path) -> int:
        if tar not in self._sizes:
            self._sizes[tar] = len(index_tar(tar))
        return self._sizes[tar]

    def _grow(self) -> None:
        order = list(self.tars)
        random.Random(f"{self.seed} pass {self._passes}").shuffle(order)
        for start in range(0, len(order), TARS_SHUFFLED_TOGETHER):
            group = order[start : start + TARS_SHUFFLED_TOGETHER]
            self._groups.append((self._next_position, group))
            self._next_position += sum(self._size(tar) for tar in group)
        self._passes += 1

    def __getitem__(self, position: int) -> TarSample:
        while position >= self._next_position:
            self._grow()
        number = max(i for i, (first, _) in enumerate(self._groups) if first <= position)
        if self._shuffled is None or self._shuffled[0] != number:
            samples = [sample for tar in self._groups[number][1] for sample in index_tar(tar)]
            random.Random(f"{self.seed} group {number}").shuffle(samples)
            self._shuffled = (number, samples)
        return self._shuffled[1][position - self._groups[number][0]]
