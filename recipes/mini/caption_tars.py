"""Stage 1's data in its real form: WebDataset tars of captioned pictures (jpg, txt, json)."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tarfile
from pathlib import Path

from PIL import Image
from textbind_trainer.events import emit

from .captioned import Captioned
from .pictures import fetch_pictures

PICTURES_PER_TAR = 1000


def write_tar(path: Path, source: Captioned, split: str, first: int, count: int) -> None:
    """One tar of ``count`` captioned pictures."""
    part = path.with_suffix(".part")
    with tarfile.open(part, "w") as archive:
        for number in range(first, first + count):
            pixels, caption = source.one(split, number)
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "JPEG", quality=95)
            facts = {"caption": caption, "number": number}
            parts = {"jpg": picture.getvalue(), "txt": caption.encode(), "json": json.dumps(facts).encode()}
            for ending, data in parts.items():
                member = tarfile.TarInfo(f"{number:09d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    part.replace(path)


def main(argv: list[str] | None = None) -> int:
    """Command: ``OUT/00000.tar ...`` for training and ``OUT/validation-00000.tar``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--screens", type=Path, required=True, help="folder of screenshots")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tars", type=int, default=12)
    arguments = parser.parse_args(argv)
    source = Captioned(fetch_pictures(arguments.pictures), arguments.photos, arguments.screens)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.tars):
        write_tar(
            arguments.out / f"{number:05d}.tar",
            source,
            "training",
            number * PICTURES_PER_TAR,
            PICTURES_PER_TAR,
        )
        emit("progress", step="caption-tars", done=number + 1, of=arguments.tars)
    write_tar(arguments.out / "validation-00000.tar", source, "validation", 0, 256)
    emit("finished", step="caption-tars", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
