"""Held-out scenes as files, for evaluations outside Python: ``textbind evaluate --scenes DIR``.

Writes ``NNN.jpg`` (the picture set's 128 x 128 scenes, small enough for a repository) and last
``scenes.json``: the scenes with their captions and main objects, the objects to draw with a caption each,
and the colours of backgrounds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from textbind_trainer.files import write_json

from .evaluate_parts import requests
from .pictures import BACKGROUNDS, fetch_pictures, with_article
from .scenes import batch_of

JPEG_QUALITY = 90


def export(pictures: Path, out: Path, count: int, split: str = "held-out") -> None:
    """Write ``count`` scenes of a split and as many captions to draw as evaluations ask for."""
    out.mkdir(parents=True, exist_ok=True)
    scenes = []
    for index, scene in enumerate(batch_of(pictures, split, 0, count)):
        name = f"{index:03}.jpg"
        scene.image.save(out / name, quality=JPEG_QUALITY, subsampling=0)
        scenes.append({"file": name, "caption": scene.caption, "mainObject": scene.main_object})
    drawings = [
        {
            "object": name,
            "phrase": with_article(name),
            "caption": f"{with_article(name)} on {with_article(f'{colour} background')}",
        }
        for name, colour in requests()
    ]
    write_json(
        out / "scenes.json", {"scenes": scenes, "drawings": drawings, "backgrounds": list(BACKGROUNDS)}
    )


def main(argv: list[str] | None = None) -> None:
    """Command: write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args(argv)
    export(fetch_pictures(arguments.pictures), arguments.out, arguments.count)


if __name__ == "__main__":
    main()
