"""Where a patch is, written into the eyes' position embedding.

Lessons in names teach a vision transformer to forget places: of the published one's 64 position vectors, one direction (border or
middle) had most of the variance, and its features said neither row nor column (a linear fit explained nothing). So the row
and the column are added as cosines along the directions that the residual streams use least. They pass through to the features
beside what these said before, without training.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder
from torch import Tensor

from .features import open_eyes
from .pictures import fetch_pictures
from .views import view_of
from .vision import normalised

STRENGTH = 6.0
"""Of the cosines; the residual stream of a patch has a deviation of 7.6 in each of its 192 dimensions."""
WAVES = (1, 2)
"""Half periods over a side: the first tells one end from the other, the second the middle from both."""
VIEWS = 96
TOLD = 0.8
"""Of the variance of the waves that features explain, from where on the eyes are taken to know places."""
NAME = "embeddings.position_embedding"


def waves(side: int) -> Tensor:
    """[side * side, 4]: of the column and of the row of each patch, in reading order."""
    along = torch.arange(side) + 0.5
    found = torch.stack([torch.cos(math.pi * wave * along / side) for wave in WAVES], 1)
    columns, rows = found.repeat(side, 1), found.repeat_interleave(side, 0)
    return torch.cat([columns, rows], 1)


@torch.no_grad()
def quiet_directions(streams: list[Tensor], count: int) -> Tensor:
    """[hidden, count]: the directions of least variance, each of the streams [patches, hidden] counting the same."""
    total = torch.zeros(streams[0].shape[1], streams[0].shape[1])
    for stream in streams:
        covariance = torch.cov(stream.T)
        total += covariance / covariance.trace()
    return torch.linalg.eigh(total).eigenvectors[:, :count]


@torch.no_grad()
def patch_streams(vision: Any, pictures: list[np.ndarray]) -> list[Tensor]:
    """[pictures * patches, hidden] each: what stands in each patch's place after the embedding and after each layer, for pictures [SIZE, SIZE, 3] uint8."""
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    output = vision(pixel_values=normalised(pixels), output_hidden_states=True)
    return [state[:, 1:].flatten(0, 1) for state in output.hidden_states]


def placed(embedding: Tensor, directions: Tensor) -> Tensor:
    """A position embedding [1, patches + 1, hidden] that says along the directions where each patch is, and nothing else there."""
    own = embedding[0, 1:]
    around = own - own.mean(0)
    told = waves(math.isqrt(len(own))) * STRENGTH
    changed = own + (told - around @ directions) @ directions.T
    return torch.cat([embedding[:, :1], changed[None]], 1)


def told(features: Tensor) -> float:
    """The share of the waves' variance that a linear fit explains; features [views, patches, hidden], the last third unseen."""
    views, patches, _ = features.shape
    target = waves(math.isqrt(patches)).repeat(views, 1, 1)
    seen = features - features.mean((0, 1))
    fitted, held = slice(0, 2 * views // 3), slice(2 * views // 3, views)
    known, wanted = seen[fitted].flatten(0, 1), target[fitted].flatten(0, 1)
    weights = torch.linalg.solve(known.T @ known + torch.eye(known.shape[1]), known.T @ wanted)
    error = seen[held] @ weights - target[held]
    return 1 - float(error.square().mean() / target[held].square().mean())


def main(argv: list[str] | None = None) -> int:
    """Command: a vision folder with places, in the place of the one without; one that has them is copied."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vision", type=Path, required=True, help="vision folder")
    parser.add_argument("--raw", type=Path, required=True, help="registry packages")
    parser.add_argument(
        "--begin-with", type=Path, help="safetensors with the embedding that a Q-Former was trained on"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write; may be the same")
    arguments = parser.parse_args(argv)
    pictures = fetch_pictures(arguments.raw)
    views = [view_of("training", number, pictures).pixels for number in range(VIEWS)]
    vision: Any = open_eyes(arguments.vision)
    streams = patch_streams(vision, views)
    before = told(streams[-1].unflatten(0, (VIEWS, -1)))
    weights = load_file(arguments.vision / "model.safetensors")
    if before < TOLD:
        weights[NAME] = (
            load_file(arguments.begin_with)[NAME]
            if arguments.begin_with
            else placed(weights[NAME].float(), quiet_directions(streams, 2 * len(WAVES)))
        )
        vision.embeddings.position_embedding.data.copy_(weights[NAME])
    after = told(patch_streams(vision, views)[-1].unflatten(0, (VIEWS, -1)))
    with replace_folder(arguments.out) as part:
        shutil.copytree(arguments.vision, part, dirs_exist_ok=True)
        save_file(weights, part / "model.safetensors", {"format": "pt"})
    emit("finished", step="places", out=str(arguments.out), before=round(before, 3), after=round(after, 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
