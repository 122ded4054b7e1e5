"""Stage 1, multimodal alignment: queries, Q-Former and projection learn to speak the frozen language model's embeddings.

Run: ``python -m textbind_trainer.stage1 --config RUN.json`` (or under torchrun). Exports
``model/qformer.safetensors`` with the keys ``query_tokens``, ``qformer.*``, ``qformer_projection.*``.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from .config import RunConfig
from .data import CaptionTars, Tokens
from .files import replace_folder
from .images import ImageProcessor
from .loop import Run, Skips, command, make_optimizer
from .model import load_model, qformer_state
from .prompt import IMAGE, START
from .tokenizer import load_tokenizer


def load_tokens(config: RunConfig) -> Tokens:
    """The tokenizer, with the three TextBind tokens added if the folder does not have them yet."""
    tokenizer = load_tokenizer(config.model.language)
    image, start = tokenizer.convert_tokens_to_ids([IMAGE, START])
    return Tokens(tokenizer, image, start, config.model.shape.num_query_tokens, config.max_length)


def build(config: RunConfig, device: torch.device) -> Run:
    """Model, data and optimiser of a stage 1 run."""
    tokens, skips = load_tokens(config), Skips()
    processor = ImageProcessor.load(config.model.processor)
    source = CaptionTars(config.data, tokens, processor, config.seed, skips)
    parts = config.model
    model = load_model(parts.vision, parts.language, parts.shape, parts.qformer)
    model.language_model.requires_grad_(False)
    if len(tokens.tokenizer) > model.language_model.get_input_embeddings().num_embeddings:
        model.language_model.resize_token_embeddings(len(tokens.tokenizer))
    model.to(device)
    model.vision.to(device)
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    total = config.steps or math.ceil(config.epochs * source.samples_per_epoch / config.batch_size)
    optimizer = make_optimizer({"qformer": list(named.values())}, config)
    pad = tokens.tokenizer.pad_token_id
    return Run(config, model, source, named, optimizer, tokens.image_id, pad, device, total, skips=skips)


def export(run: Run, target: Path) -> None:
    """The trained keys, as safetensors and, if asked for, as the reference's flat ``.pt``."""
    state = qformer_state(run.model)
    with replace_folder(target) as part:
        save_file(state, part / "qformer.safetensors")
        if run.config.export_pt:
            torch.save(state, part / "pytorch_model.pt")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return command(1, build, export, argv)


if __name__ == "__main__":
    sys.exit(main())
