"""What the embedded model looks at: scenes of one to four objects from all seen pictures, with everything true of them.

Made for the eyes: any size and place, counts, positions, plain, graded, two-toned and simply textured backgrounds.
Everything about a view follows from its seed. Sprites are resized once for each of a few sizes, so that composing
costs under a millisecond.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .pictures import BACKGROUNDS, SIZE, seed_of
from .seen import SEEN, SEEN_NAMES, called, countable, plural

SIZES = (22, 26, 30, 34, 39, 44, 50, 56, 63, 70, 78, 87, 96, 105, 114, 123)
"""Longest sides of sprites in pixels."""

NUMBERS = ("no", "one", "two", "three", "four")
MODE_NAMES = ("one", "several", "beside", "over", "many")
MODE_WEIGHTS = (52, 17, 15, 8, 8)
BACKGROUND_NAMES = tuple(BACKGROUNDS)


@dataclass(frozen=True)
class Placed:
    """One object where it stands: (left, top, right, bottom) in pixels."""

    name: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class View:
    """A picture of SIZE x SIZE and what is true of it. ``mode`` is one of MODE_NAMES.

    one: a single object; several: two to four of one kind; beside: the first is left of the second;
    over: the first is above the second; many: three or four kinds.
    """

    seed: int
    pixels: np.ndarray
    mode: str
    background: str
    placed: tuple[Placed, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order, each once."""
        return tuple(dict.fromkeys(one.name for one in self.placed))

    @property
    def image(self) -> Image.Image:
        """For files and processors."""
        return Image.fromarray(self.pixels)


def phrase_of(view: View) -> str:
    """'a cat', 'two cats', 'a cat and a dog', 'a cat above a dog', 'a cat, a dog and an apple'."""
    names = view.names
    if view.mode == "several":
        return f"{NUMBERS[len(view.placed)]} {plural(names[0])}"
    if view.mode == "over":
        return f"{called(names[0])} above {called(names[1])}"
    if len(names) == 1:
        return called(names[0])
    return f"{', '.join(called(name) for name in names[:-1])} and {called(names[-1])}"


def caption_of(view: View) -> str:
    """The one plain wording of what a view shows."""
    article = "an" if view.background == "orange" else "a"
    return f"{phrase_of(view)} on {article} {view.background} background"


@functools.cache
def _sprite(folder: str, code: str) -> Image.Image:
    """The picture cut to what is not transparent, premultiplied so that resizing keeps clean edges."""
    image = Image.open(Path(folder) / f"{code}.webp").convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox()).convert("RGBa")


@functools.cache
def _resized(folder: str, code: str, longest: int) -> np.ndarray:
    """[height, width, 4] uint8, premultiplied."""
    sprite = _sprite(folder, code)
    ratio = longest / max(sprite.size)
    width, height = (max(2, round(side * ratio)) for side in sprite.size)
    return np.asarray(sprite.resize((width, height), Image.Resampling.BILINEAR))


def _paste(canvas: np.ndarray, sprite: np.ndarray, centre: tuple[float, float]) -> tuple[int, int, int, int]:
    height, width = sprite.shape[:2]
    left = int(min(max(centre[0] - width / 2, 0), SIZE - width))
    top = int(min(max(centre[1] - height / 2, 0), SIZE - height))
    region = canvas[top : top + height, left : left + width]
    region *= 1 - sprite[..., 3:] * np.float32(1 / 255)
    region += sprite[..., :3]
    return left, top, left + width, top + height


_RAMP = np.linspace(-1, 1, SIZE, dtype=np.float32)
_ROWS, _COLUMNS = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)


def _shade(random_: random.Random) -> np.ndarray | float:
    """What is added to a background's colour: nothing, a grading, two tones, or a simple texture."""
    chance = random_.random()
    if chance < 0.4:
        return 0.0
    strength = random_.uniform(6, 24) * random_.choice((-1, 1))
    if chance < 0.65:
        return np.broadcast_to(
            strength * (_RAMP[:, None] if random_.random() < 0.7 else _RAMP[None, :]), (SIZE, SIZE)
        )[..., None]
    if chance < 0.85:
        angle, offset = random_.uniform(-1.2, 1.2), random_.uniform(-30, 30)
        side = (
            (_ROWS - 64) + angle * (_COLUMNS - 64) > offset
            if random_.random() < 0.7
            else _COLUMNS > 64 + offset
        )
        return (strength * (side * 2.0 - 1.0)).astype(np.float32)[..., None]
    period = random_.uniform(7, 20)
    wave = np.sin(_ROWS / period * 6.28) if chance < 0.9 else np.sin((_ROWS + _COLUMNS) / period * 6.28)
    if chance > 0.95:
        wave = np.sin(_ROWS / period * 6.28) * np.sin(_COLUMNS / period * 6.28)
    return (0.5 * strength * wave).astype(np.float32)[..., None]


def background(random_: random.Random, name: str) -> np.ndarray:
    """[SIZE, SIZE, 3] float: the named colour, a little off, shaded."""
    offset = [random_.uniform(-10, 10) for _ in range(3)]
    grey = random_.uniform(-12, 12)
    colour = np.array(BACKGROUNDS[name], np.float32) + np.array(offset, np.float32) + np.float32(grey)
    return np.broadcast_to(colour, (SIZE, SIZE, 3)).astype(np.float32) + _shade(random_)


def _sizes_between(low: int, high: int) -> tuple[int, ...]:
    return tuple(size for size in SIZES if low <= size <= high)


def _places(random_: random.Random, mode: str, count: int) -> list[tuple[float, float, int]]:
    """(x, y, size) of each object, in reading order, not overlapping much."""
    jitter = lambda reach: random_.uniform(-reach, reach)
    if mode == "one":
        size = random_.choice(SIZES[4:]) if random_.random() < 0.85 else random_.choice(SIZES[2:])
        room = (SIZE - size) / 2
        return [(64 + jitter(room), 64 + jitter(room), size)]
    if mode == "over":
        size = random_.choice(_sizes_between(34, 56))
        return [(64 + jitter(26), 32 + jitter(5), size), (64 + jitter(26), 96 + jitter(5), size)]
    if count == 2:
        size = random_.choice(_sizes_between(34, 56))
        first, second = size, random_.choice(_sizes_between(34, 56))
        return [(32 + jitter(5), 64 + jitter(24), first), (96 + jitter(5), 64 + jitter(24), second)]
    if count == 3 and random_.random() < 0.5:
        size = random_.choice(_sizes_between(30, 39))
        return [(22 + 42 * index + jitter(3), 64 + jitter(30), size) for index in range(3)]
    size = random_.choice(_sizes_between(34, 50))
    grid = [(32, 32), (96, 32), (32, 96), (96, 96)]
    if count == 3:
        grid = random_.choice(([(32, 32), (96, 32), (64, 96)], [(64, 32), (32, 96), (96, 96)]))
    return [(x + jitter(6), y + jitter(6), size) for x, y in grid]


def _cast(random_: random.Random, mode: str, main: str | None) -> list[str]:
    first = main or random_.choice(SEEN_NAMES)
    if mode == "one":
        return [first]
    if mode == "several":
        while not countable(first):
            first = random_.choice(SEEN_NAMES)
        return [first] * random_.choice((2, 3, 4))
    count = 2 if mode in ("beside", "over") else random_.choice((3, 3, 4))
    names = [first]
    while len(names) < count:
        name = random_.choice(SEEN_NAMES)
        if name not in names:
            names.append(name)
    random_.shuffle(names)
    return names


def compose_view(
    seed: int,
    pictures: Path,
    *,
    mode: str | None = None,
    names: list[str] | None = None,
    colour: str | None = None,
) -> View:
    """The view of a seed: the same pixels each time. What is given overrides the seed's choice."""
    random_ = random.Random(f"view {seed}")
    chosen = random_.choices(MODE_NAMES, MODE_WEIGHTS)[0]
    mode = mode or chosen
    behind = random_.choice(BACKGROUND_NAMES)
    behind = colour or behind
    cast = names or _cast(random_, mode, None)
    canvas = background(random_, behind)
    folder = str(pictures)
    mirrored = random_.random() < 0.5
    code = {name: random_.choice(SEEN[name][0]) for name in cast}
    placed = []
    for name, (x, y, size) in zip(cast, _places(random_, mode, len(cast)), strict=True):
        sprite = _resized(folder, code[name], size)
        placed.append(Placed(name, _paste(canvas, sprite[:, ::-1] if mirrored else sprite, (x, y))))
    pixels = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    return View(seed, pixels, mode, behind, tuple(placed))


def view_of(split: str, index: int, pictures: Path) -> View:
    """View number ``index`` of a split."""
    return compose_view(seed_of(split, index), pictures)
