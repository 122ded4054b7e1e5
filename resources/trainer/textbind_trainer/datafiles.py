"""Files of rows as they are: JSON lists, JSON lines, tables with a header. A row that cannot be read is a row with a fault."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .faults import TrainerError
from .pictures import Picture

Found = tuple[str, str, str]
"""Field, kind and message of a fault."""

LINES = (".jsonl", ".ndjson")
TABLES = {".csv": ",", ".tsv": "\t"}
FIRST_BYTES = 1 << 20
LONGEST_FIELD = 1 << 28
"""Of a table, in characters: MMBench keeps whole pictures in base64 in one."""


@dataclass(frozen=True)
class RawRow:
    """A row before anything is checked. ``value``: what stands in it; ``pictures``: those that lie in the file itself,
    by the names that the row has for them; ``faults``: why there is no value, or what was lost on the way to it.
    """

    number: int
    value: Any
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    faults: tuple[Found, ...] = ()
    offset: int = 0
    length: int = 0


def read_json(file: Path) -> Any:
    """Whatever a JSON file holds. TrainerError("data") if it is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainerError("data", f"{file}: {error}") from error


def json_lines(file: Path) -> Iterator[RawRow]:
    """A row a line, empty lines left out; one that is no JSON has a fault."""
    offset, number = 0, 0
    with file.open("rb") as opened:
        for line in opened:
            if line.strip():
                try:
                    yield RawRow(number, json.loads(line), offset=offset, length=len(line))
                except (ValueError, RecursionError) as error:
                    yield RawRow(number, None, faults=(("", "json", f"not a line of JSON: {error}"),))
                number += 1
            offset += len(line)


def table_rows(file: Path) -> Iterator[RawRow]:
    """Rows of a CSV or TSV file by the names of its first line. Rows with fewer or more fields have a fault."""
    csv.field_size_limit(LONGEST_FIELD)
    with file.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as opened:
        reader = csv.DictReader(opened, delimiter=TABLES[file.suffix.lower()], restkey="")
        try:
            for number, row in enumerate(reader):
                wrong = "" in row or None in row.values()
                said = f"expected {len(reader.fieldnames or ())} fields"
                yield RawRow(number, row, faults=(("", "shape", said),) if wrong else ())
        except csv.Error as error:
            raise TrainerError("data", f"{file}: line {reader.line_num}: {error}") from error


def raw_rows(file: Path, inside: str | None = None) -> list[RawRow]:
    """All rows of a file; ``inside`` names the list in a JSON object. TrainerError("data") if it holds none."""
    try:
        if file.suffix.lower() in LINES:
            rows = list(json_lines(file))
        elif file.suffix.lower() in TABLES:
            rows = list(table_rows(file))
        else:
            held = read_json(file)
            held = held.get(inside) if inside and isinstance(held, dict) else held
            rows = [
                RawRow(number, value) for number, value in enumerate(held if isinstance(held, list) else [])
            ]
    except OSError as error:
        raise TrainerError("data", f"{file}: {error}") from error
    if not rows:
        raise TrainerError("data", f"{file}: expected a list with at least one row")
    return rows


def first_value(file: Path) -> Any:
    """The first row of a file (or the whole object that it is), to tell what kind of data it is; None where there is none."""
    if file.suffix.lower() in LINES:
        return next((row.value for row in json_lines(file) if row.value is not None), None)
    if file.suffix.lower() in TABLES:
        return next((row.value for row in table_rows(file)), None)
    with file.open("rb") as opened:
        text = opened.read(FIRST_BYTES).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text.startswith("["):
        return read_json(file)
    try:
        # The first row of a list that may hold gigabytes.
        return json.JSONDecoder().raw_decode(text[1:].lstrip())[0]
    except (ValueError, RecursionError):
        held = read_json(file)
        return held[0] if held else None
