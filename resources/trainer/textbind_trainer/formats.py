"""What data there is at a path, and its rows: one reader for runs, for the check, for looking and for converting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from . import parquet
from .datafiles import LINES, TABLES, RawRow, first_value, raw_rows
from .faults import TrainerError
from .foreign import CONVERTERS, Unusable
from .pairs import (
    PairRow,
    TarRow,
    folder_rows,
    folder_table,
    listed_rows,
    llava_pair,
    minigpt4_pair,
    table_rows,
)
from .pictures import HeldPicture, LinePicture, Picture
from .tars import PICTURE_ENDINGS, expand_braces, index_tar

FORMATS = {
    1: ("tars", "folder", "table", "llava", "minigpt4", "parquet"),
    2: ("textbind", "llava", "minigpt4", "shikra", "m3it", "multi-instruct", "alpaca", "parquet"),
}
"""Names of formats by stage, as the run file and the commands take them."""
INSIDE = {"minigpt4": "annotations"}
"""Where the list is in a file that is an object."""
OWN_FOLDERS = {"minigpt4": "image"}
"""Where a format's own archive has its pictures, beside the file."""
CONVERSATIONS = ("train.json", "train.jsonl")
ANNOTATIONS = "filter_cap.json"


class Shard(Protocol):
    """A part of stage 1's data that is listed at once: a tar, a row group, a whole file."""

    @property
    def file(self) -> Path:
        """Where it is."""

    @property
    def size(self) -> int:
        """How many rows."""

    def rows(self) -> Sequence[PairRow]:
        """In their order. TrainerError("data") if it is damaged."""


@dataclass(frozen=True)
class TarShard:
    """A WebDataset tar; its index is kept by ``index_tar`` as long as it is near."""

    file: Path

    @property
    def size(self) -> int:
        """Reads the headers."""
        return len(index_tar(self.file))

    def rows(self) -> Sequence[PairRow]:
        """Headers only."""
        return [TarRow(sample) for sample in index_tar(self.file)]


@dataclass(frozen=True)
class ListShard:
    """Rows that are all in memory, their pictures apart."""

    file: Path
    listed: Sequence[PairRow]

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.listed)

    def rows(self) -> Sequence[PairRow]:
        """As they are."""
        return self.listed


def tar_paths(patterns: str | list[str], base: Path) -> list[Path]:
    """The files of one or more patterns such as ``cc/{00000..01254}.tar``."""
    listed = [patterns] if isinstance(patterns, str) else patterns
    return [base / name for pattern in listed for name in expand_braces(pattern)]


def _format_of_value(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    marks = (
        ("conversation", "textbind"), ("conversations", "llava"), ("annotations", "minigpt4"), ("cot_with_ans", "shikra"),
        ("image_base64_str", "m3it"), ("image_str", "m3it"), ("target", "multi-instruct"), ("output", "alpaca"),
    )  # fmt: skip
    return next((name for field, name in marks if field in value), None)


def _folder_format(stage: int, path: Path) -> str:
    if next(_parquets(path), None) is not None:
        return "parquet"
    if stage == 2:
        return recognise(2, stage2_file(path))
    if any(path.glob("*.tar")):
        return "tars"
    if (path / ANNOTATIONS).is_file():
        return "minigpt4"
    is_picture = lambda file: file.suffix.lower().lstrip(".") in PICTURE_ENDINGS
    if folder_table(path) is not None or any(map(is_picture, path.rglob("*"))):
        return "folder"
    raise TrainerError(
        "data", f"{path}: no such tar, and neither parquet files nor pictures with captions are there either"
    )


def _parquets(path: Path) -> Iterator[Path]:
    return iter(sorted([*path.glob("*.parquet"), *path.glob("data/*.parquet")]))


def recognise(stage: int, path: Path) -> str:
    """The format of what lies at a path. TrainerError("data") where it is nothing that the stage takes."""
    if path.is_dir():
        return _folder_format(stage, path)
    ending = path.suffix.lower()
    if stage == 1 and (ending == ".tar" or "{" in path.name):
        return "tars"
    if not path.is_file():
        raise TrainerError("data", f"{path}: does not exist")
    if ending == ".parquet":
        return "parquet"
    try:
        found = _format_of_value(first_value(path))
    except OSError as error:
        raise TrainerError("data", f"{path}: {error}") from error
    if stage == 1 and found not in FORMATS[1]:
        found = "table" if ending in (*TABLES, *LINES) else found
    # A file of rows of which the first is broken is looked through as the schema of its stage has it.
    fallback = "textbind" if stage == 2 else None
    found = found if found in FORMATS[stage] else fallback
    if found is None:
        raise TrainerError("data", f"{path}: is none of {', '.join(FORMATS[stage])}")
    return found


def checked_format(stage: int, path: Path, format_: str | None) -> str:
    """The format that was asked for, or the one that is found. TrainerError("data") where the stage has no such format."""
    if format_ is None:
        return recognise(stage, path)
    if format_ not in FORMATS[stage]:
        raise TrainerError("data", f"format {format_!r}: stage {stage} takes {', '.join(FORMATS[stage])}")
    return format_


def stage1_files(path: Path) -> list[Path]:
    """The tars of a folder, a file or a pattern. TrainerError("data") if one is missing."""
    files = sorted(path.glob("*.tar")) if path.is_dir() else tar_paths(str(path), Path())
    missing = [file for file in files if not file.is_file()]
    if missing or not files:
        raise TrainerError("data", f"{missing[0] if missing else path}: no such tar")
    return files


def stage2_file(path: Path) -> Path:
    """The conversations at a path: a file, or train.json of a folder. TrainerError("data") if there is none."""
    names = (*CONVERSATIONS, ANNOTATIONS)
    inside = next((path / name for name in names if (path / name).is_file()), path / CONVERSATIONS[0])
    file = inside if path.is_dir() else path
    if not file.is_file():
        raise TrainerError("data", f"{file}: does not exist")
    return file


def _pictures_beside(file: Path, images: Path | None, format_: str) -> Path:
    """Where the pictures of a list lie: as told, in the format's own folder, in ``images/``, or beside it."""
    if images is not None:
        return images
    names = [name for name in (OWN_FOLDERS.get(format_), "images") if name]
    return next((file.parent / name for name in names if (file.parent / name).is_dir()), file.parent)


def shards(path: Path, images: Path | None = None, format_: str | None = None) -> list[Shard]:
    """Stage 1's data at a path, in parts. TrainerError("data") names what is missing."""
    found = checked_format(1, path, format_)
    if found == "tars":
        return [TarShard(tar) for tar in stage1_files(path)]
    if found == "parquet":
        files = list(_parquets(path)) if path.is_dir() else [path]
        return [group for file in files for group in parquet.groups(file)]
    if found == "folder":
        return [ListShard(path, folder_rows(path, images))]
    if found == "table":
        return [ListShard(path, table_rows(path, images))]
    file = path / ANNOTATIONS if path.is_dir() else path
    folder = _pictures_beside(file, images, found)
    convert = minigpt4_pair if found == "minigpt4" else llava_pair
    return [ListShard(file, listed_rows(file, folder, convert, INSIDE.get(found)))]


def _line_pictures(file: Path, raw: RawRow) -> dict[str, Picture]:
    """The pictures in base64 of a row of M3IT's."""
    for name in ("image_base64_str", "image_str"):
        held = raw.value.get(name) if isinstance(raw.value, dict) else None
        if held:
            count = 1 if isinstance(held, str) else len(held)
            texts = [held] if isinstance(held, str) else held
            if file.suffix.lower() in LINES:
                return {f"#{n}": LinePicture(file, raw.offset, raw.length, name, n) for n in range(count)}
            return {
                f"#{n}": HeldPicture(text, f"{file}, row {raw.number}, {name}")
                for n, text in enumerate(texts)
            }
    return {}


def _converted(file: Path, raw: RawRow, format_: str, convert: Callable[[Any], dict[str, Any]]) -> RawRow:
    if raw.faults:
        return raw
    try:
        value = convert(raw.value)
    except Unusable as error:
        return RawRow(raw.number, None, faults=(error.found,))
    own = OWN_FOLDERS.get(format_)
    if own and (file.parent / own).is_dir():
        value["image_dir"] = own
    return RawRow(raw.number, value, _line_pictures(file, raw) if format_ == "m3it" else {})


@dataclass(frozen=True)
class RowFile:
    """Stage 2's rows of one file, in the TextBind schema and unchecked."""

    file: Path
    format: str
    rows: list[RawRow]


def stage2_rows(path: Path, format_: str | None = None) -> list[RowFile]:
    """The conversations at a path, by file. TrainerError("data") where there are none."""
    found = checked_format(2, path, format_)
    if found == "parquet":
        files = list(_parquets(path)) if path.is_dir() else [path]
        return [RowFile(file, found, parquet.conversation_rows(file)) for file in files]
    file = stage2_file(path)
    rows = raw_rows(file, INSIDE.get(found))
    convert = CONVERTERS.get(found)
    if convert is not None:
        rows = [_converted(file, row, found, convert) for row in rows]
    return [RowFile(file, found, rows)]
