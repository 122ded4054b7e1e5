"""Low-rank adapters on linear layers, and an embedding of which only the added rows are trained.

Small and our own rather than a library's: the merge must give exactly the plain weights that are
published, and the trained state must be saved with our checkpoints.
Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from .four_bits import in_four_bits, plain_weight
from .parallel import whole

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

LLAMA_LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LoraLinear(nn.Module):
    """``base(x) + scale * B(A(x))``; B starts at zero, so at first nothing changes."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.base: nn.Module = base.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_a = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., in] -> [..., out]."""
        low = functional.linear(x, self.lora_a)
        return self.base(x) + functional.linear(low, self.lora_b) * self.scale


class AddedRowsEmbedding(nn.Module):
    """An embedding whose first rows are frozen and whose last rows (the added tokens) are trained."""

    def __init__(self, base: nn.Embedding, added: int):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.known = base.num_embeddings - added
        self.added_rows = nn.Parameter(base.weight.detach()[self.known :].clone())

    @property
    def weight(self) -> Tensor:
        """The whole table [vocabulary, hidden], trained rows in place."""
        return torch.cat([self.base.weight[: self.known], self.added_rows])

    def forward(self, ids: Tensor) -> Tensor:
        """ids: [...] -> [..., hidden]."""
        rows = self.base(ids)
        is_added = ids >= self.known
        if not bool(is_added.any()):
            return rows
        index = (ids - self.known).clamp(min=0)
        return torch.where(is_added.unsqueeze(-1), self.added_rows[index], rows)


class TiedHead(nn.Module):
    """The output layer that shares the embedding's table, trained rows included."""

    embedding: AddedRowsEmbedding

    def __init__(self, embedding: AddedRowsEmbedding):
        super().__init__()
        self.__dict__["embedding"] = embedding  # shared, listed once

    def forward(self, hidden: Tensor) -> Tensor:
        """hidden: [..., hidden] -> logits [..., vocabulary]."""
        known = functional.linear(hidden, self.embedding.base.weight[: self.embedding.known])
        added = functional.linear(hidden, self.embedding.added_rows)
        return torch.cat([known, added], dim=-1)


def plain_embedding(language_model: LlamaForCausalLM) -> nn.Embedding:
    """The table of token embeddings, before any of its rows is trained apart."""
    table = language_model.get_input_embeddings()
    if not isinstance(table, nn.Embedding):
        raise TypeError(f"the token embeddings are a {type(table).__name__}, expected an nn.Embedding")
    return table


def train_added_rows(language_model: LlamaForCausalLM, added_rows: int) -> None:
    """Make only the added tokens' rows of the embedding, and of a head tied to it, trainable.

    An untied head is trained whole: its rows cannot be told apart without a second table.
    """
    embedding = AddedRowsEmbedding(plain_embedding(language_model), added_rows)
    language_model.set_input_embeddings(embedding)
    if language_model.config.tie_word_embeddings:
        language_model.set_output_embeddings(TiedHead(embedding))
    else:
        language_model.lm_head.requires_grad_(True)


def train_upper_layers(language_model: LlamaForCausalLM, first: int, added_rows: int) -> None:
    """Train whole layers from ``first`` up, the final norm and the added rows; the layers below stay frozen."""
    language_model.requires_grad_(False)
    for layer in language_model.model.layers[first:]:
        layer.requires_grad_(True)
    language_model.model.norm.requires_grad_(True)
    train_added_rows(language_model, added_rows)


def add_lora(language_model: LlamaForCausalLM, rank: int, alpha: float, added_rows: int) -> None:
    """Freeze the language model, put adapters on its linear layers and make the added token rows trainable."""
    language_model.requires_grad_(False)
    for module in list(language_model.modules()):
        for name, child in list(module.named_children()):
            if name in LLAMA_LINEARS and isinstance(child, nn.Linear):
                setattr(module, name, LoraLinear(child, rank, alpha))
    train_added_rows(language_model, added_rows)


def keep_in_four_bits(language_model: LlamaForCausalLM, device: torch.device, compute: torch.dtype) -> None:
    """Put the frozen matrices beneath adapters into four bits (QLoRA); they compute in ``compute``."""
    for module in language_model.modules():
        if isinstance(module, LoraLinear) and isinstance(module.base, nn.Linear):
            module.base = in_four_bits(module.base, device, compute)


def merged_weight(module: nn.Module) -> Tensor:
    """The plain weight that a module stands for: adapters and trained rows folded in, shards put together."""
    if isinstance(module, AddedRowsEmbedding):
        return torch.cat([whole(module.base.weight)[: module.known], whole(module.added_rows)])
    if isinstance(module, LoraLinear):
        return whole(plain_weight(module.base)) + module.scale * (whole(module.lora_b) @ whole(module.lora_a))
    return whole(module.get_parameter("weight"))
