"""What the hand is taught to draw: scenes of few, fixed layouts, with captions in many wordings.

A caption says objects, number, sizes, order and mostly the background. What it leaves open (which way an object looks,
where a small one stands, the order of two, the background's shade) is left to chance, and to the noise when drawing.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .pictures import BACKGROUNDS, SIZE, _background, _paste, with_article
from .world import DRAWN, DRAWN_NAMES, SYNONYMS

CELL = 16
"""Pixels of a side of a latent cell."""

LAYOUTS = ("single", "single small", "single large", "beside right", "beside left", "pair", "two", "three")


@dataclass(frozen=True)
class Box:
    """A square of cells of CELL pixels; the object's longest side inside it, in pixels."""

    cells: int
    longest: int


USUAL, SMALL, LARGE = Box(8, 104), Box(4, 60), Box(8, 124)
BOXES = (USUAL, SMALL, LARGE)

# Where boxes may stand, corners (top, left) in cells: one row is taken by chance, one corner for each object. On even
# cells: a network with two halvings then sees the same picture moved.
_LEFT, _RIGHT = (2, 0), (2, 4)
_PLACES: dict[str, tuple[Box, tuple[tuple[tuple[int, int], ...], ...]]] = {
    "single": (USUAL, (((0, 0),),)),
    "single small": (SMALL, tuple(((top, left),) for top in (2, 4) for left in (0, 2, 4))),
    "single large": (LARGE, (((0, 0),),)),
    "beside right": (SMALL, ((_LEFT, _RIGHT),)),
    "beside left": (SMALL, ((_RIGHT, _LEFT),)),
    "pair": (SMALL, ((_LEFT, _RIGHT), (_RIGHT, _LEFT))),
    "two": (SMALL, ((_LEFT, _RIGHT),)),
    "three": (SMALL, (((0, 2), (4, 0), (4, 4)), ((0, 0), (0, 4), (4, 2)))),
}
UNSAID = 0.12
"""Share of captions that name no background."""

_LIKED = ("cute", "nice", "lovely", "simple", "beautiful", "happy", "colorful", "single", "cartoon")
"""Words that change nothing of a picture here."""
_BEHIND = (
    "on {b}", "on {b}", "on {b}", "on {b}", "on {b}", "in front of {b}", "with {b} behind it", ", with {b} behind it",
    "on a plain {c} background", "on {c}", "with {b}", "against {b}",
)  # fmt: skip
_OPENING = (
    "",
    "",
    "",
    "",
    "",
    "",
    "a picture of ",
    "a picture of ",
    "a drawing of ",
    "draw ",
    "an image of ",
)
_BESIDE = {
    "beside right": (
        "{a} to the left of {s}", "{a} to the left of {s}", "{a} left of {s}", "{s} to the right of {a}",
        "{a} with {s} to its right", "{a} on the left and {s} on the right",
    ),
    "beside left": (
        "{a} to the right of {s}", "{a} to the right of {s}", "{a} right of {s}", "{s} to the left of {a}",
        "{a} with {s} to its left", "{a} on the right and {s} on the left",
    ),
    "pair": (
        "{a} and {s}", "{a} and {s}", "{a} and {s}", "{a} next to {s}", "{a} beside {s}", "{a} with {s}",
        "{a} with {s} beside it",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class HandScene:
    """What a caption says; `second` is None unless there is company of another kind, `background` if it names none."""

    main: str
    background: str | None
    layout: str
    second: str | None = None


@dataclass(frozen=True)
class Placed:
    """An object in its box, whose corner is at (top, left) in cells."""

    name: str
    box: Box
    top: int
    left: int
    mirrored: bool


def plural(name: str) -> str:
    """'fox' -> 'foxes', 'cherries' -> 'cherries'."""
    special = {"mouse": "mice", "sheep": "sheep", "deer": "deer", "wolf": "wolves", "goose": "geese"}
    if name in special:
        return special[name]
    if is_plural(name):
        return name
    if " of " in name:
        first, rest = name.split(" of ", 1)
        return f"{plural(first)} of {rest}"
    if name.endswith(("ch", "sh", "x", "ss", "us")):
        return f"{name}es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def is_plural(name: str) -> bool:
    """Whether the name itself stands for several or for a pair ('grapes', 'scissors')."""
    return name in {
        "grapes", "cherries", "french fries", "fries", "chips", "glasses", "eyeglasses", "spectacles", "jeans",
        "trousers", "pants", "headphones", "scissors",
    }  # fmt: skip


def shown(random_: random.Random, name: str, adjective: str = "") -> str:
    """'an apple', 'a small apple', now and then a synonym; plural names go without 'a'."""
    word = random_.choice(SYNONYMS[name]) if name in SYNONYMS and random_.random() < 0.15 else name
    liked = random_.choice(_LIKED) if random_.random() < 0.05 else ""
    words = " ".join(each for each in (adjective, liked, word) if each)
    if is_plural(word):
        return words if random_.random() < 0.4 else f"{random_.choice(('some', 'a'))} {words}"
    return f"the {words}" if random_.random() < 0.03 else with_article(words)


def caption_of(random_: random.Random, scene: HandScene) -> str:
    """One of the many wordings that say exactly what the scene shows."""
    main, layout = scene.main, scene.layout
    if layout.startswith("single"):
        size = {"single": "", "single small": "small", "single large": "large"}[layout]
        if size and random_.random() < 0.2:
            size = {"small": random_.choice(("tiny", "little")), "large": random_.choice(("big", "huge"))}[
                size
            ]
        what = shown(random_, main, size)
    elif scene.second is not None and layout in _BESIDE:
        what = random_.choice(_BESIDE[layout]).format(a=shown(random_, main), s=shown(random_, scene.second))
    else:
        what = f"{layout} {plural(main)}"
    if scene.background is None:
        behind = ""
    else:
        behind = random_.choice(_BEHIND).format(
            b=with_article(f"{scene.background} background"), c=scene.background
        )
    joined = f"{random_.choice(_OPENING)}{what}{'' if behind.startswith(',') or not behind else ' '}{behind}"
    return joined + random_.choice(("", "", "", "."))


@functools.cache
def sprite(folder: str, code: str) -> Image.Image:
    """The object's pixels, cut to what is not transparent, premultiplied so that resizing keeps clean edges."""
    image = Image.open(Path(folder) / f"{code}.webp").convert("RGBA")
    return image.crop(image.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox()).convert("RGBa")


def scaled(image: Image.Image, ratio: float) -> tuple[int, int]:
    """Width and height at a share of a picture's own, at least 1 each."""
    return max(1, round(image.width * ratio)), max(1, round(image.height * ratio))


@functools.lru_cache(4096)
def _sized(folder: str, code: str, longest: int) -> Image.Image:
    """A sprite at the size of a layout: resizing is most of what a scene costs."""
    image = sprite(folder, code)
    return image.resize(scaled(image, longest / max(image.size)), Image.Resampling.LANCZOS, reducing_gap=3.0)


def arranged(random_: random.Random, scene: HandScene) -> list[Placed]:
    """Chance decides what the caption leaves open: the place, and which way each object looks."""
    box, choices = _PLACES[scene.layout]
    names = (scene.main, scene.second or scene.main, scene.main)
    return [
        Placed(name, box, top, left, random_.random() < 0.5)
        for name, (top, left) in zip(names, random_.choice(choices), strict=False)
    ]


def paint(random_: random.Random, scene: HandScene, pictures: Path) -> Image.Image:
    """A picture of a scene; random_ chooses what its caption leaves open."""
    canvas = _background(random_, scene.background or random_.choice(tuple(BACKGROUNDS)))
    for placed in arranged(random_, scene):
        half = placed.box.cells * CELL // 2
        centre = (placed.left * CELL + half, placed.top * CELL + half)
        small = _sized(str(pictures), DRAWN[placed.name], placed.box.longest)
        _paste(canvas, small, placed.box.longest, centre, placed.mirrored)
    return Image.fromarray(np.clip(np.rint(canvas), 0, 255).astype(np.uint8))


def some_scene(random_: random.Random, layout: str) -> HandScene:
    """A scene of a layout, everything else by chance."""
    main = random_.choice(DRAWN_NAMES)
    second = None
    while layout in _BESIDE and second in (None, main):
        second = random_.choice(DRAWN_NAMES)
    background = None if random_.random() < UNSAID else random_.choice(tuple(BACKGROUNDS))
    return HandScene(main, background, layout, second)


def hand_scene(seed: int, layout: str, pictures: Path) -> tuple[HandScene, str, Image.Image]:
    """Scene, caption and picture of a seed: the same each time."""
    random_ = random.Random(f"hand {layout} {seed}")
    scene = some_scene(random_, layout)
    return scene, caption_of(random_, scene), paint(random_, scene, pictures)


assert all(
    0 <= corner <= SIZE // CELL - box.cells
    for box, choices in _PLACES.values()
    for corners in choices
    for place in corners
    for corner in place
)
