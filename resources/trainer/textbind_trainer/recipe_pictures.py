"""The first step of the recipe that makes conversations of captions: each picture fitted, seen once, and kept.

Run: ``python -m textbind_trainer.recipe_pictures PATH --out DIR --eyes DIR [--images DIR] [--format F]``. In DIR:
``pictures/N.jpg`` (fitted into 512 x 512 with white beside it, as the paper has it), ``features.f32`` (a unit vector a picture), and last
of each picture its line in ``pictures.jsonl``. Run again, it goes on where it was. The last line on standard output is
an event ``seen``: ``pictures``, ``skipped``, ``width``, ``reads``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from . import loop, protocol
from .events import claim_stdout, emit, tell
from .eyes import Eyes, open_eyes
from .faults import TrainerError
from .files import write_json
from .formats import shards
from .images import decode_image
from .pairs import PairRow
from .prompt import IMAGE, check_text
from .skips import Skips
from .validate import TAGS

SIDE = 512
AT_ONCE = 16
FEATURES, LINES, ABOUT = "features.f32", "pictures.jsonl", "features.json"


@dataclass(frozen=True)
class Found:
    """A picture of the data that can be used."""

    row: int
    caption: str
    digest: str
    picture: Image.Image


def fitted(picture: Image.Image) -> Image.Image:
    """The whole picture in a square of ``SIDE``, white beside it."""
    return ImageOps.pad(picture, (SIDE, SIDE), Image.Resampling.BICUBIC, color=(255, 255, 255))


def _found(number: int, row: PairRow) -> Found:
    caption, data = row.load()
    check_text(caption, (*TAGS, IMAGE), "caption")
    if "\n" in caption:
        caption = " ".join(caption.split())
    return Found(number, caption, hashlib.sha256(data).hexdigest(), fitted(decode_image(data)))


def usable(rows: Iterator[PairRow], first: int, seen: set[str], skips: Skips) -> Iterator[Found]:
    """Pictures from a row on, each once; the others are counted with their reason."""
    for number, row in enumerate(islice(rows, first, None), first):
        try:
            found = _found(number, row)
        except (ValueError, OSError, KeyError) as error:
            skips(f"{row.key}: {error}")
            continue
        if found.digest in seen:
            skips(f"{row.key}: the same picture as one before")
            continue
        seen.add(found.digest)
        yield found


class Kept:
    """What of the pictures is on the disk. A line without its vector, or the other way round, is done anew."""

    def __init__(self, folder: Path, eyes: str):
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        about = self._about()
        if about.get("eyes") != eyes:
            for name in (LINES, FEATURES):
                (folder / name).unlink(missing_ok=True)
        elif about.get("width"):
            self._read(int(about["width"]) * 4)
        self.eyes = eyes

    def _about(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / ABOUT).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _read(self, bytes_each: int) -> None:
        lines, features = self.folder / LINES, self.folder / FEATURES
        if not lines.is_file() or not features.is_file():
            return
        whole = features.stat().st_size // bytes_each
        for text in lines.read_text(encoding="utf-8").splitlines()[:whole]:
            try:
                self.lines.append(json.loads(text))
            except ValueError:
                break
        # Whole batches: in another company a picture's vector differs in its last bits.
        del self.lines[len(self.lines) // AT_ONCE * AT_ONCE :]
        lines.write_text("".join(f"{json.dumps(line)}\n" for line in self.lines), encoding="utf-8")
        os.truncate(features, len(self.lines) * bytes_each)

    def add(self, batch: Sequence[Found], eyes: Eyes) -> None:
        """Sees pictures and keeps them: files first, then vectors, then lines."""
        vectors = eyes.see([each.picture for each in batch])
        likeness = (
            (vectors * eyes.read([each.caption for each in batch])).sum(-1).tolist() if eyes.reads else None
        )
        if not self.lines:
            write_json(
                self.folder / ABOUT, {"eyes": self.eyes, "width": vectors.shape[1], "reads": eyes.reads}
            )
        for at, each in enumerate(batch, len(self.lines)):
            each.picture.save(self.folder / "pictures" / f"{at}.jpg", "JPEG", quality=92)
        with (self.folder / FEATURES).open("ab") as file:
            file.write(vectors.numpy().astype("<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        told = [
            {
                "number": at, "row": each.row, "caption": each.caption, "digest": each.digest,
                "likeness": None if likeness is None else round(likeness[at - len(self.lines)], 5),
            }
            for at, each in enumerate(batch, len(self.lines))
        ]  # fmt: skip
        with (self.folder / LINES).open("a", encoding="utf-8") as file:
            file.write("".join(f"{json.dumps(line)}\n" for line in told))
            file.flush()
            os.fsync(file.fileno())
        self.lines += told


def _batches(found: Iterator[Found]) -> Iterator[list[Found]]:
    while batch := list(islice(found, AT_ONCE)):
        yield batch


def see(path: Path, images: Path | None, format_: str | None, out: Path, eyes_folder: Path) -> dict[str, Any]:
    """All pictures of some data for stage 1. TrainerError("data") where none can be used."""
    parts = shards(path, images, format_)
    total = sum(shard.size for shard in parts)
    kept = Kept(out, str(eyes_folder.resolve()))
    eyes = open_eyes(eyes_folder)
    skips = Skips()
    first = kept.lines[-1]["row"] + 1 if kept.lines else 0
    rows = (row for shard in parts for row in shard.rows())
    seen = {line["digest"] for line in kept.lines}
    for batch in _batches(usable(rows, first, seen, skips)):
        kept.add(batch, eyes)
        tell(protocol.Checking(done=batch[-1].row + 1, total=total))
    if not kept.lines:
        raise TrainerError("data", f"{path}: holds no picture with a caption that can be used")
    about = json.loads((out / ABOUT).read_text(encoding="utf-8"))
    count = len(kept.lines)
    return {"pictures": count, "skipped": total - count, "width": about["width"], "reads": about["reads"]}


def main(argv: list[str] | None = None) -> int:
    """Command line: 0; 1 where it failed, 2 where there is nothing to see."""
    parser = argparse.ArgumentParser(description="Sees the pictures that conversations are to be made of")
    parser.add_argument("path", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--eyes", type=Path, required=True, help="a model's folder, or a CLIP's")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--format", help="of the data; found by looking where absent")
    given = parser.parse_args(argv)
    return loop.tell_failure(
        lambda: emit("seen", **see(given.path, given.images, given.format, given.out, given.eyes))
    )


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
