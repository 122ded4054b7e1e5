"""Trains the vision transformer (BLIP-2's kind) together with the two text encoders, CLIP-style.

Contrast with both text encoders teaches names; two aids, dropped after training, make it learn in
minutes: naming object and background from the class token, and naming what covers each patch.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from torch import nn
from torch.nn import functional
from transformers import (
    Blip2VisionConfig,
    Blip2VisionModel,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from . import clip_text, loop
from .objects import NAMES
from .pictures import BACKGROUNDS, SIZE, Scene, fetch_pictures, with_article
from .scenes import batch_of, pixels

TEXT = "eyes-text"
DEFAULT_MINUTES = 17.0
PATCH, HIDDEN, LAYERS, HEADS, MLP, SHARED = 16, 192, 4, 4, 768, 128
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
NOTHING = len(NAMES)
LESSONS = 0.4
BACKGROUND_NAMES = tuple(BACKGROUNDS)


def normalised(images: torch.Tensor) -> torch.Tensor:
    """From -1 .. 1 to the image processor's output (CLIP mean and deviation)."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((images + 1) / 2 - mean) / std


class Aids(nn.Module):
    """What joins the encoders while they train; only image_projection and text_projection outlive it."""

    def __init__(self) -> None:
        super().__init__()
        self.image_projection = nn.Linear(HIDDEN, SHARED, bias=False)
        self.text_projection = nn.Linear(96, SHARED, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.6))
        self.objects = nn.Linear(HIDDEN, len(NAMES))
        self.backgrounds = nn.Linear(HIDDEN, len(BACKGROUND_NAMES))
        self.patches = nn.Linear(HIDDEN, len(NAMES) + 1)


def build_vision() -> Blip2VisionModel:
    """A new vision transformer: 128 px, 64 patches and a class token."""
    return Blip2VisionModel(
        Blip2VisionConfig(
            hidden_size=HIDDEN,
            intermediate_size=MLP,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            image_size=SIZE,
            patch_size=PATCH,
            hidden_act="gelu",
            qkv_bias=True,
            layer_norm_eps=1e-6,
            initializer_range=0.02,
        )
    )


@torch.no_grad()
def whiten_patches(vision: Blip2VisionModel, images: torch.Tensor) -> None:
    """Start the patch embedding as the whitened principal components of the patches of images (-1 .. 1).

    Raw patches are almost all mean colour; from a random start the network named no object after
    thousands of pictures, since the fine structure that tells objects apart drowned in it.
    """
    patches = normalised(images).unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
    rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * PATCH * PATCH)
    centred = rows - rows.mean(0)
    values, directions = torch.linalg.eigh(centred.T @ centred / len(rows))
    kept = directions[:, -HIDDEN:] / (values[-HIDDEN:].clamp(min=0) + 1e-2 * values.mean()).sqrt()
    convolution = vision.embeddings.patch_embedding
    convolution.weight.copy_(0.5 * kept.T.reshape(convolution.weight.shape))
    if convolution.bias is None:
        raise ValueError("the patch embedding has no bias to carry the mean")
    convolution.bias.copy_(-0.5 * rows.mean(0) @ kept)


def patch_labels(scene: Scene) -> torch.Tensor:
    """[64] the object whose box covers the patch's centre, the second before the main; NOTHING elsewhere."""
    side = SIZE // PATCH
    labels = torch.full((side, side), NOTHING)
    for name, box in ((scene.main_object, scene.main_box), (scene.second_object, scene.second_box)):
        if name is None or box is None:
            continue
        left, top, right, bottom = ((edge - PATCH / 2) / PATCH for edge in box)
        rows, columns = torch.arange(side)[:, None], torch.arange(side)[None, :]
        inside = (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
        labels[inside] = NAMES.index(name)
    return labels.flatten()


def disturb(images: torch.Tensor) -> torch.Tensor:
    """Blur, noise and brightness at random, in place: drawn pictures and photographs are not so clean."""
    count = len(images)
    blurred = torch.randperm(count)[: count // 4]
    images[blurred] = functional.avg_pool2d(
        functional.pad(images[blurred], (1, 1, 1, 1), mode="replicate"), 3, stride=1
    )
    noisy = torch.randperm(count)[: count // 4]
    images[noisy] += torch.randn_like(images[noisy]) * 0.12 * torch.rand(len(noisy), 1, 1, 1)
    return images.mul_(0.9 + 0.2 * torch.rand(count, 1, 1, 1)).clamp_(-1, 1)


def contrast(images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """CLIP's symmetric loss over unit vectors [batch, SHARED]."""
    logits = scale.exp().clamp(max=60) * images @ texts.T
    target = torch.arange(len(logits))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return functional.normalize(vectors, dim=-1)


@torch.no_grad()
def name_vectors(
    names: tuple[str, ...], tokenizer: CLIPTokenizer, encoder: CLIPTextModelWithProjection
) -> torch.Tensor:
    """[names, SHARED] zero-shot classifiers: the mean over backgrounds of "a X on a Y background"."""
    rows = []
    for name in names:
        texts = [
            f"{with_article(name)} on {with_article(f'{colour} background')}" for colour in BACKGROUND_NAMES
        ]
        rows.append(unit(unit(encoder(clip_text.encode(tokenizer, texts)).text_embeds).mean(0)))
    return torch.stack(rows)


@torch.no_grad()
def image_vectors(vision: Blip2VisionModel, projection: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """[batch, SHARED] of images in -1 .. 1; projection [SHARED, HIDDEN] is clip-head.safetensors' image_projection."""
    return unit(vision(normalised(images)).pooler_output @ projection.T)


def load_side(folder: Path) -> tuple[Blip2VisionModel, torch.Tensor]:
    """The published vision encoder and its projection into the space shared with text_encoder_2."""
    vision = Blip2VisionModel.from_pretrained(folder).eval()
    return vision, load_file(folder / "clip-head.safetensors")["image_projection"]


def publish_encoder(vision: Blip2VisionModel, out: Path, head: torch.Tensor | None = None) -> None:
    """OUT/hf/vision/: config, weights, image processor, and (where there is one) the projection that evaluations need."""
    scratch = out / "hf" / ".vision"
    shutil.rmtree(scratch, ignore_errors=True)
    vision.save_pretrained(scratch)
    processor = {
        "image_processor_type": "BlipImageProcessor",
        "processor_class": "Blip2Processor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"height": SIZE, "width": SIZE},
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }
    (scratch / "preprocessor_config.json").write_text(json.dumps(processor, indent=2))
    if head is not None:
        save_file({"image_projection": head.detach().contiguous()}, scratch / "clip-head.safetensors")
    loop.replace_folder(scratch, out / "hf" / "vision")


def publish_text(first: CLIPTextModel, second: CLIPTextModelWithProjection, out: Path) -> None:
    """The texts that the eyes were trained beside; the hand has texts of its own (describe.py)."""
    for name, encoder in (("text_encoder", first), ("text_encoder_2", second)):
        scratch = out / TEXT / f".{name}"
        encoder.save_pretrained(scratch)
        loop.replace_folder(scratch, out / TEXT / name)


@dataclass(frozen=True)
class Parts:
    """What is trained together: the eyes, their aids, and texts beside them."""

    vision: Blip2VisionModel
    aids: Aids
    first: CLIPTextModel
    second: CLIPTextModelWithProjection

    def named(self) -> dict[str, nn.Module]:
        """By the names of their checkpoints."""
        return {
            "vision": self.vision, "aids": self.aids, "text_encoder": self.first, "text_encoder_2": self.second,
        }  # fmt: skip


class Lesson:
    """One step: pictures beside their captions, what is in them, and what each patch shows."""

    def __init__(
        self,
        parts: Parts,
        tokenizer: CLIPTokenizer,
        pictures: Path,
        batch: int,
    ) -> None:
        self.parts, self.tokenizer, self.pictures, self.batch = parts, tokenizer, pictures, batch

    def __call__(self, step: int, progress: float) -> dict[str, float]:
        """Backward is called; the losses, and the share of objects named right."""
        vision, aids = self.parts.vision, self.parts.aids
        # First lessons: every object at one size in the middle; the full variety from LESSONS on.
        scenes = batch_of(
            self.pictures, "training", step * self.batch, self.batch, min(1.0, progress / LESSONS)
        )
        seen = vision(normalised(disturb(pixels(scenes))))
        matched = torch.zeros(())
        if step % 2 == 0:  # texts cost as much as pictures and teach less: every other step
            matched = self.matched(scenes, seen.pooler_output)
        objects = torch.tensor([NAMES.index(scene.main_object) for scene in scenes])
        logits = aids.objects(seen.pooler_output)
        named = functional.cross_entropy(logits, objects)
        colours = torch.tensor([BACKGROUND_NAMES.index(scene.background) for scene in scenes])
        coloured = functional.cross_entropy(aids.backgrounds(seen.pooler_output), colours)
        covered = functional.cross_entropy(
            aids.patches(seen.last_hidden_state[:, 1:]).flatten(0, 1),
            torch.cat([patch_labels(scene) for scene in scenes]),
        )
        (0.5 * matched + named + 0.3 * coloured + covered).backward()
        right = (logits.argmax(1) == objects).float().mean()
        return {
            "contrast": matched.item(),
            "object": named.item(),
            "background": coloured.item(),
            "patches": covered.item(),
            "right": right.item(),
        }

    def matched(self, scenes: list[Scene], pooled: torch.Tensor) -> torch.Tensor:
        """Contrast of pictures [batch, HIDDEN] with their captions, by both text encoders."""
        aids = self.parts.aids
        ids = clip_text.encode(self.tokenizer, [scene.caption for scene in scenes])
        image = unit(aids.image_projection(pooled))
        text_1 = unit(aids.text_projection(self.parts.first(ids).pooler_output))
        text_2 = unit(self.parts.second(ids).text_embeds)
        return contrast(image, text_1, aids.scale) + contrast(image, text_2, aids.scale)


def optimizer_of(parts: Parts, rate: float) -> torch.optim.Optimizer:
    """AdamW; what is no matrix is not decayed."""
    weights = [weight for part in parts.named().values() for weight in part.parameters()]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "base": rate, "weight_decay": 0.03},
        {"params": [w for w in weights if w.ndim < 2], "base": rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def publish(parts: Parts, tokenizer: CLIPTokenizer, pictures: Path, out: Path, step: int) -> None:
    """OUT/hf/vision and OUT/eyes-text, and how many validation scenes are named right."""
    for part in parts.named().values():
        part.eval()
    publish_encoder(parts.vision, out, parts.aids.image_projection.weight)
    publish_text(parts.first, parts.second, out)
    scenes = batch_of(pictures, "validation", 0, 200)
    scores = (
        image_vectors(parts.vision, parts.aids.image_projection.weight, pixels(scenes))
        @ name_vectors(NAMES, tokenizer, parts.second).T
    )
    right = sum(
        NAMES[best] == scene.main_object
        for best, scene in zip(scores.argmax(1).tolist(), scenes, strict=True)
    )
    emit("validation", run="vision", step=step, named_right=right / len(scenes), candidates=len(NAMES))
    for part in parts.named().values():
        part.train()


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/hf/vision; its texts, an aid only, lie in OUT/eyes-text."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=1e-3)
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    vocabulary = clip_text.write_tokenizers(arguments.out / TEXT)
    tokenizer = CLIPTokenizer.from_pretrained(arguments.out / TEXT / "tokenizer")
    parts = Parts(build_vision(), Aids(), *clip_text.build(vocabulary))
    parts.vision.set_attn_implementation("sdpa")
    whiten_patches(parts.vision, pixels(batch_of(pictures, "training", 1_000_000, 400)))
    loop.train(
        "vision", arguments.out / "checkpoints" / "vision", budget, parts.named(),
        optimizer_of(parts, arguments.rate), Lesson(parts, tokenizer, pictures, arguments.batch or 32),
        seed=arguments.seed, resume=arguments.resume,
        at_checkpoint=lambda step: publish(parts, tokenizer, pictures, arguments.out, step),
    )  # fmt: skip
    loop.write_atomically(arguments.out / "hf" / "vision" / "READY", "final\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
