"""Pictures with one plain caption each, for stage 0 and stage 1: views, and now and then a stranger."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from .album import STRANGER_CAPTIONS
from .pictures import seed_of
from .strangers import photographs, stranger
from .views import BACKGROUND_NAMES, caption_of, compose_view
from .world import DRAWN_NAMES

STRANGERS = 0.12


class Captioned:
    """Picture number n of a split, and what it shows; everything follows from the two."""

    def __init__(self, pictures: Path, photos: Path, screens: Path) -> None:
        self.pictures = pictures
        self.photos, self.screens = photographs(photos), photographs(screens)

    def one(self, split: str, number: int) -> tuple[np.ndarray, str]:
        """([SIZE, SIZE, 3] uint8, caption). A third of the single things are of those that the model also draws."""
        seed = seed_of(split, number)
        random_ = random.Random(f"captioned {seed}")
        if random_.random() < STRANGERS:
            pixels, kind = stranger(random_, self.photos, self.screens)
            return pixels, STRANGER_CAPTIONS[kind]
        if random_.random() < 0.2:
            name, colour = random_.choice(DRAWN_NAMES), random_.choice(BACKGROUND_NAMES)
            view = compose_view(seed, self.pictures, mode="one", names=[name], colour=colour)
        else:
            view = compose_view(seed, self.pictures)
        return view.pixels, caption_of(view)
