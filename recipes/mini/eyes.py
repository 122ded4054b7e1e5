"""Second lessons of the eyes: all seen pictures, counts and places, and what is no scene at all.

Goes on from the vision encoder that vision.py (or a published model) left. Four aids, dropped after training: what
covers each patch; the largest object; the background; how many things there are, or that it is no scene.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from textbind_trainer.events import emit
from torch import Tensor, nn
from torch.nn import functional
from transformers import Blip2VisionModel

from . import loop
from .pictures import SIZE, fetch_pictures
from .seen import SEEN_NAMES
from .strangers import photographs, stranger
from .views import BACKGROUND_NAMES, View, view_of
from .vision import HIDDEN, PATCH, build_vision, disturb, normalised, publish_encoder

INDEX = {name: number for number, name in enumerate(SEEN_NAMES)}
NOTHING, PHOTOGRAPH, SCREENSHOT = (len(SEEN_NAMES) + number for number in range(3))
NUMBERS = 7
"""One to four things; then photographs, screenshots, and empty."""
STRANGERS = 0.1
DEFAULT_MINUTES = 35.0


class Heads(nn.Module):
    """The aids."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Linear(HIDDEN, len(SEEN_NAMES) + 3)
        self.main = nn.Linear(HIDDEN, len(SEEN_NAMES) + 3)
        self.background = nn.Linear(HIDDEN, len(BACKGROUND_NAMES))
        self.number = nn.Linear(HIDDEN, NUMBERS)


def patch_labels(view: View) -> Tensor:
    """[64] the object whose box covers the patch's centre, the smaller before the larger; NOTHING elsewhere."""
    side = SIZE // PATCH
    labels = np.full((side, side), NOTHING)
    for one in sorted(view.placed, key=_area, reverse=True):
        left, top, right, bottom = ((edge - PATCH / 2) / PATCH for edge in one.box)
        rows, columns = np.arange(side)[:, None], np.arange(side)[None, :]
        labels[(rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)] = INDEX[one.name]
    return torch.from_numpy(labels.flatten())


def _area(one: object) -> int:
    left, top, right, bottom = one.box  # type: ignore[attr-defined]
    return (right - left) * (bottom - top)


class Batches:
    """Pictures with their labels; everything follows from (split, number)."""

    def __init__(self, pictures: Path, photos: list[np.ndarray], screens: list[np.ndarray]) -> None:
        self.pictures, self.photos, self.screens = pictures, photos, screens

    def one(self, split: str, number: int) -> tuple[np.ndarray, Tensor, int, int, int]:
        """(pixels, patch labels, main object, background or -100, number of things)."""
        random_ = random.Random(f"{split} eyes {number}")
        if random_.random() < STRANGERS:
            pixels, kind = stranger(random_, self.photos, self.screens)
            label = PHOTOGRAPH if kind == "photograph" else SCREENSHOT
            return pixels, torch.full(((SIZE // PATCH) ** 2,), label), label, -100, 4 + label - PHOTOGRAPH
        view = view_of(split, number, self.pictures)
        main = max(view.placed, key=_area).name if view.mode == "one" else None
        label = INDEX[main] if main else INDEX[view.names[0]] if view.mode == "several" else -100
        return (
            view.pixels,
            patch_labels(view),
            label,
            BACKGROUND_NAMES.index(view.background),
            len(view.placed) - 1,
        )

    def batch(self, split: str, first: int, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Stacked; pixels in -1 .. 1."""
        rows = [self.one(split, first + index) for index in range(count)]
        pixels = torch.from_numpy(np.stack([row[0] for row in rows])).permute(0, 3, 1, 2).float() / 127.5 - 1
        labels = (torch.tensor([row[column] for row in rows]) for column in (2, 3, 4))
        main, background, number = labels
        return pixels, torch.stack([row[1] for row in rows]), main, background, number


def losses(
    vision: Blip2VisionModel, heads: Heads, batch: tuple[Tensor, ...]
) -> tuple[Tensor, dict[str, float]]:
    """Sum of the aids' cross entropies, and figures to report."""
    pixels, patches, main, background, number = batch
    with torch.autocast("cpu", torch.bfloat16):
        seen = vision(normalised(pixels))
        per_patch = heads.patches(seen.last_hidden_state[:, 1:]).flatten(0, 1).float()
        pooled = seen.pooler_output
        named, behind, counted = (
            head(pooled).float() for head in (heads.main, heads.background, heads.number)
        )
    patch_loss = functional.cross_entropy(per_patch, patches.flatten())
    main_loss = functional.cross_entropy(named, main)
    back_loss = functional.cross_entropy(behind, background)
    number_loss = functional.cross_entropy(counted, number)
    covered = patches.flatten() < NOTHING
    known = main >= 0
    figures = {
        "patches": patch_loss.item(), "main": main_loss.item(), "background": back_loss.item(), "number": number_loss.item(),
        "patchesRight": (per_patch.argmax(1) == patches.flatten())[covered].float().mean().item(),
        "mainRight": (named.argmax(1) == main)[known].float().mean().item(),
        "numberRight": (counted.argmax(1) == number).float().mean().item(),
    }  # fmt: skip
    return 1.5 * patch_loss + main_loss + 0.3 * back_loss + 0.5 * number_loss, figures


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/hf/vision."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--begin", type=Path, help="vision folder to go on from; else random weights")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--screens", type=Path, required=True, help="folder of screenshots")
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    vision = (
        Blip2VisionModel.from_pretrained(arguments.begin, dtype=torch.float32)
        if arguments.begin
        else build_vision()
    )
    vision.set_attn_implementation("eager")  # a third faster than the fused one on CPUs, backwards
    heads = Heads()
    source = Batches(pictures, photographs(arguments.photos), photographs(arguments.screens))
    size = arguments.batch or 64
    weights = [*vision.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.ndim >= 2], "base": arguments.rate, "weight_decay": 0.03},
            {"params": [w for w in weights if w.ndim < 2], "base": arguments.rate, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )

    def step(number: int, progress: float) -> dict[str, float]:
        batch = source.batch("training", number * size, size)
        disturb(batch[0])
        loss, figures = losses(vision, heads, batch)
        loss.backward()
        return figures

    def publish(number: int) -> None:
        vision.eval()
        publish_encoder(vision, arguments.out)
        with torch.no_grad():
            figures = [
                losses(vision, heads, source.batch("validation", 64 * index, 64))[1] for index in range(6)
            ]
        emit(
            "validation",
            run="eyes",
            step=number,
            **{key: round(sum(f[key] for f in figures) / 6, 4) for key in figures[0]},
        )
        vision.train()

    loop.train(
        "eyes", arguments.out / "checkpoints" / "eyes", budget, {"vision": vision, "heads": heads}, optimizer, step,
        seed=arguments.seed, resume=arguments.resume, at_checkpoint=publish, factor=lambda p: loop.plateau(p, 0.02, 0.45),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
