"""Stage 0: sixteen learnt queries stand for the published 32, and what the loss counts."""

from __future__ import annotations

import torch
from safetensors.torch import save_file
from textbind_trainer.model import make_qformer
from torch import nn

from recipes.mini import stage0
from recipes.mini.shape import SHAPE
from recipes.mini.stage0 import SLOT, QueryHalf, load_published, losses, published


def test_every_query_twice_gives_the_same_outputs_twice(tmp_path):
    torch.manual_seed(0)
    half = QueryHalf(24, 40).eval()
    features = torch.randn(3, 9, 24)
    weights = published(half)
    whole = make_qformer(SHAPE, 24).eval()
    whole.load_state_dict(
        {
            name.removeprefix("qformer."): value
            for name, value in weights.items()
            if name.startswith("qformer.")
        }
    )
    projection = nn.Linear(SHAPE.hidden_size, 40)
    projection.load_state_dict({part: weights[f"qformer_projection.{part}"] for part in ("weight", "bias")})
    queries = weights["query_tokens"].expand(3, -1, -1)
    with torch.no_grad():
        seen = whole(query_embeds=queries, encoder_hidden_states=features, return_dict=True).last_hidden_state
        outputs = projection(seen)
        torch.testing.assert_close(outputs, half(features).repeat(1, SHAPE.num_query_tokens // SLOT, 1))
    save_file(weights, tmp_path / "qformer.safetensors")
    again = QueryHalf(24, 40)
    load_published(again, tmp_path / "qformer.safetensors")
    torch.testing.assert_close(again.query_tokens, half.query_tokens)


def test_a_wrong_word_costs_more_than_a_wrong_filler():
    table = torch.eye(4)
    targets = torch.tensor([[0, 1, 3, 3]])
    right = table[targets]
    word, filler = right.clone(), right.clone()
    word[0, 0], filler[0, 3] = table[2], table[2]
    costs = [losses(outputs, targets, table, 3) for outputs in (right, word, filler)]
    assert costs[0][0] < costs[2][0] < costs[1][0]
    assert [cost[2].item() for cost in costs] == [1, 0, 0]
    assert costs[0][1] == 0 and stage0.FILLER < 1
