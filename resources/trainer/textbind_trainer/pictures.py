"""Are picture files readable? Asked before a run, by several threads (Pillow decodes without Python's lock)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import protocol
from .events import tell
from .images import decode_image

TOLD_EVERY = 5000


def picture_problem(path: Path) -> str | None:
    """Why a picture cannot be used, or None."""
    try:
        decode_image(path.read_bytes())
    except (ValueError, OSError) as error:
        return str(error)
    return None


def unreadable_pictures(paths: Iterable[Path]) -> dict[Path, str]:
    """Every file that is no picture, with the reason. Many files are told of as ``checking`` events."""
    files = sorted(set(paths))
    broken: dict[Path, str] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done, (path, problem) in enumerate(zip(files, pool.map(picture_problem, files), strict=True), 1):
            if problem:
                broken[path] = problem
            if done % TOLD_EVERY == 0:
                tell(protocol.Checking(done=done, total=len(files)))
    return broken
