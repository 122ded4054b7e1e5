"""JSON files and folders. What is written is written to a temporary name and renamed: nobody sees half a file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .faults import TrainerError

LEFTOVER = re.compile(r"^\.(?P<name>.+)\.(?P<pid>\d+)\.(?P<kind>part|old)$")


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. TrainerError("config") names the file where it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainerError("config", f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise TrainerError("config", f"{path}: expected an object")
    return value


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; when the block ends well it takes the place of ``path``.

    An exception leaves ``path`` as it was and removes the unfinished folder.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    if path.exists():
        path.rename(old)
    part.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _alive(pid: int) -> bool:
    if os.name != "posix" or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def tidy_leftovers(folder: Path) -> None:
    """Remove what killed processes left of their writing; put back a folder that was moved aside but not replaced."""
    for path in sorted(folder.glob(".*")) if folder.is_dir() else []:
        found = LEFTOVER.match(path.name)
        if found is None or _alive(int(found["pid"])):
            continue
        target = folder / found["name"]
        if found["kind"] == "old" and not target.exists():
            path.rename(target)
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
