"""WebDataset tars: where the parts of their samples lie."""

from __future__ import annotations

import functools
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from .faults import TrainerError

PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp")
SHARDS_SHUFFLED_TOGETHER = 4


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


@functools.lru_cache(maxsize=4 * SHARDS_SHUFFLED_TOGETHER)
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
