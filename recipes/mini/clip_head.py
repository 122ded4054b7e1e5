"""Fits the projection with which evaluations compare pictures with captions: from the frozen eyes to text_embeds.

It is no part of the model; `textbind evaluate` and evaluate_parts.py read it (`vision/clip-head.safetensors`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from textbind_trainer.events import emit
from torch import nn
from torch.nn import functional
from transformers import Blip2VisionModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import clip_text, loop
from .objects import NAMES
from .pictures import fetch_pictures, with_article
from .scenes import batch_of, pixels
from .vision import BACKGROUND_NAMES, disturb, name_vectors, normalised, unit

SCENES = 3000
CHECKED = 200


@torch.no_grad()
def caption_vectors(tokenizer: CLIPTokenizer, encoder: CLIPTextModelWithProjection) -> torch.Tensor:
    """[names, backgrounds, width] of "a X on a Y background"."""
    rows = []
    for name in NAMES:
        texts = [
            f"{with_article(name)} on {with_article(f'{colour} background')}" for colour in BACKGROUND_NAMES
        ]
        rows.append(unit(encoder(clip_text.encode(tokenizer, texts)).text_embeds))
    return torch.stack(rows)


@torch.no_grad()
def seen(
    vision: Blip2VisionModel, pictures: Path, count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(pooled outputs [count, hidden], objects [count], backgrounds [count]) of training scenes."""
    images, objects, colours = [], [], []
    for start in range(0, count, 50):
        scenes = batch_of(pictures, "training", 2_000_000 + start, min(50, count - start))
        images.append(vision(normalised(disturb(pixels(scenes)))).pooler_output)
        objects += [NAMES.index(scene.main_object) for scene in scenes]
        colours += [BACKGROUND_NAMES.index(scene.background) for scene in scenes]
    return torch.cat(images), torch.tensor(objects), torch.tensor(colours)


def fit_projection(
    images: torch.Tensor,
    object_of: torch.Tensor,
    colour_of: torch.Tensor,
    captions: torch.Tensor,
    steps: int = 1500,
) -> torch.Tensor:
    """The image projection [width, hidden] that best finds, with both encoders frozen, an image's caption.

    Loss: cross entropy over all name and background captions, and over names with backgrounds averaged.
    """
    width, hidden = captions.shape[-1], images.shape[1]
    torch.manual_seed(0)
    projection = nn.Parameter(torch.randn(width, hidden) / hidden**0.5)
    scale = nn.Parameter(torch.tensor(3.5))
    optimizer = torch.optim.AdamW([projection, scale], lr=3e-3, weight_decay=0.05)
    names, every = unit(captions.mean(1)), captions.flatten(0, 1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        rows = torch.randint(0, len(images), (256,))
        image = scale.exp().clamp(max=100) * unit(images[rows] @ projection.T)
        whole = functional.cross_entropy(
            image @ every.T, object_of[rows] * captions.shape[1] + colour_of[rows]
        )
        loss = whole + functional.cross_entropy(image @ names.T, object_of[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return projection.detach()


@torch.no_grad()
def named_right(
    vision: Blip2VisionModel,
    projection: torch.Tensor,
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModelWithProjection,
    pictures: Path,
) -> float:
    """Share of validation scenes whose main object's caption is nearest among all names."""
    scenes = batch_of(pictures, "validation", 0, CHECKED)
    image = unit(vision(normalised(pixels(scenes))).pooler_output @ projection.T)
    best = (image @ name_vectors(NAMES, tokenizer, encoder).T).argmax(1).tolist()
    return sum(NAMES[at] == scene.main_object for at, scene in zip(best, scenes, strict=True)) / CHECKED


def main(argv: list[str] | None = None) -> int:
    """Fit, and leave VISION/clip-head.safetensors."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--vision", type=Path, help="default OUT/hf/vision")
    parser.add_argument(
        "--text", type=Path, help="folder of tokenizer_2 and text_encoder_2, default OUT/text"
    )
    parser.add_argument("--scenes", type=int, default=SCENES)
    arguments = parser.parse_args(argv)
    loop.begin(arguments, 1)
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    folder, text = (
        arguments.vision or arguments.out / "hf" / "vision",
        arguments.text or arguments.out / "text",
    )
    tokenizer = CLIPTokenizer.from_pretrained(text / "tokenizer_2")
    encoder = CLIPTextModelWithProjection.from_pretrained(text / "text_encoder_2", dtype=torch.float32).eval()
    vision = Blip2VisionModel.from_pretrained(folder, dtype=torch.float32).eval()
    projection = fit_projection(
        *seen(vision, pictures, arguments.scenes), caption_vectors(tokenizer, encoder)
    )
    save_file({"image_projection": projection.contiguous()}, folder / ".clip-head")
    (folder / ".clip-head").rename(folder / "clip-head.safetensors")
    right = named_right(vision, projection, tokenizer, encoder, pictures)
    emit("validation", run="clip-head", named_right=right, of=CHECKED, candidates=len(NAMES))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
