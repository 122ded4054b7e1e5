"""Pictures with one plain caption each, for stage 0 and stage 1: views, and now and then a stranger."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from .album import STRANGER_CAPTIONS, on, painted
from .hand_scenes import HandScene
from .pictures import seed_of
from .seen import called
from .strangers import photographs, stranger
from .views import BACKGROUND_NAMES, MODE_NAMES, Placed, caption_of, compose_view
from .world import DRAWN_NAMES

STRANGERS = 0.1
MODE_WEIGHTS = (30, 20, 24, 23, 3)
"""Of views' modes: more counts and places than views have by themselves."""
DRAWINGS = 0.08
"""Pictures as the hand draws them: soft, and what the model is asked about after it drew."""
DRAWN = 0.3
"""Of single things and of pairs, how many are of those that the model also draws."""


class Captioned:
    """Picture number n of a split, and what it shows; everything follows from the two."""

    def __init__(self, pictures: Path, photos: Path, screens: Path) -> None:
        self.pictures = pictures
        self.photos, self.screens = photographs(photos), photographs(screens)

    def one(self, split: str, number: int) -> tuple[np.ndarray, str]:
        """([SIZE, SIZE, 3] uint8, caption)."""
        return self.placed(split, number)[:2]

    def placed(self, split: str, number: int) -> tuple[np.ndarray, str, tuple[Placed, ...]]:
        """The same, and where the things of a view stand; nothing of other pictures."""
        seed = seed_of(split, number)
        random_ = random.Random(f"captioned {seed}")
        if random_.random() < STRANGERS:
            pixels, kind = stranger(random_, self.photos, self.screens)
            return pixels, STRANGER_CAPTIONS[kind], ()
        if random_.random() < DRAWINGS:
            scene = HandScene(random_.choice(DRAWN_NAMES), random_.choice(BACKGROUND_NAMES), "single")
            image, _ = painted(random_, scene, self.pictures)
            return np.asarray(image), f"{called(scene.main)} {on(scene.background or 'white')}", ()
        mode = random_.choices(MODE_NAMES, MODE_WEIGHTS)[0]
        size = {"one": 1, "beside": 2, "over": 2}.get(mode, 0)
        names = random_.sample(DRAWN_NAMES, size) if size and random_.random() < DRAWN else None
        view = compose_view(seed, self.pictures, mode=mode, names=names)
        return view.pixels, caption_of(view), view.placed
