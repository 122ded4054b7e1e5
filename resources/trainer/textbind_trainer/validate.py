"""Training data looked through before a run: every fault with file, row and field; nothing stops at the first.

Run: ``python -m textbind_trainer.validate --stage 1|2 PATH [--images DIR] [--language DIR]``; JSON lines on standard
output, the last an event ``validated`` with ``rows`` and ``faults``, a list of ``{file, row, field, kind, message}``,
rows from 0. Exit code 0; 1 if there is a fault; 2 if there is nothing to look at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .captions import tar_paths
from .conversation import picture_folder, read_rows, row_faults
from .events import claim_stdout, emit
from .faults import Fault, TrainerError
from .images import decode_image
from .pictures import unreadable_pictures
from .prompt import END, IMAGE, MARKUP, START, text_faults, unsafe_tags
from .tars import TarSample, index_tar
from .tokenizer import load_tokenizer

TAGS = tuple(sorted({*MARKUP, START, END}))
"""What no text may hold, whatever the tokenizer."""


def _tar_fault(row: TarSample, field: str, kind: str, message: str) -> Fault:
    return Fault(str(row.tar), row.row, field, kind, f"{row.key}: {message}")


def _caption_faults(row: TarSample, tags: tuple[str, ...]) -> list[Fault]:
    if "txt" not in row.parts:
        return [_tar_fault(row, "txt", "missing", "no caption")]
    try:
        caption = row.read("txt").decode("utf-8").strip()
    except UnicodeDecodeError as error:
        return [_tar_fault(row, "txt", "text", f"not UTF-8: {error}")]
    if not caption:
        return [_tar_fault(row, "txt", "text", "the caption is empty")]
    return [_tar_fault(row, "txt", "unsafe", said) for said in text_faults(caption, (*tags, IMAGE))]


def _picture_faults(row: TarSample) -> list[Fault]:
    ending = row.picture_ending()
    if ending is None:
        return [_tar_fault(row, "picture", "missing", f"no picture among {', '.join(sorted(row.parts))}")]
    try:
        decode_image(row.read(ending))
    except (ValueError, OSError) as error:
        return [_tar_fault(row, ending, "picture", str(error))]
    return []


def check_tars(tars: list[Path], tags: tuple[str, ...]) -> tuple[int, list[Fault]]:
    """Stage 1: (rows, faults) of WebDataset tars."""
    rows, faults = 0, []
    with ThreadPoolExecutor() as pool:
        for tar in tars:
            try:
                samples = index_tar(tar)
            except TrainerError as error:
                faults.append(Fault(str(tar), 0, "", "tar", str(error)))
                continue
            rows += len(samples)
            found = pool.map(lambda row: _caption_faults(row, tags) + _picture_faults(row), samples)
            faults += [fault for each in found for fault in each]
    return rows, faults


def _pictures(row: Any, file: Path, images: Path | None) -> Iterator[tuple[str, Path]]:
    """(field, file) of each picture that a row names and that is there; whatever else is wrong with the row."""
    turns = row.get("conversation") if isinstance(row, dict) else None
    image_dir = row.get("image_dir") if isinstance(row, dict) else None
    folder = picture_folder(image_dir if isinstance(image_dir, str) else "", file, images)
    for number, turn in enumerate(turns if isinstance(turns, list) else []):
        names = turn.get("image_list") if isinstance(turn, dict) else None
        for name in names if isinstance(names, list) else []:
            if isinstance(name, str) and name.strip() and (folder / name).is_file():
                yield f"conversation[{number}].image_list", folder / name


def check_conversations(file: Path, images: Path | None, tags: tuple[str, ...]) -> tuple[int, list[Fault]]:
    """Stage 2: (rows, faults) of a file in the TextBind schema, pictures decoded."""
    try:
        rows = read_rows(file)
    except TrainerError as error:
        return 0, [Fault(str(file), 0, "", "file", str(error))]
    shown = [list(_pictures(row, file, images)) for row in rows]
    broken = unreadable_pictures(path for each in shown for _, path in each)
    faults = []
    for number, row in enumerate(rows):
        faults += [Fault(str(file), number, *found) for found in row_faults(row, file, images, tags)]
        faults += [
            Fault(str(file), number, field, "picture", f"{path}: {broken[path]}")
            for field, path in shown[number]
            if path in broken
        ]
    return len(rows), faults


def stage1_files(path: Path) -> list[Path]:
    """The tars of a folder, a file or a pattern. TrainerError("data") if one is missing."""
    files = sorted(path.glob("*.tar")) if path.is_dir() else tar_paths(str(path), Path())
    missing = [file for file in files if not file.is_file()]
    if missing or not files:
        raise TrainerError("data", f"{missing[0] if missing else path}: no such tar")
    return files


def stage2_file(path: Path) -> Path:
    """The conversations at a path: a file, or train.json of a folder. TrainerError("data") if there is none."""
    file = path / "train.json" if path.is_dir() else path
    if not file.is_file():
        raise TrainerError("data", f"{file}: does not exist")
    return file


def check(stage: int, path: Path, images: Path | None, language: Path | None) -> tuple[int, list[Fault]]:
    """(rows, faults) of a path; TrainerError if there is nothing at it."""
    tags = TAGS if language is None else unsafe_tags(load_tokenizer(language))
    if stage == 1:
        return check_tars(stage1_files(path), tags)
    return check_conversations(stage2_file(path), images, tags)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Names every fault of training data")
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    parser.add_argument("--images", type=Path, help="where conversations' pictures lie")
    parser.add_argument(
        "--language", type=Path, help="language model whose special tokens may not stand in texts"
    )
    parser.add_argument("path", type=Path, help="tars, a pattern or their folder; train.json or its folder")
    arguments = parser.parse_args(argv)
    try:
        rows, faults = check(arguments.stage, arguments.path, arguments.images, arguments.language)
    except TrainerError as error:
        emit("error", kind=error.kind, message=str(error))
        return 2
    emit("validated", rows=rows, faults=[fault.to_json() for fault in faults])
    return 1 if faults else 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
