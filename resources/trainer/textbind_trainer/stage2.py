"""Stage 2, multimodal instruction following: the same parts and the language model, on conversations.

Run: ``python -m textbind_trainer.stage2 --config RUN.json`` (or under torchrun). With ``lora`` the language
model learns through adapters (merged at the end) and the rows of the three added tokens; without, whole.
Exports ``model/qformer.safetensors`` and ``model/language/`` (a Hugging Face folder).
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from .building import load_parts, load_tokens, make_run
from .config import RunConfig
from .data import ConversationFile, Tokens
from .events import claim_stdout
from .export import export_run
from .loop import Run, command
from .lora import add_lora, plain_embedding, train_upper_layers
from .model import TextBindModel
from .prompt import SPECIAL_TOKENS
from .quantise import make_int4_aware
from .skips import Skips
from .views import make_view


def choose_trained(config: RunConfig, model: TextBindModel, tokens: Tokens) -> None:
    """Freeze what the run file does not want trained, put adapters where it wants them."""
    language = model.language_model
    first = min(tokens.tokenizer.special_ids[token] for token in SPECIAL_TOKENS)
    added_rows = plain_embedding(language).num_embeddings - first
    if config.lora:
        add_lora(language, config.lora.rank, config.lora.alpha or 2.0 * config.lora.rank, added_rows)
    elif config.train_layers_from:
        train_upper_layers(language, config.train_layers_from, added_rows)
    if config.int4_aware:
        make_int4_aware(language)
    if config.learning_rates.get("qformer") == 0:
        for parameter in model.qformer_parameters():
            parameter.requires_grad_(False)
        # With upper layers alone in training nothing below them needs a gradient: the added rows learn
        # through the head, and a step costs two thirds.
        model.detach_tokens = config.train_layers_from > 0


def build(config: RunConfig, device: torch.device) -> Run:
    """Model, data and optimizer of a stage 2 run."""
    tokens, skips = load_tokens(config), Skips()
    source = ConversationFile(config.data, tokens, make_view(config), config.seed, skips)
    model = load_parts(config, tokens)
    choose_trained(config, model, tokens)
    run = make_run(config, device, model, source, tokens, skips)
    source.processor.attach(run)
    return run


def export(run: Run, target: Path) -> None:
    """Q-Former keys and the merged language model; ``.pt`` (reference's flat keys) if asked for."""
    export_run(run, target, with_language=True)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return command(2, build, export, argv)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
