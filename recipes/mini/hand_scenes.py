"""What the hand is taught to draw: scenes of few, fixed layouts, with captions in many wordings.

The eyes must find an object anywhere; the hand may choose where to put it. Here a caption says all that
matters of its picture: object, size, company, place and background. What it leaves open is a shade.
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

LAYOUTS = ("single", "single small", "single large", "beside right", "beside left", "pair", "two", "three")
UNSAID = "white"
"""The background of a caption that names none."""

# Boxes of the layouts: (longest side, centre x, centre y) in pixels, of the main object and then of its company.
_PLACES = {
    "single": ((96, 64, 64),),
    "single small": ((58, 64, 64),),
    "single large": ((120, 64, 64),),
    "beside right": ((78, 44, 60), (46, 102, 84)),
    "beside left": ((78, 84, 60), (46, 26, 84)),
    "pair": ((60, 33, 64), (60, 95, 64)),
    "two": ((60, 33, 64), (60, 95, 64)),
    "three": ((50, 64, 35), (50, 32, 92), (50, 96, 92)),
}

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
        "{a} and {s}", "{a} and {s}", "{a} with {s} beside it", "{a} with {s} beside it", "{s} to the right of {a}",
        "{a} and {s} to the right of it", "{a} next to {s}",
    ),
    "beside left": ("{s} to the left of {a}", "{s} to the left of {a}", "{a} and {s} to the left of it"),
}  # fmt: skip
_PAIR = (
    "{a} and {s}",
    "{a} and {s}",
    "{a} next to {s}",
    "{a} beside {s}",
    "{a} to the left of {s}",
    "{a} with {s}",
)


@dataclass(frozen=True)
class HandScene:
    """What a drawing shows; `second` is None unless there is company of another kind."""

    main: str
    background: str
    layout: str
    second: str | None = None


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
    words = f"{adjective} {word}".strip()
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
    elif scene.second is not None and layout.startswith("beside"):
        what = random_.choice(_BESIDE[layout]).format(
            a=shown(random_, main), s=shown(random_, scene.second, "small")
        )
    elif scene.second is not None and layout == "pair":
        what = random_.choice(_PAIR).format(a=shown(random_, main), s=shown(random_, scene.second))
    else:
        what = f"{layout} {plural(main)}"
    if scene.background == UNSAID and random_.random() < 0.35:
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


def paint(random_: random.Random, scene: HandScene, pictures: Path) -> Image.Image:
    """The picture of a scene; random_ chooses the background's shade."""
    canvas = _background(random_, scene.background)
    names = [scene.main, scene.second or scene.main, scene.main]
    for name, (longest, x, y) in zip(names, _PLACES[scene.layout], strict=False):
        _paste(canvas, _sized(str(pictures), DRAWN[name], longest), longest, (x, y), False)
    return Image.fromarray(np.clip(np.rint(canvas), 0, 255).astype(np.uint8))


def some_scene(random_: random.Random, layout: str) -> HandScene:
    """A scene of a layout, everything else by chance."""
    main = random_.choice(DRAWN_NAMES)
    second = None
    if layout in ("beside right", "beside left", "pair"):
        second = random_.choice([name for name in DRAWN_NAMES if name != main])
    return HandScene(main, random_.choice(tuple(BACKGROUNDS)), layout, second)


def hand_scene(seed: int, layout: str, pictures: Path) -> tuple[HandScene, str, Image.Image]:
    """Scene, caption and picture of a seed: the same each time."""
    random_ = random.Random(f"hand {layout} {seed}")
    scene = some_scene(random_, layout)
    return scene, caption_of(random_, scene), paint(random_, scene, pictures)


assert all(0 < x < SIZE and 0 < y < SIZE for places in _PLACES.values() for _, x, y in places)
