"""Where the outputs of the list are to look: at the thing that they name.

Gradients of names alone did not teach the Q-Former to look aside (DESIGN.md, 2026-11-30): attention that has learned names is sharp, and
the name of the wrong thing is as wrong as any other. But where each thing stands is known here. So the attention of the queries
of a name is pulled to the patches that its thing covers, in every layer that reads the picture: minus the logarithm of
the share that falls there. Nothing of it is left in the model but its weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .listing import NAMED
from .pictures import SIZE
from .views import Placed

SIDE = 8
"""Patches along a side of a picture of SIZE pixels."""
COVERED = 0.3
"""Of a patch, from where on a thing's box covers it."""


def covered(box: tuple[int, int, int, int]) -> Tensor:
    """[SIDE * SIDE] bool: the patches that a box (left, top, right, bottom) in pixels covers; at least the one of its middle."""
    edges = torch.arange(SIDE + 1) * (SIZE / SIDE)

    def along(low: int, high: int) -> Tensor:
        return (edges[1:].clamp(max=high) - edges[:-1].clamp(min=low)).clamp(min=0) / (SIZE / SIDE)

    found = torch.outer(along(box[1], box[3]), along(box[0], box[2])) >= COVERED
    middle = ((box[1] + box[3]) / 2, (box[0] + box[2]) / 2)
    row, column = (min(SIDE - 1, int(at * SIDE / SIZE)) for at in middle)
    found[row, column] = True
    return found.flatten()


def spots(placed: Sequence[Placed]) -> Tensor:
    """[names of the list, SIDE * SIDE] bool: what the queries of each name are to look at; all False where there is no such thing."""
    found = torch.zeros(len(NAMED), SIDE * SIDE, dtype=torch.bool)
    names = list(dict.fromkeys(one.name for one in placed))[: len(NAMED)]
    for one in placed:
        if one.name in names:
            found[names.index(one.name)] |= covered(one.box)
    return found


@contextmanager
def watched(qformer: Any) -> Iterator[list[tuple[Tensor, Tensor, int]]]:
    """Within it, a forward pass leaves (queries, keys, heads) of each cross-attention in the list."""
    kept: list[tuple[Tensor, Tensor, int]] = []
    hooks = []
    for layer in qformer.encoder.layer:
        if not layer.has_cross_attention:
            continue
        attention = layer.crossattention.attention
        asked: list[Tensor] = []

        def query(_: nn.Module, __: Any, output: Tensor, asked: list[Tensor] = asked) -> None:
            asked.append(output)

        def key(
            _: nn.Module, __: Any, output: Tensor, asked: list[Tensor] = asked, attention: Any = attention
        ) -> None:
            kept.append((asked.pop(), output, attention.num_attention_heads))

        hooks += [attention.query.register_forward_hook(query), attention.key.register_forward_hook(key)]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def beside_the_point(asked: Tensor, offered: Tensor, heads: int, where: Tensor) -> Tensor:
    """Scalar: minus the logarithm of the attention that falls where it should, the mean over heads, queries and names that have a thing.

    asked [batch, queries, width], offered [batch, patches + 1, width], where [batch, names, patches].
    """
    losses = []
    for slot, rows in enumerate(NAMED):
        there = where[:, slot].any(-1)
        if not there.any():
            continue
        query, key = (
            part.float().unflatten(-1, (heads, -1)).transpose(1, 2)
            for part in (asked[there, rows], offered[there])
        )
        logits = query @ key.mT / math.sqrt(query.shape[-1])
        inside = torch.nn.functional.pad(where[there, slot], (1, 0))[:, None, None]
        share = torch.logsumexp(logits.masked_fill(~inside, -math.inf), -1) - torch.logsumexp(logits, -1)
        losses.append(-share.mean((1, 2)))
    return torch.cat(losses).mean() if losses else asked.sum() * 0
