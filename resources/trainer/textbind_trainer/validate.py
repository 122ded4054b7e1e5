"""Training data looked through before a run: every fault with file, row and field; nothing stops at the first.

Run: ``python -m textbind_trainer.validate --stage 1|2 PATH [--images DIR] [--format F] [--language DIR]``; JSON lines on standard
output, the last an event ``validated`` with ``rows`` and ``faults``, a list of ``{file, row, field, kind, message}``,
rows from 0. Exit code 0; 1 if there is a fault; 2 if there is nothing to look at.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import protocol
from .conversation import pictures_of, raw_faults
from .events import claim_stdout, emit, tell
from .faults import Fault, TrainerError
from .foreign import original_field
from .formats import RowFile, Shard, checked_format, shards, stage2_rows
from .pictures import TOLD_EVERY, Picture, unreadable_pictures
from .prompt import END, MARKUP, START, unsafe_tags
from .tokenizer import load_tokenizer

TAGS = tuple(sorted({*MARKUP, START, END}))
"""What no text may hold, whatever the tokenizer."""


def check_pairs(parts: list[Shard], tags: tuple[str, ...]) -> tuple[int, list[Fault]]:
    """Stage 1: (rows, faults), pictures decoded."""
    rows, faults = 0, []
    with ThreadPoolExecutor() as pool:
        for part in parts:
            try:
                held = part.rows()
            except TrainerError as error:
                faults.append(Fault(str(part.file), 0, "", "tar", str(error)))
                continue
            before = rows
            rows += len(held)
            for done, found in enumerate(pool.map(lambda row: row.faults(tags), held), before + 1):
                faults += found
                if done % TOLD_EVERY == 0:
                    tell(protocol.Checking(done=done, total=rows))
    return rows, faults


def check_conversations(held: RowFile, images: Path | None, tags: tuple[str, ...]) -> list[Fault]:
    """Stage 2: the faults of a file, pictures decoded."""
    file, name = str(held.file), held.format
    shown = [list(pictures_of(raw, held.file, images)) for raw in held.rows]
    broken = unreadable_pictures(picture for each in shown for _, picture in each)
    faults = []
    for raw, pictures in zip(held.rows, shown, strict=True):
        faults += [
            Fault(file, raw.number, *found) for found in raw_faults(raw, held.file, name, images, tags)
        ]
        faults += [
            Fault(file, raw.number, original_field(name, field), "picture", f"{picture}: {broken[picture]}")
            for field, picture in shown_once(pictures, name)
            if picture in broken
        ]
    return faults


def shown_once(pictures: list[tuple[str, Picture]], format_: str) -> list[tuple[str, Picture]]:
    """A row may show a picture in several places that are one field of its file: it is named once."""
    return list(
        {(original_field(format_, field), picture): (field, picture) for field, picture in pictures}.values()
    )


def check(
    stage: int, path: Path, images: Path | None, language: Path | None, format_: str | None = None
) -> tuple[str, int, list[Fault]]:
    """(format, rows, faults) of a path; TrainerError if there is nothing at it."""
    tags = TAGS if language is None else unsafe_tags(load_tokenizer(language))
    found = checked_format(stage, path, format_)
    if stage == 1:
        return found, *check_pairs(shards(path, images, found), tags)
    try:
        held = stage2_rows(path, found)
    except TrainerError as error:
        # A file that is no list of rows is a fault of the data; one that is not there is not.
        if not path.exists():
            raise
        return found, 0, [Fault(str(path), 0, "", "file", str(error))]
    faults = [fault for each in held for fault in check_conversations(each, images, tags)]
    return found, sum(len(each.rows) for each in held), faults


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Names every fault of training data")
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    parser.add_argument("--images", type=Path, help="where conversations' pictures lie")
    parser.add_argument(
        "--language", type=Path, help="language model whose special tokens may not stand in texts"
    )
    parser.add_argument("--format", help="one of the stage's formats; found by looking where absent")
    parser.add_argument(
        "path", type=Path, help="a file or folder of any format that the stage takes; tars may be a pattern"
    )
    arguments = parser.parse_args(argv)
    try:
        given = (arguments.stage, arguments.path, arguments.images, arguments.language, arguments.format)
        found, rows, faults = check(*given)
    except TrainerError as error:
        emit("error", kind=error.kind, message=str(error))
        return 2
    emit("validated", rows=rows, faults=[fault.to_json() for fault in faults], format=found)
    return 1 if faults else 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
