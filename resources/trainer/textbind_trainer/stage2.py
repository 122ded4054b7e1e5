"""Stage 2, multimodal instruction following: the same parts and the language model, on conversations.

Run: ``python -m textbind_trainer.stage2 --config RUN.json`` (or under torchrun). With ``lora`` the language
model learns through adapters (merged at the end) and the rows of the three added tokens; without, whole.
Exports ``model/qformer.safetensors`` and ``model/language/`` (a Hugging Face folder).
"""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from .config import RunConfig
from .data import ConversationFile
from .files import replace_folder, write_json
from .images import ImageProcessor
from .loop import Run, Skips, command, make_optimizer
from .lora import add_lora, train_upper_layers
from .model import language_state, load_model, qformer_state
from .prompt import SPECIAL_TOKENS
from .quantise import make_int4_aware
from .stage1 import load_tokens


def build(config: RunConfig, device: torch.device) -> Run:
    """Model, data and optimiser of a stage 2 run."""
    tokens, skips = load_tokens(config), Skips()
    source = ConversationFile(
        config.data, tokens, ImageProcessor.load(config.model.processor), config.seed, skips
    )
    parts = config.model
    model = load_model(parts.vision, parts.language, parts.shape, parts.qformer)
    if len(tokens.tokenizer) > model.language_model.get_input_embeddings().num_embeddings:
        model.language_model.resize_token_embeddings(len(tokens.tokenizer))
    if config.lora:
        add_lora(model.language_model, config.lora.rank, config.lora.alpha, len(SPECIAL_TOKENS))
    elif config.train_layers_from:
        train_upper_layers(model.language_model, config.train_layers_from, len(SPECIAL_TOKENS))
    if config.int4_aware:
        make_int4_aware(model.language_model)
    if config.learning_rates.get("qformer") == 0:
        for parameter in model.qformer_parameters():
            parameter.requires_grad_(False)
        # With upper layers alone in training nothing below them needs a gradient: the added rows learn
        # through the head, and a step costs two thirds.
        model.detach_tokens = config.train_layers_from > 0
    model.to(device)
    model.vision.to(device)
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    groups: dict[str, list] = {"qformer": [], "language": [], "tokens": []}
    for name, parameter in named.items():
        language = name.startswith("language_model.")
        groups["tokens" if name.endswith("added_rows") else "language" if language else "qformer"].append(
            parameter
        )
    total = config.steps or math.ceil(config.epochs * source.samples_per_epoch / config.batch_size)
    pad = tokens.tokenizer.pad_token_id
    optimizer = make_optimizer(groups, config)
    return Run(config, model, source, named, optimizer, tokens.image_id, pad, device, total, skips=skips)


def export(run: Run, target: Path) -> None:
    """Q-Former keys and the merged language model; ``.pt`` (reference's flat keys) if asked for."""
    qformer, language = qformer_state(run.model), language_state(run.model)
    with replace_folder(target) as part:
        save_file(qformer, part / "qformer.safetensors")
        folder = part / "language"
        folder.mkdir()
        save_file(language, folder / "model.safetensors", metadata={"format": "pt"})
        source = run.config.model.language
        for path in sorted(source.iterdir()):
            if (
                path.is_file()
                and path.suffix in (".json", ".txt", ".model")
                and not path.name.endswith("index.json")
            ):
                shutil.copyfile(path, folder / path.name)
        fields = run.model.language_model.config.to_dict()
        rows = run.model.language_model.get_input_embeddings().weight.shape[0]
        if fields["vocab_size"] != rows or not (folder / "config.json").exists():
            write_json(folder / "config.json", fields | {"vocab_size": rows})
        if run.config.export_pt:
            flat = qformer | {f"language_model.{name}": value for name, value in language.items()}
            torch.save(flat, part / "pytorch_model.pt")


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return command(2, build, export, argv)


if __name__ == "__main__":
    sys.exit(main())
