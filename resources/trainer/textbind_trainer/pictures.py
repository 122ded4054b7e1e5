"""Picture files, and pictures that lie inside other files; are they readable?

Asked before a run, by several threads (Pillow decodes without Python's lock).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import protocol
from .events import tell
from .images import decode_image

TOLD_EVERY = 5000


class Picture(Protocol):
    """Where the bytes of a picture are: a ``Path``, or a place in a file of many. Equal ones are the same picture."""

    def __hash__(self) -> int:
        """Equal ones have equal hashes."""

    def read_bytes(self) -> bytes:
        """OSError or ValueError where they cannot be had."""


@dataclass(frozen=True)
class LinePicture:
    """A picture in base64 in a line of JSON: the line is read when it is wanted, none is kept."""

    file: Path
    offset: int
    length: int
    field: str
    number: int

    def read_bytes(self) -> bytes:
        """Read the line again. ValueError where the field holds no base64."""
        with self.file.open("rb") as opened:
            opened.seek(self.offset)
            held = json.loads(opened.read(self.length))[self.field]
        try:
            return base64.b64decode(held if isinstance(held, str) else held[self.number], validate=True)
        except (binascii.Error, TypeError) as error:
            raise ValueError(f"{self.field} holds no picture in base64: {error}") from error

    def __str__(self) -> str:
        return f"{self.file}, {self.field} at byte {self.offset}"


@dataclass(frozen=True)
class HeldPicture:
    """A picture in base64 that is in memory already: it stood in a file that is read whole."""

    text: str
    place: str

    def read_bytes(self) -> bytes:
        """ValueError where it is no base64."""
        try:
            return base64.b64decode(self.text, validate=True)
        except (binascii.Error, TypeError) as error:
            raise ValueError(f"no picture in base64: {error}") from error

    def __str__(self) -> str:
        return self.place


def picture_problem(picture: Picture) -> str | None:
    """Why a picture cannot be used, or None."""
    try:
        decode_image(picture.read_bytes())
    except (ValueError, OSError) as error:
        return str(error)
    return None


def unreadable_pictures(pictures: Iterable[Picture]) -> dict[Picture, str]:
    """Every one that is no picture, with the reason. Many are told of as ``checking`` events."""
    # Each once, and neighbours in a file one after the other.
    listed = sorted(set(pictures), key=str)
    broken: dict[Picture, str] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = zip(listed, pool.map(picture_problem, listed), strict=True)
        for done, (picture, problem) in enumerate(found, 1):
            if problem:
                broken[picture] = problem
            if done % TOLD_EVERY == 0:
                tell(protocol.Checking(done=done, total=len(listed)))
    return broken
