"""Rehearsal: the language model learns the conversations with captions in the place of pictures.

Stage 0 teaches the Q-Former to write a caption in the language model's own embeddings. Given those
embeddings exactly, the language model can learn when to draw, what to caption and how to answer before
any vision encoder exists, so both can train side by side. Stage 2 then goes on with real pictures.
The run file is a stage 2 one; training, events, checkpoints and export are stage 2's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from textbind_trainer.config import RunConfig
from textbind_trainer.data import Conversation, ConversationFile, Sample
from textbind_trainer.loop import Run, command
from textbind_trainer.stage2 import build as build_stage2
from textbind_trainer.stage2 import export
from torch import Tensor

from .listing import target_ids

NOISE = 0.3
"""Deviation of the noise on the captions' embeddings, in units of their own: the Q-Former will not be exact."""


class CaptionedConversations(ConversationFile):
    """Conversations whose pictures are given as the 32 token ids that stage 0 aims at."""

    def __init__(self, like: ConversationFile, config: RunConfig, on_skip: Callable[[str], None]):
        self._captions: dict[int, list[str]] = {}
        super().__init__(config.data, like.tokens, like.processor, config.seed, on_skip)

    def _read(self, base: Path, data: dict[str, Any], name: str) -> list[Conversation]:
        rows = super()._read(base, data, name)
        raw = json.loads((base / data[name]).read_text(encoding="utf-8"))
        for row, checked in zip(raw, rows, strict=True):
            every = [caption for turn in row["conversation"] for caption in turn["caption_list"]]
            self._captions[id(checked)] = every
        return rows

    def _build(self, row: Conversation) -> Sample:
        example = self.tokens.example(row.pairs, row.captions)
        captions = [self._captions[id(row)][index] for index in example.images]
        return Sample(example, list(target_ids(self.tokens.tokenizer, captions)) if captions else [])

    def validation(self) -> Iterator[Sample]:
        for row in self._held:
            yield self._build(row)


def build(config: RunConfig, device: torch.device) -> Run:
    """A stage 2 run in which pictures are their captions' embeddings; the Q-Former is left out."""
    run = build_stage2(config, device)
    model, source = run.model, run.source
    if not isinstance(source, ConversationFile):
        raise TypeError(f"stage 2 reads a {type(source).__name__}, expected a ConversationFile")
    table = model.language_model.get_input_embeddings().weight
    if not isinstance(table, Tensor):
        raise TypeError("the token embeddings have no table")
    rows_of = table.detach()

    def embed(ids: Tensor) -> Tensor:
        rows = rows_of[ids.long()]
        noise = torch.randn(rows.shape) * rows_of.std() * NOISE
        return rows + noise if torch.is_grad_enabled() else rows

    # No gradient below the trained layers: the added rows learn through the head alone, at half the cost.
    model.detach_tokens = True
    model.__dict__["image_features"] = lambda ids: ids
    model.__dict__["embed_features"] = embed
    kept = {name: value for name, value in run.parameters.items() if name.startswith("language_model.")}
    run.parameters.clear()
    run.parameters.update(kept)
    chosen = {id(value) for value in kept.values()}
    run.optimizer.param_groups[:] = [
        group for group in run.optimizer.param_groups if any(id(value) in chosen for value in group["params"])
    ]
    run.source = CaptionedConversations(source, config, run.skips)
    return run


def main(argv: list[str] | None = None) -> int:
    """Command line: a stage 2 RUN.json."""
    return command(2, build, export, argv)


if __name__ == "__main__":
    sys.exit(main())
