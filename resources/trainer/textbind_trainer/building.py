"""What both stages do to get from a run file to a run: tokenizer, model, precision, shards, optimizer."""

from __future__ import annotations

import math

import torch
from torch import nn

from . import parallel
from .config import RunConfig
from .data import Source, Tokens
from .faults import TrainerError
from .loop import Run, make_optimizer
from .lora import keep_in_four_bits
from .model import TextBindModel, load_model, resize_language
from .precision import Precision, choose_precision
from .prompt import IMAGE, START
from .skips import Skips
from .tokenizer import load_tokenizer


def load_tokens(config: RunConfig) -> Tokens:
    """The tokenizer, with the three TextBind tokens added if the folder does not have them yet."""
    tokenizer = load_tokenizer(config.model.language)
    image, start = tokenizer.convert_tokens_to_ids([IMAGE, START])
    return Tokens(tokenizer, image, start, config.model.shape.num_query_tokens, config.max_length)


def load_parts(config: RunConfig, tokens: Tokens) -> TextBindModel:
    """The model of a run file, its embedding as long as the tokenizer needs it."""
    parts = config.model
    model = load_model(
        parts.vision,
        parts.language,
        parts.shape,
        parts.qformer,
        checkpoint=parts.checkpoint,
        fresh=parts.fresh,
    )
    resize_language(model.language_model, len(tokens.tokenizer))
    return model


def place_model(config: RunConfig, model: TextBindModel, device: torch.device) -> Precision:
    """Precision of the frozen weights, activation checkpointing, device, shards. Gives the precision."""
    precision = choose_precision(config.precision, device)
    if config.lora and config.lora.bits:
        keep_in_four_bits(
            model.language_model, device, torch.bfloat16 if precision == "bf16" else torch.float32
        )
    if precision == "bf16":
        model.halve_frozen()
    if config.activation_checkpointing:
        model.checkpoint_activations()
    if model.vision is not None:
        nn.Module.to(model.vision, device)  # the class's own says nothing of devices in its types
    if config.sharding == "none":
        model.to(device)
        return precision
    if parallel.world()[1] == 1:
        raise TrainerError("config", 'sharding: "fsdp" needs more than one process (torchrun)')
    if config.offload and device.type != "cuda":
        raise TrainerError("config", "offload: it takes shards off a GPU, and there is none")
    parallel.shard(model, model.blocks(), config.offload)  # moves what it shards, block by block
    return precision


def make_run(
    config: RunConfig,
    device: torch.device,
    model: TextBindModel,
    source: Source,
    tokens: Tokens,
    skips: Skips,
) -> Run:
    """A run of a model whose trained parameters require gradients, in groups with learning rates of their own."""
    precision = place_model(config, model, device)
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    groups: dict[str, list[nn.Parameter]] = {"qformer": [], "language": [], "tokens": []}
    for name, parameter in named.items():
        language = name.startswith("language_model.")
        groups["tokens" if name.endswith("added_rows") else "language" if language else "qformer"].append(
            parameter
        )
    samples = (config.epochs or 0) * source.samples_per_epoch
    total = config.steps or max(1, math.ceil(samples / config.batch_size))
    return Run(
        config, model, source, named, make_optimizer(groups, config), tokens.image_id, tokens.tokenizer.pad_token_id,
        device, total, precision=precision, skips=skips,
    )  # fmt: skip
