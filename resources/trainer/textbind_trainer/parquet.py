"""Parquet files as the Hugging Face hub lays them out: pictures in the rows, as ``{"bytes", "path"}`` or as plain bytes.

Stage 1: a column of pictures and one of captions. Stage 2: ``conversations`` (``from``, ``value``), ``messages`` (``role``,
``content``) or ``texts`` (``user``, ``assistant``), with ``image`` or ``images``. Rows are read a row group at a time.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .datafiles import RawRow
from .faults import TrainerError
from .foreign import Unusable, from_llava
from .pairs import CAPTION_FIELDS, PICTURE_FIELDS, ListedRow, PairRow
from .pictures import Picture
from .prompt import IMAGE

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

TALK_FIELDS = ("conversations", "messages", "texts")
GROUPS_KEPT = 8
"""Row groups whose pictures are kept in memory: the hub writes a hundred rows into each."""
HUB_PICTURE_FIELDS = ("images", "jpg", "png", "webp", *PICTURE_FIELDS)


def open_parquet(file: Path) -> ParquetFile:
    """TrainerError("data") where it is none, or where pyarrow is not there to read it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        said = "parquet files are read by the package pyarrow, which this Python lacks: pip install pyarrow"
        raise TrainerError("data", f"{file}: {said}") from error
    try:
        return pyarrow.parquet.ParquetFile(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise TrainerError("data", f"{file}: no readable parquet file: {error}") from error


@functools.lru_cache(maxsize=GROUPS_KEPT)
def _column(file: Path, group: int, column: str) -> list[Any]:
    """A row group's values of a column."""
    values: list[Any] = open_parquet(file).read_row_group(group, columns=[column]).column(column).to_pylist()
    return values


@dataclass(frozen=True)
class ParquetPicture:
    """A picture in a cell; ``number``: which of a list of them."""

    file: Path
    group: int
    index: int
    column: str
    number: int | None = None

    def read_bytes(self) -> bytes:
        """The cell's bytes, or those of the file that it names beside the parquet file."""
        held = _column(self.file, self.group, self.column)[self.index]
        if self.number is not None:
            held = held[self.number]
        if isinstance(held, dict):
            if held.get("bytes") is None and isinstance(held.get("path"), str):
                return (self.file.parent / held["path"]).read_bytes()
            held = held.get("bytes")
        if isinstance(held, str):
            return (self.file.parent / held).read_bytes()
        if not isinstance(held, bytes):
            raise ValueError(f"{self.column} holds no picture")  # noqa: TRY004 - the data's fault, not a caller's
        return held

    def __str__(self) -> str:
        return f"{self.file}, row group {self.group:06d}, row {self.index:06d}, {self.column}"


def _named(file: Path, names: Sequence[str], columns: Sequence[str], what: str) -> str:
    found = next((name for name in names if name in columns), None)
    if found is None:
        there = ", ".join(columns)
        raise TrainerError("data", f"{file}: no column of {what} ({', '.join(names)}) among {there}")
    return found


@dataclass(frozen=True)
class ParquetGroup:
    """A row group as a shard of stage 1's data. ``first``: the number of its first row in the file."""

    file: Path
    group: int
    first: int
    size: int

    def rows(self) -> Sequence[PairRow]:
        """Captions are read now, pictures when they are wanted."""
        columns = open_parquet(self.file).schema_arrow.names
        told = _named(self.file, CAPTION_FIELDS, columns, "captions")
        shown = _named(self.file, HUB_PICTURE_FIELDS, [name for name in columns if name != told], "pictures")
        rows: list[PairRow] = []
        for index, held in enumerate(_column(self.file, self.group, told)):
            held = held[0] if isinstance(held, list) and held else held
            row = self.first + index
            broken: tuple[tuple[str, str, str], ...] = ()
            if not isinstance(held, str):
                broken = ((told, "missing", "no caption"),)
            picture = ParquetPicture(self.file, self.group, index, shown)
            rows.append(
                ListedRow(
                    self.file,
                    row,
                    f"row {row}",
                    held if isinstance(held, str) else "",
                    picture,
                    told,
                    shown,
                    broken,
                )
            )
        return rows


def groups(file: Path) -> list[ParquetGroup]:
    """The row groups of a file."""
    metadata = open_parquet(file).metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    return [ParquetGroup(file, n, sum(sizes[:n]), size) for n, size in enumerate(sizes) if size]


def _said(turn: Any, number: int) -> list[dict[str, Any]]:
    """A turn in LLaVA's words; a pair of ``texts`` is two."""
    if not isinstance(turn, dict):
        raise Unusable(f"[{number}]", "shape", "a turn must be an object")
    if "user" in turn and "assistant" in turn:
        return [{"from": "human", "value": turn["user"]}, {"from": "gpt", "value": turn["assistant"]}]
    if "value" in turn:
        return [turn]
    content = turn.get("content")
    if isinstance(content, list):
        # Parts of text and pictures, as chat templates have them.
        parts = [IMAGE if part.get("type") == "image" else part.get("text") or "" for part in content]
        content = "\n".join(parts)
    return [{"from": turn.get("role"), "value": content}]


def _conversation(value: dict[str, Any], talk: str, count: int) -> dict[str, Any]:
    """A row in LLaVA's form. Where the texts name no place the pictures stand before the first."""
    turns = [said for number, turn in enumerate(value[talk] or []) for said in _said(turn, number)]
    places = sum(str(turn["value"]).count(IMAGE) for turn in turns)
    if turns and count and not places and isinstance(turns[0]["value"], str):
        turns[0] = turns[0] | {"value": f"{IMAGE}\n" * count + turns[0]["value"]}
    return from_llava({"conversations": turns, "image": [f"#{number}" for number in range(count)]})


def _row(
    file: Path, group: int, index: int, number: int, value: dict[str, Any], talk: str, shown: str | None
) -> RawRow:
    held = value.get(shown) if shown else None
    listed = isinstance(held, list)
    count = len(held) if isinstance(held, list) else int(held is not None)
    pictures: dict[str, Picture] = {
        f"#{each}": ParquetPicture(file, group, index, shown or "", each if listed else None)
        for each in range(count)
    }
    try:
        return RawRow(number, _conversation(value, talk, count), pictures)
    except Unusable as error:
        field, kind, message = error.found
        return RawRow(number, None, faults=((field.replace("conversations", talk, 1), kind, message),))


def conversation_rows(file: Path) -> list[RawRow]:
    """Stage 2's rows, in the TextBind schema. Pictures stay in the file."""
    opened = open_parquet(file)
    columns = opened.schema_arrow.names
    talk = _named(file, TALK_FIELDS, columns, "conversations")
    shown = next((name for name in HUB_PICTURE_FIELDS if name in columns), None)
    rows: list[RawRow] = []
    for group in range(opened.metadata.num_row_groups):
        held = [_column(file, group, talk), *([_column(file, group, shown)] if shown else [])]
        for index, cells in enumerate(zip(*held, strict=True)):
            value = dict(zip((talk, shown or ""), cells, strict=False))
            rows.append(_row(file, group, index, len(rows), value, talk, shown))
    if not rows:
        raise TrainerError("data", f"{file}: holds no row")
    return rows


def is_talk(file: Path) -> bool:
    """Whether a file holds conversations rather than captions."""
    return any(name in open_parquet(file).schema_arrow.names for name in TALK_FIELDS)
