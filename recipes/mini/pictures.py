"""Simple scenes with true captions, composed from registry pictures.

A scene is one object on a plain or softly graded background, in one case of five with
a smaller second object beside it. Everything about a scene follows from its seed, and
the caption is written from the same values that placed the pixels, so it cannot be wrong.

Pictures: npm @lobehub/fluent-emoji-3d@1.1.0 (MIT), 256 x 256 webp with alpha.
"""

from __future__ import annotations

import argparse
import functools
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from .objects import NAMES, OBJECTS

SIZE = 128
PICTURES_PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
SPLITS = ("training", "validation", "held-out")

# Muted on purpose: an apple must stay visible on "red". RGB of the middle of the gradient.
BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (244, 244, 244),
    "black": (28, 28, 30),
    "gray": (140, 142, 146),
    "red": (196, 52, 58),
    "orange": (240, 148, 64),
    "yellow": (248, 222, 104),
    "green": (96, 170, 96),
    "blue": (72, 128, 208),
    "purple": (140, 92, 184),
    "pink": (246, 172, 196),
}

_ONE = (
    "{a} on {b}",
    "{a} in front of {b}",
    "a picture of {a} on {b}",
    "{a}, with {b} behind it",
)
_TWO = (
    "{a} and {s} on {b}",
    "{a} with {s} beside it on {b}",
    "{s} to the {side} of {a} on {b}",
)


Box: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True)
class Scene:
    """One picture and everything that is true of it. Boxes are (left, top, right, bottom) in pixels."""

    seed: int
    image: Image.Image
    caption: str
    main_object: str
    background: str
    size_word: str | None
    main_box: Box
    second_object: str | None = None
    second_side: str | None = None
    second_box: Box | None = None


def with_article(words: str) -> str:
    """'apple' -> 'an apple'. A unicorn begins with a consonant's sound."""
    vowel = words[0] in "aeiou" and not words.startswith("uni")
    return f"{'an' if vowel else 'a'} {words}"


def split_of(seed: int) -> str:
    """The split a seed belongs to: of each twenty, eighteen train, one validates, one is held out."""
    return {18: "validation", 19: "held-out"}.get(seed % 20, "training")


def seed_of(split: str, index: int) -> int:
    """The index-th seed of a split."""
    if split == "training":
        return index // 18 * 20 + index % 18
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; there are {', '.join(SPLITS)}")
    return index * 20 + (18 if split == "validation" else 19)


def fetch_pictures(cache: Path) -> Path:
    """The folder of webp files under cache; fetched with `npm pack` when it is not there."""
    target = cache / re.sub(r"[^a-z0-9.]+", "-", PICTURES_PACKAGE).strip("-")
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        done = subprocess.run(
            ["npm", "pack", "--silent", PICTURES_PACKAGE],
            check=False,
            cwd=scratch,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"npm pack {PICTURES_PACKAGE} failed: {done.stderr.strip()}")
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
            archive.extractall(scratch, filter="data")
        shutil.move(Path(scratch) / "package" / "assets", target)
    return target


@functools.cache
def _sprite(folder: str, name: str) -> Image.Image:
    """The object's pixels, cut to what is not transparent, premultiplied so that resizing keeps clean edges."""
    image = Image.open(Path(folder) / f"{OBJECTS[name][0]}.webp").convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox()).convert("RGBa")


def _background(random_: random.Random, name: str) -> np.ndarray:
    """[SIZE, SIZE, 3] float: the named colour, a little off, plain or graded by up to 18 levels each way."""
    offset = random_.uniform(-8, 8)
    colour = np.array(BACKGROUNDS[name], np.float32) + offset
    if random_.random() < 0.5:
        return np.broadcast_to(colour, (SIZE, SIZE, 3)).copy()
    strength = random_.uniform(8, 18) * random_.choice((-1, 1))
    ramp = np.linspace(-strength, strength, SIZE, dtype=np.float32)
    grid = ramp[:, None] if random_.random() < 0.7 else ramp[None, :]
    return colour + np.broadcast_to(grid, (SIZE, SIZE))[..., None]


def _paste(
    canvas: np.ndarray, sprite: Image.Image, longest: int, centre: tuple[int, int], mirrored: bool
) -> Box:
    """Blend a sprite into the canvas; returns its box, which lies inside the canvas."""
    ratio = longest / max(sprite.size)
    width, height = (max(1, round(side * ratio)) for side in sprite.size)
    small = np.asarray(sprite.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    if mirrored:
        small = small[:, ::-1]
    left = min(max(centre[0] - width // 2, 0), SIZE - width)
    top = min(max(centre[1] - height // 2, 0), SIZE - height)
    region = canvas[top : top + height, left : left + width]
    region *= 1 - small[..., 3:] / 255
    region += small[..., :3]
    return left, top, left + width, top + height


def _caption(
    random_: random.Random,
    main: str,
    size_word: str | None,
    background: str,
    second: str | None,
    side: str | None,
) -> str:
    shown = with_article(f"{size_word} {main}" if size_word and random_.random() < 0.5 else main)
    behind = with_article(f"{background} background")
    if second is None:
        # The plain form half of the time: it is what a person asks for.
        form = _ONE[0] if random_.random() < 0.5 else random_.choice(_ONE[1:])
        return form.format(a=shown, b=behind)
    small = f"a small {second}"
    return random_.choice(_TWO).format(a=shown, b=behind, s=small, side=side)


def compose(seed: int, pictures: Path, main_object: str | None = None, variety: float = 1.0) -> Scene:
    """The scene of a seed: the same bytes each time.

    pictures: what fetch_pictures returned. main_object overrides the seed's choice (balanced evaluations).
    variety: 1 is the real thing; towards 0, single objects come at one size in the middle, unmirrored
    (first lessons of the eyes, and what the hand is taught to draw).
    """
    random_ = random.Random(f"scene {seed}")
    drawn = random_.choice(NAMES)
    main = main_object or drawn
    background = random_.choice(tuple(BACKGROUNDS))
    canvas = _background(random_, background)
    mirrored = random_.random() < 0.5 * variety
    size_word: str | None = None
    second: str | None = None
    side: Literal["left", "right"] | None = None
    second_box: Box | None = None
    if random_.random() < 0.2:
        second = random_.choice([name for name in NAMES if name != main])
        side = random_.choice(("left", "right"))
        longest, small = random_.randint(72, 84), random_.randint(34, 42)
        away = 1 if side == "left" else -1
        centre = (64 + away * random_.randint(16, 22), 64 + random_.randint(-8, 8))
        main_box = _paste(canvas, _sprite(str(pictures), main), longest, centre, mirrored)
        beside = (64 - away * random_.randint(40, 46), 64 + random_.randint(10, 28))
        second_box = _paste(canvas, _sprite(str(pictures), second), small, beside, False)
    else:
        # A normal law about 96 pixels, so that "mostly large" holds and small ones occur.
        longest = round(96 + variety * (int(min(116, max(54, random_.gauss(96, 14)))) - 96))
        room = (SIZE - longest) // 2
        centre = (
            64 + round(variety * (random_.randint(-room, room) // 2)),
            64 + round(variety * (random_.randint(-room, room) // 2)),
        )
        main_box = _paste(canvas, _sprite(str(pictures), main), longest, centre, mirrored)
        size_word = "small" if longest < 76 else "large" if longest > 108 else None
    caption = _caption(random_, main, size_word, background, second, side)
    image = Image.fromarray(np.clip(np.rint(canvas), 0, 255).astype(np.uint8))
    return Scene(seed, image, caption, main, background, size_word, main_box, second, side, second_box)


def main(argv: list[str] | None = None) -> int:
    """Write a contact sheet of scenes, to be looked at."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache/mini/raw"))
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--count", type=int, default=len(NAMES))
    parser.add_argument("--catalogue", action="store_true", help="each object once, in order")
    arguments = parser.parse_args(argv)
    pictures = fetch_pictures(arguments.cache)
    columns = 12
    sheet = Image.new("RGB", (columns * SIZE, -(-arguments.count // columns) * SIZE))
    for index in range(arguments.count):
        scene = compose(index, pictures, NAMES[index % len(NAMES)] if arguments.catalogue else None)
        sheet.paste(scene.image, (index % columns * SIZE, index // columns * SIZE))
    sheet.save(arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
