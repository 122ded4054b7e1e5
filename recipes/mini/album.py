"""The pictures of the training conversations and what is true of them: views, drawings as the hand makes them, strangers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from .hand_scenes import HandScene, arranged, paint
from .hand_scenes import plural as hand_plural
from .pictures import SIZE, _background, with_article
from .seen import SEEN, called, countable, synonyms
from .strangers import stranger
from .views import BACKGROUND_NAMES, NUMBERS, View, caption_of, compose_view, phrase_of
from .world import DRAWN_NAMES

COLOURS = BACKGROUND_NAMES
Kind = Literal["view", "drawing", "photograph", "screenshot"]
STRANGER_CAPTIONS = {
    "photograph": "a photograph of something unknown",
    "screenshot": "a screenshot with words",
}


def on(colour: str) -> str:
    """'on an orange background'."""
    return f"on {with_article(f'{colour} background')}"


@dataclass(frozen=True)
class Shown:
    """A picture of the conversation. ``names``: left to right or top to bottom, each once; ``order`` what that means."""

    file: str
    kind: Kind
    names: tuple[str, ...]
    number: int
    order: str
    """alone, several, beside, over or many."""
    colour: str
    what: str
    """'two cats': what is in it, without the background."""
    caption: str

    @property
    def main(self) -> str:
        """The first name."""
        return self.names[0]

    @property
    def known(self) -> bool:
        """Whether it is a picture of things that the model knows."""
        return self.kind in ("view", "drawing")


def shown_view(view: View, file: str) -> Shown:
    """What is true of a view."""
    order = {"one": "alone"}.get(view.mode, view.mode)
    return Shown(
        file,
        "view",
        view.names,
        len(view.placed),
        order,
        view.background,
        phrase_of(view),
        caption_of(view),
    )


@dataclass(frozen=True)
class Wish:
    """What a person wants drawn: a layout of the hand, names, and the words used for them ("a puppy")."""

    layout: str
    names: tuple[str, ...]
    words: tuple[str, ...]
    colour: str

    @property
    def what(self) -> str:
        """'a small puppy', 'two cats', 'a cat to the left of a dog'."""
        match self.layout:
            case "single":
                return self.words[0]
            case "single small" | "single large":
                size = self.layout.split()[1]
                article, _, rest = self.words[0].partition(" ")
                return f"a {size} {rest}" if article in ("a", "an") else self.words[0]
            case "two" | "three":
                return f"{self.layout} {hand_plural(self.names[0])}"
            case "beside right":
                return f"{self.words[0]} to the left of {self.words[1]}"
            case "beside left":
                return f"{self.words[0]} to the right of {self.words[1]}"
        return f"{self.words[0]} and {self.words[1]}"

    @property
    def is_are(self) -> str:
        """For 'Here ...'."""
        many = self.layout in ("two", "three", "pair") or self.words[0].startswith("some ")
        return "are" if many else "is"

    @property
    def caption(self) -> str:
        """For the hand."""
        return f"{self.what} {on(self.colour)}"


def word_for(random_: random.Random, name: str) -> str:
    """'a dog', one time in eight 'a puppy'."""
    others = [other for other in synonyms(name) if other not in SEEN]
    if others and random_.random() < 0.12:
        word = random_.choice(others)
        return word if word.endswith("s") and not word.endswith("ss") else with_article(word)
    return called(name)


class Album:
    """Pictures of one split, written as they are used."""

    def __init__(
        self,
        pictures: Path,
        out: Path,
        split: str,
        random_: random.Random,
        photos: list[np.ndarray],
        screens: list[np.ndarray],
    ) -> None:
        self.pictures, self.out, self.split, self.random = pictures, out, split, random_
        self.photos, self.screens, self.count = photos, screens, 0

    def _write(self, image: Image.Image | np.ndarray) -> str:
        self.count += 1
        file = f"{self.split}-{self.count:06d}.png"
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        picture.save(self.out / file, compress_level=1)
        return file

    def show(
        self, mode: str | None = None, names: list[str] | None = None, colour: str | None = None
    ) -> Shown:
        """A view; half of them of things that the model also draws."""
        random_ = self.random
        mode = mode or random_.choices(("one", "several", "beside", "over", "many"), (54, 18, 12, 10, 6))[0]
        if names is None and mode == "one" and random_.random() < 0.4:
            names = [random_.choice(DRAWN_NAMES)]
        view = compose_view(random_.getrandbits(40), self.pictures, mode=mode, names=names, colour=colour)
        return shown_view(view, self._write(view.pixels))

    def wish(self, name: str | None = None, colour: str | None = None, layout: str | None = None) -> Wish:
        """Something to draw; mostly one thing."""
        random_ = self.random
        layout = (
            layout
            or random_.choices(
                (
                    "single",
                    "single small",
                    "single large",
                    "two",
                    "three",
                    "beside right",
                    "beside left",
                    "pair",
                ),
                (70, 3, 3, 6, 4, 3, 3, 8),
            )[0]
        )
        first = name or random_.choice(DRAWN_NAMES)
        if layout in ("two", "three"):
            while not countable(first):
                first = random_.choice(DRAWN_NAMES)
        names: tuple[str, ...] = (first,)
        if layout in ("beside right", "beside left", "pair"):
            second = random_.choice([other for other in DRAWN_NAMES if other != first])
            names = (first, second)
        words = tuple(word_for(random_, each) for each in names)
        return Wish(layout, names, words, colour or random_.choice(COLOURS))

    def draw(self, wish: Wish) -> Shown:
        """The wish as the hand draws it."""
        second = wish.names[1] if len(wish.names) > 1 else None
        scene = HandScene(wish.names[0], wish.colour, wish.layout, second)
        image, placed = painted(self.random, scene, self.pictures)
        names = tuple(dict.fromkeys(name for _, name in sorted(placed)))
        order = {"two": "several", "three": "several"}.get(wish.layout, "beside" if second else "alone")
        number = {"two": 2, "three": 3}.get(wish.layout, len(names))
        return Shown(
            self._write(image),
            "drawing",
            names,
            number,
            order,
            wish.colour,
            wish.what,
            wish.caption,
        )

    def strange(self) -> Shown:
        """A photograph or a screenshot."""
        pixels, kind = stranger(self.random, self.photos, self.screens)
        caption = STRANGER_CAPTIONS[kind]
        return Shown(self._write(pixels), kind, (kind,), 1, "alone", "", caption, caption)  # type: ignore[arg-type]


def painted(
    random_: random.Random, scene: HandScene, pictures: Path
) -> tuple[Image.Image, list[tuple[int, str]]]:
    """A drawing, softened a little as a decoder's are, and (left corner, name) of what is in it."""
    seed = random_.getrandbits(48)
    image = paint(random.Random(seed), scene, pictures)
    again = random.Random(seed)  # the same choices once more: paint does not say where it put what
    _background(again, scene.background or "white")
    placed = [(one.left, one.name) for one in arranged(again, scene)]
    soft = image.resize((round(SIZE * 0.75),) * 2, Image.Resampling.BILINEAR).resize(
        (SIZE, SIZE), Image.Resampling.BICUBIC
    )
    return Image.blend(image, soft, random_.uniform(0, 0.8)), placed


def number_word(number: int) -> str:
    """'three'."""
    return NUMBERS[number]
