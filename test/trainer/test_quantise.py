"""The simulated int4 rounding: bounds, fixed points, which layers it touches."""

from __future__ import annotations

import torch
from textbind_trainer.quantise import int4_round_trip, make_int4_aware, quantise_linears


def test_error_is_at_most_half_a_step_in_each_block():
    torch.manual_seed(0)
    weight = torch.randn(8, 96)
    back = int4_round_trip(weight)
    for row, got in zip(weight.reshape(-1, 32), back.reshape(-1, 32), strict=True):
        step = (max(row.max().item(), 0) - min(row.min().item(), 0)) / 15
        # The zero point is a whole number, so the range may shift by half a step at its ends.
        assert (row - got).abs().max() <= step * 1.001
        assert len(got.unique()) <= 16
    torch.testing.assert_close(int4_round_trip(back), back)


def test_only_linear_layers_are_rounded(parts):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(parts / "language")
    # hidden 32 fits a block, the MLP's 48 does not: look at the attention alone
    layers = torch.nn.ModuleDict({"attention": model.model.layers[0].self_attn})
    before = model.get_input_embeddings().weight.clone()
    assert quantise_linears(layers) == 4
    assert torch.equal(before, model.get_input_embeddings().weight)


def test_aware_model_computes_rounded_and_learns_unrounded(parts):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(parts / "language")
    model.requires_grad_(False)
    model.model.layers[1].requires_grad_(True)
    frozen = model.model.layers[0].self_attn.q_proj.weight.clone()
    trained = model.model.layers[1].self_attn.q_proj.weight.clone()
    make_int4_aware(model)
    torch.testing.assert_close(model.model.layers[0].self_attn.q_proj.weight, int4_round_trip(frozen))
    assert torch.equal(model.model.layers[1].self_attn.q_proj.weight, trained)
    x = torch.randn(3, 32)
    out = model.model.layers[1].self_attn.q_proj(x)
    torch.testing.assert_close(out, x @ int4_round_trip(trained).T)
    out.sum().backward()
    assert model.model.layers[1].self_attn.q_proj.weight.grad.abs().sum() > 0
