"""Both frozen text encoders with their tokenizers, as the pipeline uses them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import clip_text


class TextSide:
    """folder holds text_encoder, text_encoder_2, tokenizer and tokenizer_2."""

    def __init__(self, folder: Path) -> None:
        files = [folder / name / "model.safetensors" for name in ("text_encoder", "text_encoder_2")]
        self.digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        self.tokenizers = [
            CLIPTokenizer.from_pretrained(folder / name) for name in ("tokenizer", "tokenizer_2")
        ]
        self.first = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
        self.second = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2").eval()

    @torch.no_grad()
    def states(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Penultimate states of both side by side [batch, 77, width], and text_embeds [batch, pooled width]."""
        first = self.first(clip_text.encode(self.tokenizers[0], texts, full=True), output_hidden_states=True)
        second = self.second(
            clip_text.encode(self.tokenizers[1], texts, full=True), output_hidden_states=True
        )
        return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), second.text_embeds
