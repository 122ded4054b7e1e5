"""Stage 1's data in its real form: WebDataset tars of scenes (jpg, txt, json)."""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tarfile
from pathlib import Path

from textbind_trainer.events import emit

from .pictures import fetch_pictures
from .scenes import batch_of
from .shape import canonical_caption

SCENES_PER_TAR = 1000
PLAIN_SHARE = 0.6


def write_tar(path: Path, pictures: Path, split: str, first: int, count: int) -> None:
    """One tar of ``count`` scenes; more than half have the plain caption, the others the scene's own wording."""
    random_ = random.Random(f"captions {split} {first}")
    part = path.with_suffix(".part")
    with tarfile.open(part, "w") as archive:
        for number, scene in enumerate(batch_of(pictures, split, first, count)):
            picture = io.BytesIO()
            scene.image.save(picture, "JPEG", quality=95)
            caption = canonical_caption(scene) if random_.random() < PLAIN_SHARE else scene.caption
            facts = {
                "caption": caption,
                "seed": scene.seed,
                "object": scene.main_object,
                "background": scene.background,
            }
            parts = {"jpg": picture.getvalue(), "txt": caption.encode(), "json": json.dumps(facts).encode()}
            for ending, data in parts.items():
                member = tarfile.TarInfo(f"{first + number:09d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    part.replace(path)


def main(argv: list[str] | None = None) -> int:
    """Command: ``OUT/00000.tar ...`` for training and ``OUT/validation-00000.tar``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tars", type=int, default=12)
    arguments = parser.parse_args(argv)
    pictures = fetch_pictures(arguments.pictures)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.tars):
        write_tar(
            arguments.out / f"{number:05d}.tar", pictures, "training", number * SCENES_PER_TAR, SCENES_PER_TAR
        )
        emit("progress", step="caption-tars", done=number + 1, of=arguments.tars)
    write_tar(arguments.out / "validation-00000.tar", pictures, "validation", 0, 256)
    emit("finished", step="caption-tars", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
