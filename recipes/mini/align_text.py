"""Sharpens the two text encoders against the finished, frozen eyes.

Trained beside the vision transformer they see few captions, and unlike objects end up with nearly equal
text vectors (horse and scorpion: cosine 0.999), which leaves the UNet guessing. With image vectors
computed once, a step costs the texts alone, so large batches of captions are cheap.
"""

from __future__ import annotations

import argparse

import torch
from safetensors.torch import save_file
from textbind_trainer.events import emit
from torch import nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import clip_text, loop
from .objects import NAMES
from .pictures import fetch_pictures, with_article
from .scenes import batch_of, pixels
from .vision import (
    BACKGROUND_NAMES,
    HIDDEN,
    SHARED,
    contrast,
    disturb,
    load_side,
    name_vectors,
    normalised,
    publish_text,
    unit,
)

DEFAULT_MINUTES = 2.5
SCENES = 4000


class TextAids(nn.Module):
    """Projections into the shared space and the classifiers that keep captions apart."""

    def __init__(self, image_projection: torch.Tensor) -> None:
        super().__init__()
        self.image_projection = nn.Linear(HIDDEN, SHARED, bias=False)
        self.image_projection.weight.data.copy_(image_projection)
        self.text_projection = nn.Linear(96, SHARED, bias=False)
        self.scale = nn.Parameter(torch.tensor(3.0))
        self.objects = nn.ModuleList([nn.Linear(96, len(NAMES)), nn.Linear(SHARED, len(NAMES))])
        self.backgrounds = nn.ModuleList(
            [nn.Linear(96, len(BACKGROUND_NAMES)), nn.Linear(SHARED, len(BACKGROUND_NAMES))]
        )


@torch.no_grad()
def caption_vectors(tokenizer: CLIPTokenizer, encoder: CLIPTextModelWithProjection) -> torch.Tensor:
    """[names, backgrounds, SHARED] of "a X on a Y background"."""
    rows = []
    for name in NAMES:
        texts = [
            f"{with_article(name)} on {with_article(f'{colour} background')}" for colour in BACKGROUND_NAMES
        ]
        rows.append(unit(encoder(clip_text.encode(tokenizer, texts)).text_embeds))
    return torch.stack(rows)


def fit_projection(
    start: torch.Tensor,
    images: torch.Tensor,
    object_of: torch.Tensor,
    colour_of: torch.Tensor,
    captions: torch.Tensor,
    steps: int = 800,
) -> torch.Tensor:
    """The image projection [SHARED, HIDDEN] that best finds, with both encoders frozen, an image's caption.

    Loss: cross entropy over all name and background captions, and over names with backgrounds averaged.
    """
    projection = nn.Parameter(start.clone())
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


def main(argv: list[str] | None = None) -> int:
    """Train from OUT/hf/vision and OUT/text; rewrites OUT/text's encoders and the evaluation's projection."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--scenes", type=int, default=SCENES)
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    batch = arguments.batch or 128
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    text = arguments.out / "text"
    tokenizer = CLIPTokenizer.from_pretrained(text / "tokenizer")
    first = CLIPTextModel.from_pretrained(text / "text_encoder").train()
    second = CLIPTextModelWithProjection.from_pretrained(text / "text_encoder_2").train()
    side = arguments.out / "hf" / "vision"
    vision, projection = load_side(side)
    aids = TextAids(projection)

    seen, objects, colours, captions = [], [], [], []
    for start in range(0, arguments.scenes, 50):
        scenes = batch_of(pictures, "training", 2_000_000 + start, min(50, arguments.scenes - start))
        with torch.no_grad():
            seen.append(vision(normalised(disturb(pixels(scenes)))).pooler_output)
        objects += [NAMES.index(scene.main_object) for scene in scenes]
        colours += [BACKGROUND_NAMES.index(scene.background) for scene in scenes]
        captions += [scene.caption for scene in scenes]
    images, object_of, colour_of = torch.cat(seen), torch.tensor(objects), torch.tensor(colours)
    ids = clip_text.encode(tokenizer, captions)

    parts = {"aids": aids, "text_encoder": first, "text_encoder_2": second}
    weights = [weight for part in parts.values() for weight in part.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "base": arguments.rate}], betas=(0.9, 0.98), weight_decay=0.02
    )

    def step_function(_step: int, _progress: float) -> dict[str, float]:
        rows = torch.randint(0, len(images), (batch,))
        image = unit(aids.image_projection(images[rows]))
        pooled_1, pooled_2 = first(ids[rows]).pooler_output, second(ids[rows]).text_embeds
        matched = contrast(image, unit(aids.text_projection(pooled_1)), aids.scale)
        matched = matched + contrast(image, unit(pooled_2), aids.scale)
        named = coloured = torch.zeros(())
        for index, pooled in enumerate((pooled_1, pooled_2)):
            named = named + functional.cross_entropy(aids.objects[index](pooled), object_of[rows])
            coloured = coloured + functional.cross_entropy(aids.backgrounds[index](pooled), colour_of[rows])
        (matched + named + 0.3 * coloured).backward()
        return {"contrast": matched.item(), "object": named.item(), "background": coloured.item()}

    def publish(step: int) -> None:
        publish_text(first, second, arguments.out)
        save_projection(aids.image_projection.weight.detach())
        report(step, aids.image_projection.weight.detach())

    def save_projection(weight: torch.Tensor) -> None:
        scratch = side / ".clip-head"
        save_file({"image_projection": weight.contiguous()}, scratch)
        scratch.rename(side / "clip-head.safetensors")

    def report(step: int, weight: torch.Tensor) -> None:
        held = batch_of(pictures, "validation", 0, 200)
        with torch.no_grad():
            image = unit(vision(normalised(pixels(held))).pooler_output @ weight.T)
            names = name_vectors(NAMES, tokenizer, second.eval())
        second.train()
        best = (image @ names.T).argmax(1).tolist()
        right = sum(NAMES[index] == scene.main_object for index, scene in zip(best, held, strict=True))
        nearest = float((names @ names.T - 2 * torch.eye(len(names))).max(1).values.mean())
        emit(
            "validation",
            run="align-text",
            step=step,
            named_right=right / len(held),
            candidates=len(NAMES),
            nearest_name_cosine=round(nearest, 4),
        )

    steps = loop.train(
        "align-text",
        arguments.out / "checkpoints" / "align-text",
        budget,
        parts,
        optimizer,
        step_function,
        seed=arguments.seed,
        resume=arguments.resume,
        at_checkpoint=publish,
        checkpoint_seconds=60,
    )
    captions_seen = caption_vectors(tokenizer, second.eval())
    fitted = fit_projection(
        aids.image_projection.weight.detach(), images, object_of, colour_of, captions_seen
    )
    save_projection(fitted)
    report(steps, fitted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
