"""Measures the published eyes and hand: naming held-out scenes, and naming what was drawn.

Both count over 100 candidates, so chance is 1 in 100. The judge is the model's own vision encoder with
the text space it was trained in; prompts and seeds of the drawings are fixed.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image, ImageDraw
from textbind_trainer.events import emit
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from . import loop
from .objects import NAMES
from .pictures import BACKGROUNDS, SIZE, fetch_pictures, with_article
from .scenes import batch_of, pixels
from .vision import image_vectors, load_side, name_vectors

CANDIDATES = 100


def judge(out: Path) -> Callable[[torch.Tensor], torch.Tensor]:
    """(images in -1 .. 1 -> scores [batch, len(NAMES)]) from OUT/hf."""
    vision, projection = load_side(out / "hf" / "vision")
    decoder = out / "hf" / "image-decoder"
    encoder = CLIPTextModelWithProjection.from_pretrained(decoder / "text_encoder_2").eval()
    vectors = name_vectors(NAMES, CLIPTokenizer.from_pretrained(decoder / "tokenizer_2"), encoder)
    return lambda images: image_vectors(vision, projection, images) @ vectors.T


def best_of(scores: torch.Tensor, candidates: list[int]) -> str:
    """The name that scores best among candidate indices."""
    return NAMES[candidates[int(scores[candidates].argmax())]]


def evaluate_vision(out: Path, pictures: Path, count: int = 100, split: str = "held-out") -> dict[str, float]:
    """Share of scenes whose main object wins among itself and 99 others."""
    scores_of = judge(out)
    right = 0
    for first in range(0, count, 50):
        scenes = batch_of(pictures, split, first, min(50, count - first))
        for scene, scores in zip(scenes, scores_of(pixels(scenes)), strict=True):
            others = [index for index, name in enumerate(NAMES) if name != scene.main_object]
            chosen = random.Random(scene.seed).sample(others, CANDIDATES - 1) + [
                NAMES.index(scene.main_object)
            ]
            right += best_of(scores, sorted(chosen)) == scene.main_object
    return {"right": right, "of": count}


def requests(count: int = CANDIDATES) -> list[tuple[str, str]]:
    """(object, background) of each drawing: distinct objects, backgrounds in turn."""
    names = random.Random("drawings").sample(NAMES, count)
    colours = tuple(BACKGROUNDS)
    return [(name, colours[index % len(colours)]) for index, name in enumerate(names)]


def mean_colour_distance(image: Image.Image, colour: str) -> float:
    """Distance (0 .. 255, mean over RGB) of the picture's border from the colour asked for."""
    values = np.asarray(image, np.float32)
    border = np.concatenate(
        [values[:6].reshape(-1, 3), values[-6:].reshape(-1, 3), values[:, :6].reshape(-1, 3)]
    )
    return float(np.abs(np.median(border, axis=0) - BACKGROUNDS[colour]).mean())


def evaluate_drawing(
    out: Path, count: int = 100, steps: int = 40, guidance: float = 5.0, sheet: Path | None = None
) -> dict[str, object]:
    """Draw `count` captions and let the vision side name each among the objects asked for."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(out / "hf" / "image-decoder", add_watermarker=False)
    pipeline.set_progress_bar_config(disable=True)
    scores_of = judge(out)
    asked = requests(count)
    candidates = sorted(NAMES.index(name) for name, _ in asked)
    results = []
    grid = Image.new("RGB", (10 * SIZE, -(-count // 10) * (SIZE + 12)), "white")
    for first in range(0, count, 20):
        part = asked[first : first + 20]
        prompts = [f"{with_article(name)} on {with_article(f'{colour} background')}" for name, colour in part]
        generators = [torch.Generator().manual_seed(first + index) for index in range(len(part))]
        drawn = pipeline(
            prompts, num_inference_steps=steps, guidance_scale=guidance, generator=generators
        ).images
        tensor = (
            torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in drawn]) / 127.5 - 1
        )
        for index, ((name, colour), image, scores) in enumerate(
            zip(part, drawn, scores_of(tensor), strict=True)
        ):
            seen = best_of(scores, candidates)
            results.append((name, seen, mean_colour_distance(image, colour)))
            column, row = (first + index) % 10, (first + index) // 10
            grid.paste(image, (column * SIZE, row * (SIZE + 12)))
            label = name if seen == name else f"{name}: {seen}?"
            ImageDraw.Draw(grid).text(
                (column * SIZE + 2, row * (SIZE + 12) + SIZE), label, "black" if seen == name else "red"
            )
    if sheet:
        grid.save(sheet)
    right = sum(name == seen for name, seen, _ in results)
    return {
        "right": right,
        "of": count,
        "steps": steps,
        "guidance": guidance,
        "background_distance_255": round(float(np.mean([distance for *_, distance in results])), 2),
        "wrong": {name: seen for name, seen, _ in results if name != seen},
    }


def main(argv: list[str] | None = None) -> int:
    """Print both measures as events and write them to OUT/parts-evaluation.json."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".cache/mini"))
    parser.add_argument("--raw", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--diffusion-steps", type=int, default=40)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--only", choices=("vision", "drawing"))
    parser.add_argument("--sheet", type=Path, default=None, help="PNG of all drawings")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    found: dict[str, dict[str, Any]] = {}
    if arguments.only != "drawing":
        pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
        found["vision"] = evaluate_vision(arguments.out, pictures, arguments.count)
        emit("evaluation", run="vision", **found["vision"])
    if arguments.only != "vision":
        found["drawing"] = evaluate_drawing(
            arguments.out, arguments.count, arguments.diffusion_steps, arguments.guidance, arguments.sheet
        )
        emit("evaluation", run="drawing", **found["drawing"])
    loop.write_atomically(arguments.out / "parts-evaluation.json", json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
