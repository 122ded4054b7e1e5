"""The queries of a name are pulled to its thing, by a loss that knows where that stands."""

from __future__ import annotations

import math

import torch

from recipes.mini.listing import NAMED
from recipes.mini.looking import beside_the_point, covered, spots, watched
from recipes.mini.pictures import SIZE
from recipes.mini.shape import SHAPE
from recipes.mini.stage0 import QueryHalf
from recipes.mini.views import Placed


def test_a_box_covers_the_patches_that_it_fills_in_part():
    assert covered((0, 0, SIZE, SIZE)).all()
    corner = covered((0, 0, 32, 16)).view(8, 8)
    assert corner.nonzero().tolist() == [[0, 0], [0, 1]]
    assert covered((16, 32, 20, 36)).view(8, 8).nonzero().tolist() == [[2, 1]]


def test_each_name_has_its_own_things_and_several_of_a_kind_share_one():
    left, right = Placed("cat", (0, 0, 32, 32)), Placed("dog", (96, 96, 128, 128))
    found = spots([left, right])
    assert found.shape == (3, 64) and found.sum(1).tolist() == [4, 4, 0]
    assert found[0].view(8, 8)[0, 0] and found[1].view(8, 8)[7, 7]
    assert spots([left, Placed("cat", (96, 96, 128, 128))]).sum(1).tolist() == [8, 0, 0]
    assert not spots([]).any()


def test_the_loss_is_that_of_the_attention_that_the_model_computes():
    torch.manual_seed(0)
    query = QueryHalf(24, 40).eval()
    torch.nn.init.normal_(query.query_tokens)
    query.qformer.set_attn_implementation("eager")
    features = torch.randn(3, 65, 24) * 3
    where = torch.stack(
        [
            spots([Placed("cat", (0, 0, 64, 64))]),
            spots([]),
            spots([Placed("cat", (0, 0, 40, 40)), Placed("dog", (64, 64, 128, 128))]),
        ]
    )
    with watched(query.qformer) as looks:
        attended = query.qformer(
            query_embeds=query.query_tokens.expand(3, -1, -1),
            encoder_hidden_states=features,
            output_attentions=True,
        ).cross_attentions
    assert len(looks) == sum(layer.has_cross_attention for layer in query.qformer.encoder.layer) == 2
    for look, attention in zip(looks, attended, strict=True):
        wanted = [
            -attention[picture, :, NAMED[slot]][..., 1:][..., where[picture, slot]].sum(-1).log().mean()
            for slot in range(3)
            for picture in range(3)
            if where[picture, slot].any()
        ]
        torch.testing.assert_close(beside_the_point(*look, where), torch.stack(wanted).mean())


def test_pictures_without_things_cost_nothing():
    asked, offered = torch.randn(2, SHAPE.num_query_tokens, 16, requires_grad=True), torch.randn(2, 65, 16)
    loss = beside_the_point(asked, offered, 4, torch.zeros(2, 3, 64, dtype=torch.bool))
    loss.backward()
    assert loss == 0 and not asked.grad.any()


def test_attention_learns_to_look_where_it_is_told():
    torch.manual_seed(0)
    query = QueryHalf(24, 40)
    features, where = torch.randn(4, 65, 24), spots([Placed("cat", (0, 0, 32, 32))]).expand(4, -1, -1)
    optimizer = torch.optim.Adam(query.parameters(), 3e-3)
    found = []
    for _ in range(60):
        with watched(query.qformer) as looks:
            query(features)
        loss = torch.stack([beside_the_point(*look, where) for look in looks]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found[0] > 2 and math.isfinite(found[0])
    assert found[-1] < found[0] / 4
