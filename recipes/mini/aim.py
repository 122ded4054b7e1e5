"""The list's name queries look at their own end of the picture from the start of stage 0.

Which thing is the first one is where it is: left, or above. That attention has to become one of places stands between chance and the
first right pair, and 900 steps did not find it. So it is written into the weights, and training goes on from there: each head of cross-attention
reads from a query's state which end it is for, and from a patch's features where that is (places.py), and multiplies the two along a
direction that its keys and queries use little.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from .places import waves

PULL = 1.0
"""What attention's logarithm gains for each unit of the two waves of column and row (1.4 units lie between two things), in units of
its deviation over the patches of a picture. Where names were learnt that is 15 to 31 in the first layer, 4 to 9 in the second.
"""


def least(rows: Tensor) -> Tensor:
    """[hidden]: the direction in which rows [n, hidden] have the least mean square."""
    return torch.linalg.eigh(rows.T @ rows / len(rows)).eigenvectors[:, 0]


def fitted(rows: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(weights [hidden], bias) that read target [n] from rows [n, hidden]."""
    mean, centre = rows.mean(0), target.mean()
    centred = rows - mean
    weights = torch.linalg.solve(
        centred.T @ centred + torch.eye(rows.shape[1]), centred.T @ (target - centre)
    )
    return weights, centre - mean @ weights


def left_and_up(patches: int) -> Tensor:
    """[patches] how far left and up each is, 2 to -2."""
    along = waves(math.isqrt(patches))
    return along[:, 0] + along[:, len(along[0]) // 2]


def _states(query: nn.Module, layer: Any, features: Tensor) -> Tensor:
    """[views, queries, hidden] what a layer's cross-attention is given."""
    seen: list[Tensor] = []

    def watch(_: nn.Module, __: tuple[Any, ...], given: dict[str, Any]) -> None:
        seen.append(given["hidden_states"])

    hook = layer.crossattention.register_forward_pre_hook(watch, with_kwargs=True)
    query(features)
    hook.remove()
    return seen[0]


@torch.no_grad()
def aim(query: Any, features: Tensor, first: slice, second: slice) -> None:
    """Let the queries of the one slice look left and up, those of the other right and down, in place.

    query: stage0.QueryHalf; features [views, patches + 1, vision hidden] of some pictures.
    """
    place = left_and_up(features.shape[1] - 1).repeat(len(features))
    where, where_bias = fitted(features[:, 1:].flatten(0, 1), place)
    for layer in query.qformer.encoder.layer:
        if not layer.has_cross_attention:
            continue
        state = _states(query, layer, features)
        end = torch.zeros(state.shape[1])
        end[first], end[second] = 1, -1
        which, which_bias = fitted(state.flatten(0, 1), end.repeat(len(state)))
        attention = layer.crossattention.attention
        wide = attention.attention_head_size
        asked, offered = attention.query(state), attention.key(features)
        for start in range(0, attention.all_head_size, wide):
            rows = slice(start, start + wide)
            both = [part[..., rows].flatten(0, 1) for part in (asked, offered)]
            own = least(torch.cat([part / part.std() for part in both]))
            strength = PULL * (asked[..., rows] @ offered[:, 1:, rows].mT).std(-1).mean()
            # Shared so that what stood along the direction before adds little on either side.
            share = (strength * (both[1] @ own).std() / (both[0] @ own).std()).sqrt()
            attention.key.weight[rows] += own[:, None] * where * share
            attention.key.bias[rows] += own * where_bias * share
            strength = strength / share
            attention.query.weight[rows] += own[:, None] * which * strength
            attention.query.bias[rows] += own * which_bias * strength
