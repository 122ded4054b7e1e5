"""Attention of a dialogue with captions appended: causal by the fast kernel, and a mask for the captions' rows alone.

transformers calls it by its name, ``textbind``. A mask over all rows would keep the fast kernels from every one of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, LlamaForCausalLM
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "textbind"


def split_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **rest: Any
) -> tuple[Tensor, None]:
    """query [batch, heads, length, width], key and value [batch, key heads, length, width] -> [batch, length, heads, width].

    ``attention_mask`` [batch, 1, rows, length]: of the last ``rows`` alone; those before are causal.
    """
    captions = 0 if attention_mask is None else attention_mask.shape[-2]
    dialogue = query.shape[2] - captions
    if attention_mask is None or dialogue == 0:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **rest)
    alone = (query[:, :, :dialogue], key[:, :, :dialogue], value[:, :, :dialogue])
    causal, _ = sdpa_attention_forward(module, *alone, None, **(rest | {"is_causal": True}))
    masked, _ = sdpa_attention_forward(module, query[:, :, dialogue:], key, value, attention_mask, **rest)
    return torch.cat([causal, masked], dim=1), None


def use_split_attention(language_model: LlamaForCausalLM) -> None:
    """Let a language model take masks of its last rows alone; with none, or one over all rows, it computes as before."""
    AttentionInterface.register(NAME, split_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    language_model.set_attn_implementation(NAME)
