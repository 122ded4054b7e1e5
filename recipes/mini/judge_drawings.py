"""Counts, by the independent judge, what drawings show; the drawings themselves come from the engine.

    python -m recipes.mini.judge_drawings prompts --folder F
    npm run textbind -- draw --model textbind-mini --prompts F/prompts.txt --seed 1 --out F/drawings
    python -m recipes.mini.judge_drawings count --folder F --judge .cache/mini

Prompts are held out: their wordings come from seeds that no training uses, each object at most once among the single
ones. The judge's own mistakes are counted beside, on the true pictures of the same prompts.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from textbind_trainer.events import emit
from textbind_trainer.files import write_json

from .hand_scenes import HandScene, caption_of, paint
from .judge import Judge, load_judge, verdicts
from .pictures import BACKGROUNDS, SIZE, fetch_pictures
from .world import DRAWN_NAMES

SHEET = 64


def held_out_prompts(singles: int, doubles: int) -> list[dict[str, Any]]:
    """Rows of caption, main, second (null for single objects), background, layout; the same each time."""
    random_ = random.Random("held-out prompts of drawings")
    names = random_.sample(DRAWN_NAMES, singles)
    scenes = [
        HandScene(
            name,
            random_.choice(tuple(BACKGROUNDS)),
            random_.choices(("single", "single small", "single large"), (8, 1, 1))[0],
        )
        for name in names
    ]
    for _ in range(doubles):
        main, second = random_.sample(DRAWN_NAMES, 2)
        layout = random_.choice(("beside right", "beside left", "pair"))
        scenes.append(HandScene(main, random_.choice(tuple(BACKGROUNDS)), layout, second))
    return [vars(scene) | {"caption": caption_of(random_, scene)} for scene in scenes]


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if of == 0:
        return 0.0, 1.0
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * ((share * (1 - share) + z * z / (4 * of)) / of) ** 0.5 / (1 + z * z / of)
    return round(middle - half, 3), round(middle + half, 3)


def background_of(image: Image.Image) -> str:
    """The named colour that the picture's upper corners are nearest to."""
    values = np.asarray(image.convert("RGB"), np.float32)
    corners = np.median(
        np.concatenate([values[:8, :8].reshape(-1, 3), values[:8, -8:].reshape(-1, 3)]), axis=0
    )
    return min(BACKGROUNDS, key=lambda name: float(np.square(corners - BACKGROUNDS[name]).sum()))


def count(
    rows: list[dict[str, Any]], images: Sequence[Image.Image], judge: Judge
) -> dict[str, dict[str, Any]]:
    """Shares right, with intervals: objects of single drawings, both and one of double ones, backgrounds."""
    seen = [
        answer
        for first in range(0, len(images), 50)
        for answer in verdicts(judge, images[first : first + 50])
    ]
    single = [
        answer[0] == row["main"] for row, answer in zip(rows, seen, strict=True) if row["second"] is None
    ]
    double = [(row, set(answer)) for row, answer in zip(rows, seen, strict=True) if row["second"] is not None]
    marks = {
        "single": single,
        "single among the first two": [
            row["main"] in answer for row, answer in zip(rows, seen, strict=True) if row["second"] is None
        ],
        "both of two": [{row["main"], row["second"]} == answer for row, answer in double],
        "main of two": [row["main"] in answer for row, answer in double],
        "background": [
            background_of(image) == row["background"] for row, image in zip(rows, images, strict=True)
        ],
    }
    return {
        name: {"right": sum(each), "of": len(each), "interval": interval(sum(each), len(each))}
        for name, each in marks.items()
    }


def contact_sheet(images: Sequence[Image.Image], path: Path, columns: int = 8) -> None:
    """The first SHEET drawings, in order."""
    chosen = images[:SHEET]
    sheet = Image.new("RGB", (columns * SIZE, -(-len(chosen) // columns) * SIZE), "white")
    for index, image in enumerate(chosen):
        sheet.paste(image.convert("RGB"), (index % columns * SIZE, index // columns * SIZE))
    sheet.save(path, optimize=True)


def main(argv: list[str] | None = None) -> int:
    """`prompts` writes what to draw, `count` judges what was drawn."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("what", choices=("prompts", "count"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--judge", type=Path, default=Path(".cache/mini"), help="folder of judge.safetensors")
    parser.add_argument("--raw", type=Path, help="registry packages, default JUDGE/raw")
    parser.add_argument("--singles", type=int, default=110)
    parser.add_argument("--doubles", type=int, default=20)
    arguments = parser.parse_args(argv)
    table = arguments.folder / "prompts.json"
    if arguments.what == "prompts":
        rows = held_out_prompts(arguments.singles, arguments.doubles)
        arguments.folder.mkdir(parents=True, exist_ok=True)
        write_json(table, {"prompts": rows})
        (arguments.folder / "prompts.txt").write_text("\n".join(row["caption"] for row in rows) + "\n")
        return 0
    rows = json.loads(table.read_text())["prompts"]
    images = [Image.open(arguments.folder / "drawings" / f"{at + 1:03d}.png") for at in range(len(rows))]
    judge, random_ = load_judge(arguments.judge), random.Random("true pictures")
    pictures = fetch_pictures(arguments.raw or arguments.judge / "raw")
    true = [
        paint(random_, HandScene(row["main"], row["background"], row["layout"], row["second"]), pictures)
        for row in rows
    ]
    emit(
        "evaluation", run="drawings", drawn=count(rows, images, judge), true_pictures=count(rows, true, judge)
    )
    contact_sheet(images, arguments.folder / "contact-sheet.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
