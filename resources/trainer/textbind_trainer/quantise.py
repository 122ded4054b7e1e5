"""What int4 does to weights: the engine's rounding, simulated.

Blocks of 32 along the input, asymmetric, round to nearest, scale and a whole 4-bit zero point
(ONNX Runtime's MatMulNBits with zero points).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from .lora import plain_embedding

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

BLOCK = 32


def int4_round_trip(weight: Tensor, block: int = BLOCK) -> Tensor:
    """[out, in] -> the same shape, as it comes back after quantisation. ``in`` must divide into blocks."""
    groups = weight.float().reshape(-1, block)
    low = groups.amin(dim=1, keepdim=True).clamp(max=0)
    high = groups.amax(dim=1, keepdim=True).clamp(min=0)
    scale = ((high - low) / 15).clamp(min=1e-12)
    zero = torch.round(-low / scale).clamp(0, 15)
    levels = torch.round(groups / scale + zero).clamp(0, 15)
    return ((levels - zero) * scale).reshape(weight.shape).to(weight.dtype)


@torch.no_grad()
def quantise_linears(model: LlamaForCausalLM, head: bool = False) -> int:
    """Round the linear layers of a language model in place; ``head`` also the (tied) embedding. Counts layers."""
    count = 0
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != "lm_head":
            module.weight.copy_(int4_round_trip(module.weight))
            count += 1
    if head:
        table = plain_embedding(model).weight
        table.copy_(int4_round_trip(table))
    return count


def make_int4_aware(model: nn.Module) -> None:
    """Let a language model feel the rounding while it trains (straight-through gradient).

    Trained linear layers compute with their rounded weight and update the unrounded one; frozen ones are
    rounded for good, which rounding again does not change. The head and embedding stay as they are.
    """
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear) or name == "lm_head" or module.weight.shape[1] % BLOCK:
            continue
        if module.weight.requires_grad:
            # Calling a module calls the instance's forward; mypy allows no assignment to a method.
            module.forward = _rounded_forward(module)  # type: ignore[method-assign, assignment]
        else:
            with torch.no_grad():
                module.weight.copy_(int4_round_trip(module.weight))


def _rounded_forward(module: nn.Linear) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        plain = module.weight.detach()
        return functional.linear(x, module.weight + (int4_round_trip(plain) - plain), module.bias)

    return forward
