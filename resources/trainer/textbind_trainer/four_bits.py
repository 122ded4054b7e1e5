"""QLoRA: frozen matrices in four bits beneath their adapters, and optimizers with small states, by bitsandbytes.

Source: Dettmers et al. 2023, "QLoRA: Efficient Finetuning of Quantized LLMs". Both also work on a processor, slowly;
paged states are a CUDA matter.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .faults import TrainerError

PINNED = "bitsandbytes==0.50.2"
OPTIMIZERS = {"adam8bit": "AdamW8bit", "pagedAdam": "PagedAdamW", "pagedAdam8bit": "PagedAdamW8bit"}


def library(field: str) -> Any:
    """bitsandbytes. TrainerError("config") says what to do where it is not there."""
    try:
        import bitsandbytes
    except ImportError as error:
        said = f"{field}: this is done by the package bitsandbytes, which this Python lacks: pip install {PINNED}"
        raise TrainerError("config", said) from error
    return bitsandbytes


def in_four_bits(base: nn.Linear, device: torch.device, compute: torch.dtype) -> nn.Module:
    """A frozen linear layer with its weight in NF4, the scales in eight bits, on its device. [in] -> [out]."""
    held = library("lora.bits")
    small = held.nn.Linear4bit(
        base.in_features,
        base.out_features,
        bias=base.bias is not None,
        compute_dtype=compute,
        quant_type="nf4",
    )
    small.weight = held.nn.Params4bit(
        base.weight.detach().cpu(), requires_grad=False, quant_type="nf4", compress_statistics=True
    )
    if base.bias is not None:
        small.bias = nn.Parameter(base.bias.detach(), requires_grad=False)
    quantised: nn.Module = small.to(device)
    return quantised


def plain_weight(layer: nn.Module) -> Tensor:
    """The weight that a layer computes with, [out, in], in fp32 where it is kept in four bits."""
    weight = layer.get_parameter("weight")
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight
    whole: Tensor = library("lora.bits").functional.dequantize_4bit(weight.data, state)
    return whole.float()


def small_optimizer(name: str, groups: list[dict[str, Any]], **settings: Any) -> torch.optim.Optimizer:
    """Adam with its states in eight bits, paged out of the GPU's memory when it is short, or both."""
    if name.startswith("paged") and not torch.cuda.is_available():
        raise TrainerError(
            "config", f"optimizer: {name} moves its states out of a GPU's memory, and there is no GPU"
        )
    optimizer: torch.optim.Optimizer = getattr(library("optimizer").optim, OPTIMIZERS[name])(
        groups, **settings
    )
    return optimizer
