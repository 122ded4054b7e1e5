"""Teaches the text encoders to say, in one vector, what a caption wants to be drawn.

The target is written down before any network is trained: the main object's appearance (principal components of
the pictures themselves, so that like objects have like vectors and unlike ones are far apart), the company's, and
codes of background and layout. Every wording of a scene has the same target. The UNet gets this vector in
text_embeds, its fast lane; it need not learn 222 names, only what the components look like.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from textbind_trainer.events import emit
from torch import nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import clip_text, loop
from .hand_scenes import LAYOUTS, HandScene, caption_of, some_scene, sprite
from .pictures import BACKGROUNDS, fetch_pictures
from .world import DRAWN, DRAWN_NAMES

MAIN, SECOND, COLOUR, LAYOUT = 144, 96, 24, 24
POOLED = MAIN + SECOND + COLOUR + LAYOUT
HIDDEN_1, HIDDEN_2 = 64, 192
LAYOUT_CHANCES = (0.66, 0.08, 0.04, 0.04, 0.03, 0.09, 0.03, 0.03)
"""Of what is drawn; captions have more of two objects, which are the hard ones to read."""
CAPTION_CHANCES = (0.2, 0.06, 0.06, 0.18, 0.18, 0.22, 0.05, 0.05)


def appearance(pictures: Path, size: int = 20) -> torch.Tensor:
    """[names, MAIN] principal components of the drawn objects' premultiplied pictures with alpha.

    Spread as the square root of their deviation: large shapes first, yet fine differences count.
    """
    rows = []
    for code in DRAWN.values():
        image = sprite(str(pictures), code)
        side = max(image.size)
        square = image.crop(
            (
                (image.width - side) // 2,
                (image.height - side) // 2,
                (image.width + side) // 2,
                (image.height + side) // 2,
            )
        )
        pixels = np.asarray(square.resize((size, size)), np.float32).copy()
        rows.append(torch.from_numpy(pixels / 255).flatten())
    table = torch.stack(rows)
    table = table - table.mean(0)
    left, values, _ = torch.linalg.svd(table, full_matrices=False)
    codes = left[:, :MAIN] * values[:MAIN].sqrt()
    return codes / codes.square().mean().sqrt()


def fixed_codes(count: int, width: int, seed: int) -> torch.Tensor:
    """[count, width] vectors of unit mean square, orthogonal to each other."""
    generator = torch.Generator().manual_seed(seed)
    square, _ = torch.linalg.qr(torch.randn(width, width, generator=generator))
    return square[:count] * width**0.5


class Descriptions:
    """Scene -> target vector [POOLED]."""

    def __init__(self, pictures: Path) -> None:
        self.names = appearance(pictures)
        second = self.names[:, :SECOND]
        self.second = second / second.square().mean().sqrt()
        self.colours = fixed_codes(len(BACKGROUNDS), COLOUR, 1)
        self.layouts = fixed_codes(len(LAYOUTS), LAYOUT, 2)
        self.name_row = {name: row for row, name in enumerate(DRAWN_NAMES)}
        self.colour_row = {name: row for row, name in enumerate(BACKGROUNDS)}

    def target(self, scene: HandScene) -> torch.Tensor:
        """[POOLED]; no company and no background are zero vectors."""
        alone, unsaid = torch.zeros(SECOND), torch.zeros(COLOUR)
        return torch.cat([
            self.names[self.name_row[scene.main]],
            alone if scene.second is None else self.second[self.name_row[scene.second]],
            unsaid if scene.background is None else self.colours[self.colour_row[scene.background]],
            self.layouts[LAYOUTS.index(scene.layout)],
        ])  # fmt: skip


def build(vocabulary: int) -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """New text encoders, of SDXL's two kinds."""
    first = CLIPTextModel(clip_text.text_config(vocabulary, HIDDEN_1, 3, 4, "quick_gelu", 64, vocabulary - 1))
    second = CLIPTextModelWithProjection(clip_text.text_config(vocabulary, HIDDEN_2, 4, 6, "gelu", POOLED, 0))
    return first, second


def corpus(count: int = 30_000) -> list[str]:
    """Captions for the tokenizer: every word becomes frequent enough to be one token."""
    random_ = random.Random("corpus")
    return [caption_of(random_, some_scene(random_, random_.choice(LAYOUTS))) for _ in range(count)]


@torch.no_grad()
def check(
    tokenizer: CLIPTokenizer,
    second: CLIPTextModelWithProjection,
    descriptions: Descriptions,
    count: int = 600,
) -> dict[str, float]:
    """Shares of held-out captions whose vector is nearest to the right object, company, colour and layout."""
    random_ = random.Random("held-out captions")
    scenes = [some_scene(random_, random_.choices(LAYOUTS, CAPTION_CHANCES)[0]) for _ in range(count)]
    ids = clip_text.encode(tokenizer, [caption_of(random_, scene) for scene in scenes])
    told = second(ids).text_embeds
    main, company, colour, layout = told.split([MAIN, SECOND, COLOUR, LAYOUT], dim=1)

    def nearest(vectors: torch.Tensor, table: torch.Tensor) -> list[int]:
        return torch.cdist(vectors, table).argmin(1).tolist()

    mains, colours, layouts = (
        nearest(main, descriptions.names),
        nearest(colour, descriptions.colours),
        nearest(layout, descriptions.layouts),
    )
    companies = nearest(company, descriptions.second)
    rows = range(count)
    said = [row for row in rows if scenes[row].background]
    with_company = [row for row in rows if scenes[row].second]
    return {
        "error": float((told - torch.stack([descriptions.target(s) for s in scenes])).square().mean()),
        "main": sum(DRAWN_NAMES[mains[row]] == scenes[row].main for row in rows) / count,
        "second": sum(DRAWN_NAMES[companies[row]] == scenes[row].second for row in with_company)
        / len(with_company),
        "colour": sum(list(BACKGROUNDS)[colours[row]] == scenes[row].background for row in said) / len(said),
        "layout": sum(LAYOUTS[layouts[row]] == scenes[row].layout for row in rows) / count,
    }


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/text."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument(
        "--target", type=Path, default=None, help="folder of text/ and checkpoints/ (default OUT)"
    )
    arguments = parser.parse_args(argv)
    target = arguments.target or arguments.out
    budget = loop.begin(arguments, 5)
    batch = arguments.batch or 192
    descriptions = Descriptions(fetch_pictures(arguments.raw or arguments.out / "raw"))
    unit = functional.normalize(descriptions.names, dim=1)
    near = (unit @ unit.T - 2 * torch.eye(len(unit))).max(1).values
    emit(
        "names",
        nearest_cosine_mean=round(float(near.mean()), 3),
        nearest_cosine_max=round(float(near.max()), 3),
    )
    text = target / "text"
    if not (arguments.resume and (text / "tokenizer").is_dir()):
        emit("tokenizer", words=clip_text.write_tokenizers(text, corpus()))
    tokenizer = CLIPTokenizer.from_pretrained(text / "tokenizer")
    first, second = build(len(tokenizer))
    aid = nn.Linear(HIDDEN_1, POOLED)
    parts = {"text_encoder": first, "text_encoder_2": second, "aid": aid}
    weights = [weight for part in parts.values() for weight in part.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "base": arguments.rate}], betas=(0.9, 0.98), weight_decay=0.0
    )

    def step_function(step: int, _progress: float) -> dict[str, float]:
        random_ = random.Random(f"captions {arguments.seed} {step}")
        scenes = [some_scene(random_, random_.choices(LAYOUTS, CAPTION_CHANCES)[0]) for _ in range(batch)]
        ids = clip_text.encode(tokenizer, [caption_of(random_, scene) for scene in scenes])
        targets = torch.stack([descriptions.target(scene) for scene in scenes])
        told = functional.mse_loss(second(ids).text_embeds, targets)
        aided = functional.mse_loss(aid(first(ids).pooler_output), targets)
        (told + 0.5 * aided).backward()
        return {"second": told.item(), "first": aided.item()}

    def publish(step: int) -> None:
        for name, encoder in (("text_encoder", first), ("text_encoder_2", second)):
            scratch = text / f".{name}"
            encoder.eval().save_pretrained(scratch)
            loop.replace_folder(scratch, text / name)
        emit("validation", run="describe", step=step, **check(tokenizer, second, descriptions))
        first.train(), second.train()

    loop.train(
        "describe", target / "checkpoints" / "describe", budget, parts, optimizer, step_function,
        seed=arguments.seed, resume=arguments.resume, at_checkpoint=publish, checkpoint_seconds=180,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
