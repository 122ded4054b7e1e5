"""Data as a person wants to see it before training: what there is of it, and a few rows as the model is given them.

Run: ``python -m textbind_trainer.look --stage 1|2 PATH [--images DIR] [--format F] [--model DIR --from N --count N]``; the last line
on standard output is an event ``looked`` with ``statistics`` or, where a model is named, ``samples``.
"""

from __future__ import annotations

import argparse
import base64
import io
import random
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from .batch import IGNORED, Example
from .captions import TEMPLATES
from .config import ModelFields, locate_model
from .conversation import check_row
from .data import Tokens
from .datafiles import RawRow
from .events import claim_stdout, emit
from .faults import TrainerError
from .formats import RowFile, checked_format, shards, stage2_rows
from .images import decode_image
from .pairs import PairRow
from .pictures import Picture
from .prompt import IMAGE, START, Pair, check_text, unsafe_tags
from .tokenizer import load_tokenizer

THUMBNAIL_SIDE = 160
LENGTHS = {1: 256, 2: 768}


@dataclass
class Row:
    """A row before a tokenizer: what is said in turn, with its pictures' bytes where they can be read."""

    number: int
    pairs: list[Pair] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    pictures: list[bytes | None] = field(default_factory=list)
    system: str | None = None
    fault: str | None = None


def _caption_row(number: int, pair: PairRow, tags: tuple[str, ...]) -> Row:
    try:
        caption, picture = pair.load()
        check_text(caption, (*tags, IMAGE), "txt")
    except (ValueError, OSError, KeyError) as error:
        return Row(number, fault=f"{pair.key}: {error}")
    template = random.Random(number).choice(TEMPLATES)
    return Row(number, [Pair(template, caption)], pictures=[picture])


def _bytes_of(picture: Picture) -> bytes | None:
    try:
        return picture.read_bytes()
    except (OSError, ValueError):
        return None


def _conversation_row(
    number: int, raw: RawRow, held: RowFile, images: Path | None, tags: tuple[str, ...]
) -> Row:
    try:
        found = check_row(raw, held.file, held.format, images, tags)
    except TrainerError as error:
        return Row(number, fault=str(error))
    pictures = [_bytes_of(picture) for picture in found.images]
    return Row(number, found.pairs, found.captions, pictures, found.system)


def rows(
    stage: int, path: Path, images: Path | None, tags: tuple[str, ...], first: int, format_: str | None = None
) -> Iterator[Row]:
    """Rows in the order of the files, from one on."""
    if stage == 1:
        pairs = (pair for shard in shards(path, images, format_) for pair in shard.rows())
        for number, pair in enumerate(islice(pairs, first, None), first):
            yield _caption_row(number, pair, tags)
    else:
        listed = ((raw, held) for held in stage2_rows(path, format_) for raw in held.rows)
        for number, (raw, held) in enumerate(islice(listed, first, None), first):
            yield _conversation_row(number, raw, held, images, tags)


def _kinds(example: Example, tokens: Tokens) -> list[tuple[int, str, bool]]:
    """(block, kind, scored) of each place; a picture's places share what its first has."""
    special = set(tokens.tokenizer.special_ids.values())
    places, queries, left, scored = [], tokens.queries, 0, False
    for token, label, block in zip(example.ids, example.labels, example.blocks, strict=True):
        if token == tokens.image_id:
            if left == 0:
                left, scored = queries, label != IGNORED
            left -= 1
            places.append((block, "picture", scored))
        else:
            kind = "special" if token in special else "text"
            places.append((block, kind, label != IGNORED))
    return places


def pieces(example: Example, tokens: Tokens) -> list[dict[str, Any]]:
    """Stretches of one kind. Of a picture the scored place is its first: there the model decides to draw."""
    names = {number: name for name, number in tokens.tokenizer.special_ids.items()}
    found: list[dict[str, Any]] = []
    places = enumerate(_kinds(example, tokens))
    for (block, kind, label), group in groupby(places, key=lambda place: place[1]):
        ids = [example.ids[index] for index, _ in group]
        size = tokens.queries if kind == "picture" else 1 if kind == "special" else len(ids)
        for start in range(0, len(ids), size):
            part = ids[start : start + size]
            text = "" if kind == "picture" else names.get(part[0]) or tokens.tokenizer.decode(part)
            found.append({"block": block, "kind": kind, "label": label, "text": text, "tokens": len(part)})
    return found


def thumbnail(data: bytes | None) -> str | None:
    """A small copy as a ``data:`` address; None where it cannot be read."""
    if data is None:
        return None
    try:
        picture = decode_image(data)
    except ValueError:
        return None
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def sample_of(row: Row, tokens: Tokens) -> dict[str, Any]:
    """A row as training builds it."""
    empty = {"row": row.number, "pieces": [], "pictures": [], "tokens": 0, "scored": 0, "isCut": False}
    if row.fault is not None:
        return empty | {"fault": row.fault}
    try:
        example = tokens.example(row.pairs, row.captions, row.system)
        unlimited = Tokens(tokens.tokenizer, tokens.image_id, tokens.start_id, tokens.queries, sys.maxsize)
        whole = unlimited.example(row.pairs, row.captions, row.system)
    except ValueError as error:
        return empty | {"fault": str(error)}
    return {
        "row": row.number,
        "pieces": pieces(example, tokens),
        "pictures": [thumbnail(row.pictures[index]) for index in example.images],
        "tokens": len(example.ids),
        "scored": example.scored,
        "isCut": len(example.ids) < len(whole.ids),
        "fault": None,
    }


def _tokens(model: Path, stage: int) -> Tokens:
    parts = locate_model(ModelFields(textbind=str(model)), Path())
    tokenizer = load_tokenizer(parts.language)
    image, start = tokenizer.convert_tokens_to_ids([IMAGE, START])
    return Tokens(tokenizer, image, start, parts.shape.num_query_tokens, LENGTHS[stage])


def samples(
    stage: int,
    path: Path,
    images: Path | None,
    model: Path,
    first: int,
    count: int,
    format_: str | None = None,
) -> list[dict[str, Any]]:
    """``count`` rows from ``first`` on, as a model is given them."""
    tokens = _tokens(model, stage)
    found = rows(stage, path, images, unsafe_tags(tokens.tokenizer), first, format_)
    return [sample_of(row, tokens) for row in islice(found, count)]


def count_data(stage: int, path: Path, images: Path | None, format_: str | None = None) -> dict[str, Any]:
    """How much there is: rows, pictures, turns by role, characters of a row. Rows with faults are counted as rows only."""
    roles: Counter[str] = Counter()
    lengths: list[int] = []
    pictures = number = 0
    for number, row in enumerate(rows(stage, path, images, (), 0, format_), 1):
        if row.fault is not None:
            continue
        pictures += len(row.pictures)
        roles.update({"user": len(row.pairs), "assistant": len(row.pairs)})
        if row.system is not None:
            roles["system"] += 1
        lengths.append(sum(len(pair.user) + len(pair.assistant or "") for pair in row.pairs))
    lengths = lengths or [0]
    return {
        "rows": number,
        "pictures": pictures,
        "roles": dict(roles),
        "shortest": min(lengths),
        "median": int(statistics.median(lengths)),
        "longest": max(lengths),
    }


def main(argv: list[str] | None = None) -> int:
    """Command line: 0; 2 where there is nothing to look at."""
    parser = argparse.ArgumentParser(description="Shows training data")
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    parser.add_argument("--images", type=Path)
    parser.add_argument(
        "--model", type=Path, help="folder with textbind.json: shows rows as it is given them"
    )
    parser.add_argument("--format", help="of the data; found by looking where absent")
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("path", type=Path)
    given = parser.parse_args(argv)
    try:
        if given.model is None:
            counted = count_data(given.stage, given.path, given.images, given.format)
            found = checked_format(given.stage, given.path, given.format)
            emit("looked", statistics=counted, format=found)
        else:
            place = (given.stage, given.path, given.images)
            emit("looked", samples=samples(*place, given.model, given.first, given.count, given.format))
    except TrainerError as error:
        emit("error", kind=error.kind, message=str(error))
        return 2
    return 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
