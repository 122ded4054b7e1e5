"""Data of any format put into the two that the paper's code has: TextBind JSON with pictures beside it, WebDataset tars.

Run: ``python -m textbind_trainer.convert --stage 1|2 PATH --out DIR [--format F] [--images DIR] [--skip-bad-rows]
[--mend]``; the last line on standard output is an event ``converted``: ``path``, ``rows`` written, ``skipped``, ``format``,
``faults``. Exit code 0; 1 where there are faults and nothing said to leave those rows out (nothing is written); 2 where
there is nothing to convert.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from .conversation import check_row, picture_folder
from .datafiles import RawRow
from .events import claim_stdout, emit
from .faults import Fault, RowError, TrainerError
from .files import replace_folder, write_json
from .foreign import Unusable, mended
from .formats import RowFile, checked_format, shards, stage2_rows
from .pairs import PairRow
from .pictures import Picture
from .validate import TAGS, check_conversations

ROWS_IN_A_TAR = 1000


class PictureFolder:
    """Pictures put into one folder, each once, under names of their own."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self._names: dict[Picture, str] = {}
        self._taken: set[str] = set()

    def add(self, picture: Picture, wanted: str) -> str:
        """The name under which it lies there: the one it had, where that is free."""
        if picture in self._names:
            return self._names[picture]
        name = (
            Path(wanted).name
            if isinstance(picture, Path)
            else f"{len(self._names):08d}{ending_of(picture.read_bytes())}"
        )
        stem, ending = os.path.splitext(name)
        number = 1
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}{ending}", number + 1
        self._names[picture] = name
        self._taken.add(name.lower())
        if isinstance(picture, Path):
            put(picture, self.folder / name)
        else:
            (self.folder / name).write_bytes(picture.read_bytes())
        return name


def put(source: Path, target: Path) -> None:
    """The same bytes under another name: a link where the disk is the same, else a copy."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def ending_of(data: bytes) -> str:
    """What a picture's bytes are, as the ending of a file's name."""
    return {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}.get(
        Image.open(io.BytesIO(data)).format or "", ".png"
    )


def _written(raw: RawRow, held: RowFile, images: Path | None, out: PictureFolder) -> dict[str, Any]:
    """A checked row as it stands in the new file: its pictures' names are those in the new folder."""
    value = {name: item for name, item in raw.value.items() if name != "image_dir"}
    folder = picture_folder(raw.value.get("image_dir") or "", held.file, images)
    turns = []
    for turn in value["conversation"]:
        names = turn.get("image_list", [])
        own = [out.add(raw.pictures.get(name, folder / name), name) for name in names]
        turns.append({"caption_list": []} | turn | {"image_list": own})
    return value | {"conversation": turns}


def mended_rows(held: RowFile) -> RowFile:
    """What can be mended safely is."""

    def mend(raw: RawRow) -> RawRow:
        try:
            return raw if raw.faults else replace(raw, value=mended(raw.value))
        except Unusable as error:
            return replace(raw, value=None, faults=(error.found,))

    return replace(held, rows=[mend(raw) for raw in held.rows])


def convert_conversations(files: list[RowFile], images: Path | None, out: Path, faults: list[Fault]) -> int:
    """Write ``train.json`` and ``images/`` of the rows without a fault; gives their number."""
    bad = {(fault.file, fault.row) for fault in faults}
    rows = []
    with replace_folder(out) as part:
        folder = PictureFolder(part / "images")
        for held in files:
            good = [raw for raw in held.rows if (str(held.file), raw.number) not in bad]
            for raw in good:
                check_row(raw, held.file, held.format, images, TAGS)
                rows.append(_written(raw, held, images, folder))
        write_json(part / "train.json", rows)
    return len(rows)


def _members(number: int, row: PairRow) -> Iterable[tuple[str, bytes]]:
    caption, picture = row.load()
    key = f"{number:09d}"
    told = {"key": key, "source": str(row.file), "row": row.row}
    yield f"{key}{ending_of(picture)}", picture
    yield f"{key}.txt", caption.encode()
    yield f"{key}.json", json.dumps(told, ensure_ascii=True).encode()


def convert_pairs(rows: Iterable[PairRow], out: Path) -> int:
    """Write tars of 1,000 rows each; gives how many rows."""
    count, archive = 0, None
    with replace_folder(out) as part:
        for row in rows:
            if count % ROWS_IN_A_TAR == 0:
                if archive is not None:
                    archive.close()
                archive = tarfile.open(part / f"{count // ROWS_IN_A_TAR:05d}.tar", "w")  # noqa: SIM115 - closed above and below
            assert archive is not None
            for name, data in _members(count, row):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            count += 1
        if archive is not None:
            archive.close()
    return count


def _convert_captions(given: argparse.Namespace, format_: str) -> tuple[int, list[Fault]]:
    listed = [row for shard in shards(given.path, given.images, format_) for row in shard.rows()]
    found = [row.faults(TAGS) for row in listed]
    faults = [fault for each in found for fault in each]
    if faults and not given.skip_bad_rows:
        return 0, faults
    return convert_pairs((row for row, bad in zip(listed, found, strict=True) if not bad), given.out), faults


def _convert_talk(given: argparse.Namespace, format_: str) -> tuple[int, list[Fault]]:
    files = stage2_rows(given.path, format_)
    files = [mended_rows(held) for held in files] if given.mend else files
    faults = [fault for held in files for fault in check_conversations(held, given.images, TAGS)]
    if faults and not given.skip_bad_rows:
        return 0, faults
    return convert_conversations(files, given.images, given.out, faults), faults


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Converts training data")
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    parser.add_argument("--format", help="of the data; found by looking where absent")
    parser.add_argument("--images", type=Path, help="where the pictures lie")
    parser.add_argument("--skip-bad-rows", action="store_true")
    parser.add_argument(
        "--mend", action="store_true", help="stage 2: leave out an unanswered last turn and numbered tags"
    )
    parser.add_argument("path", type=Path)
    given = parser.parse_args(argv)
    try:
        if given.out.exists():
            raise TrainerError("config", f"{given.out}: is there already")
        found = checked_format(given.stage, given.path, given.format)
        rows, faults = (_convert_captions if given.stage == 1 else _convert_talk)(given, found)
    except (TrainerError, RowError) as error:
        emit("error", kind=error.kind, message=str(error))
        return 2
    stopped = bool(faults) and not given.skip_bad_rows
    skipped = 0 if stopped else len({(fault.file, fault.row) for fault in faults})
    emit(
        "converted", path=None if stopped else str(given.out), rows=rows, skipped=skipped, format=found,
        faults=[fault.to_json() for fault in faults],
    )  # fmt: skip
    return 1 if stopped else 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
