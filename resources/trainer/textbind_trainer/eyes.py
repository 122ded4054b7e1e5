"""Pictures and captions as vectors of one space: what a recipe's clusters and its look at captions are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .config import ModelFields, locate_model
from .faults import TrainerError
from .images import ImageProcessor
from .weights import load_vision, read_state

HEAD = "clip-head.safetensors"
"""Beside a vision encoder's weights: the projection into the space of the image decoder's second text encoder."""

WHOLE_CLIP = "clip"
CLIPS = (WHOLE_CLIP, "clip_vision_model")
"""`model_type` of what sees; the same in src/main/recipe/eyes.ts."""
PROJECTION = "visual_projection.weight"


class Eyes(Protocol):
    """Unit vectors of pictures, and of captions where there is a space for both."""

    reads: bool
    """Whether captions can be compared with pictures."""

    def see(self, pictures: Sequence[Image.Image]) -> Tensor:
        """-> float32 [pictures, width], each of length 1."""

    def read(self, captions: Sequence[str]) -> Tensor:
        """-> float32 [captions, width], each of length 1."""


def _unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors.float(), dim=-1)


class ClipEyes:
    """A CLIP in transformers' layout: whole, as the paper's recipe has it, or its vision part alone, which reads nothing."""

    def __init__(self, folder: Path, kind: str):
        from transformers import AutoTokenizer, CLIPModel, CLIPVisionModelWithProjection

        self.reads = kind == WHOLE_CLIP
        made: Any = CLIPModel if self.reads else CLIPVisionModelWithProjection
        try:
            model, told = made.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder) if self.reads else None
            self._processor = ImageProcessor.load(folder)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise TrainerError("config", f"{folder}: the CLIP cannot be read: {error}") from error
        self._model: Any = model.eval()
        missing = set(told["missing_keys"])
        # A vision part that was saved without its projection sees by what the projection would be given.
        self._projects = self.reads or PROJECTION not in missing
        if missing - (set() if self._projects else {PROJECTION}):
            raise TrainerError("config", f"{folder}: the CLIP lacks {min(missing)}")

    @torch.no_grad()
    def see(self, pictures: Sequence[Image.Image]) -> Tensor:
        """By its own projection, where it has one."""
        pixels = torch.stack([self._processor.pixels(picture) for picture in pictures])
        seen = self._model.vision_model(pixel_values=pixels).pooler_output
        return _unit(self._model.visual_projection(seen) if self._projects else seen)

    @torch.no_grad()
    def read(self, captions: Sequence[str]) -> Tensor:
        """By its own projection; longer captions are cut at its limit. ValueError where there is no text part."""
        if self._tokenizer is None:
            raise ValueError("a CLIP's vision part reads no captions")
        given = self._tokenizer(list(captions), return_tensors="pt", padding=True, truncation=True)
        told = self._model.text_model(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"]
        ).pooler_output
        return _unit(self._model.text_projection(told))


class ModelEyes:
    """A TextBind model's own vision encoder: the mean over its patches, or its class position through the projection
    that it was trained with, where that lies beside it; then its captions can be read too."""

    def __init__(self, folder: Path):
        # The Q-Former is of no use here, and may be missing.
        parts = locate_model(ModelFields(textbind=str(folder), fresh=True), Path())
        self._vision: Any = load_vision(parts.vision)
        self._processor = ImageProcessor.load(parts.vision)
        head = parts.vision / HEAD
        decoder = _decoder(folder)
        self.reads = head.is_file() and decoder is not None
        self._head = read_state(head)["image_projection"].float() if self.reads else None
        self._text = _text_side(decoder) if self.reads and decoder is not None else None

    @torch.no_grad()
    def see(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Pixels [pictures, 3, side, side] through the frozen encoder."""
        pixels = torch.stack([self._processor.pixels(picture) for picture in pictures])
        seen = self._vision(pixel_values=pixels)
        if self._head is None:
            return _unit(seen.last_hidden_state[:, 1:].mean(1))
        return _unit(seen.pooler_output @ self._head.T)

    @torch.no_grad()
    def read(self, captions: Sequence[str]) -> Tensor:
        """Through the image decoder's second text encoder. ValueError where the model has no such space."""
        if self._text is None:
            raise ValueError("this model has no space for captions and pictures")
        tokenizer, encoder = self._text
        given = tokenizer(
            list(captions), padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        )
        return _unit(encoder(given["input_ids"]).text_embeds)


def _decoder(folder: Path) -> Path | None:
    manifest = json.loads((folder / "textbind.json").read_text(encoding="utf-8"))
    base = (manifest.get("imageDecoder") or {}).get("base")
    return folder / base if base and (folder / base / "text_encoder_2").is_dir() else None


def _text_side(decoder: Path) -> tuple[Any, Any]:
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    encoder = CLIPTextModelWithProjection.from_pretrained(decoder / "text_encoder_2", dtype=torch.float32)
    return CLIPTokenizer.from_pretrained(decoder / "tokenizer_2"), encoder.eval()


def open_eyes(folder: Path) -> Eyes:
    """A folder with textbind.json, or with a CLIP. TrainerError("config") where it is neither, or not whole."""
    if (folder / "textbind.json").is_file():
        return ModelEyes(folder)
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError) as error:
        raise TrainerError("config", f"{folder}: is neither a model nor a CLIP: {error}") from error
    if kind not in CLIPS:
        raise TrainerError("config", f"{folder}: is a {kind}, expected a model with textbind.json, or a CLIP")
    return ClipEyes(folder, kind)
