"""Stage 0: what the loss counts, and which shares are told."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from recipes.mini import stage0
from recipes.mini.build import STAGE0
from recipes.mini.listing import CAPTION, NAMED
from recipes.mini.shape import SHAPE
from recipes.mini.stage0 import QueryHalf, losses, shares, weights_of


def test_every_query_has_an_output_of_its_own():
    torch.manual_seed(0)
    query = QueryHalf(24, 40).eval()
    with torch.no_grad():
        outputs = query(torch.randn(3, 9, 24))
    assert outputs.shape == (3, SHAPE.num_query_tokens, 40)
    assert (outputs[:, 1:] - outputs[:, :-1]).abs().amax((0, 2)).min() > 0


def test_a_wrong_word_costs_more_than_a_wrong_filler():
    table = torch.eye(4)
    targets = torch.tensor([[0, 1, 3, 3]])
    weights = weights_of(targets, torch.tensor([0]), 3)
    right = table[targets]
    word, filler = right.clone(), right.clone()
    word[0, 0], filler[0, 3] = table[2], table[2]
    costs = [losses(outputs, targets, table, weights) for outputs in (right, word, filler)]
    assert costs[0][0] < costs[2][0] < costs[1][0]
    assert [cost[2].tolist() for cost in costs] == [
        [[True] * 4],
        [[False, True, True, True]],
        [[True, True, True, False]],
    ]
    assert costs[0][1] == 0 and stage0.FILLER < 1


def test_of_two_things_the_list_counts_more_than_the_caption():
    targets = torch.ones(2, SHAPE.num_query_tokens, dtype=torch.long)
    weights = weights_of(targets, torch.tensor([0, 2]), 0)
    assert weights[0].eq(1).all()
    named = torch.cat([torch.arange(32)[name] for name in NAMED])
    rest = torch.tensor([row for row in range(CAPTION, 32) if row not in named])
    assert weights[1, named].eq(stage0.LISTED).all() and weights[1, rest].eq(1).all()
    assert weights[1, :CAPTION].eq(stage0.CROWDED).all() and stage0.CROWDED < 1


def test_shares_of_captions_and_of_lists():
    right = torch.ones(3, SHAPE.num_query_tokens, dtype=torch.bool)
    right[0, 2] = right[2, CAPTION] = False
    assert shares(right, torch.tensor([0, 0, 2])) == {
        "singleCaption": 0.5, "singleList": 1.0, "placedCaption": 1.0, "placedList": 0.0,
    }  # fmt: skip


def test_the_stage0_that_is_kept_fits_the_model():
    """recipes/mini/weights: what a new sitting goes on from."""
    kept = load_file(STAGE0)
    query = stage0.QueryHalf(
        vision_width := kept["embeddings.position_embedding"].shape[-1],
        kept["qformer_projection.weight"].shape[0],
    )
    query.load_state_dict({name: kept[name].float() for name in query.state_dict()})
    outputs = query(torch.randn(2, kept["embeddings.position_embedding"].shape[1], vision_width))
    assert outputs.isfinite().all() and outputs.shape[1] == SHAPE.num_query_tokens
