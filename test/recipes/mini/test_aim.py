"""The list's name queries begin at their own ends of the picture, and a list that was learnt is left as it is."""

from __future__ import annotations

import math

import torch

from recipes.mini.aim import PULL, _states, aim, left_and_up
from recipes.mini.listing import CAPTION, FIRST, SECOND
from recipes.mini.places import waves
from recipes.mini.shape import SHAPE
from recipes.mini.stage0 import QueryHalf, begin_list


def eyes(views: int) -> torch.Tensor:
    """Features [views, 65, 24] that say where each patch is, among other things."""
    features = torch.randn(views, 65, 24)
    features[:, 1:, :4] = 2 * waves(8)
    return features


def by_head(rows: torch.Tensor) -> torch.Tensor:
    """[views, rows, hidden] as [views, heads, rows, width]."""
    return rows.unflatten(-1, (SHAPE.num_attention_heads, -1)).transpose(1, 2)


@torch.no_grad()
def logits(query: QueryHalf, features: torch.Tensor) -> list[torch.Tensor]:
    """[views, heads, queries, patches] of each cross-attention."""
    found = []
    for layer in query.qformer.encoder.layer:
        if layer.has_cross_attention:
            part = layer.crossattention.attention
            asked, offered = part.query(_states(query, layer, features)), part.key(features)[:, 1:]
            found.append(by_head(asked) @ by_head(offered).mT / math.sqrt(part.attention_head_size))
    return found


def slopes(values: torch.Tensor) -> torch.Tensor:
    """[queries] how much they prefer what is left and up."""
    place = left_and_up(64)
    return (values * place).mean((0, 1, 3)) / place.square().mean()


def test_each_name_looks_at_its_end_and_the_others_where_they_did():
    torch.manual_seed(0)
    query, held_out = QueryHalf(24, 40).eval(), eyes(20)
    torch.nn.init.normal_(query.query_tokens)
    before = logits(query, held_out)
    aim(query, eyes(40), FIRST, SECOND)
    for was, now in zip(before, logits(query, held_out), strict=True):
        gained = (slopes(now) - slopes(was)) / was.std(-1).mean()
        assert (gained[FIRST] > 0.6 * PULL).all() and (gained[SECOND] < -0.6 * PULL).all()
        others = torch.cat([gained[: FIRST.start], gained[FIRST.stop : SECOND.start], gained[SECOND.stop :]])
        assert others.abs().max() < 0.5 * PULL


def test_a_list_begins_where_the_halves_are_the_same():
    torch.manual_seed(0)
    query = QueryHalf(24, 40).eval()
    torch.testing.assert_close(query.query_tokens[:, :CAPTION], query.query_tokens[:, CAPTION:])
    begin_list(query, eyes(40))
    assert (query.query_tokens[:, :CAPTION] - query.query_tokens[:, CAPTION:]).abs().max() > 0.1


def test_a_list_that_was_learnt_is_left_alone():
    torch.manual_seed(0)
    query = QueryHalf(24, 40).eval()
    begin_list(query, eyes(40))
    before = {name: value.clone() for name, value in query.state_dict().items()}
    begin_list(query, eyes(40))
    assert all(torch.equal(value, before[name]) for name, value in query.state_dict().items())
