"""Weights on the grid of 4 bits: what the product's quantiser keeps, and less error on what a layer reads."""

from __future__ import annotations

import torch

from recipes.mini.compensate import compensated, nearest


def test_errors_cancel_on_the_inputs_and_the_grid_is_kept():
    torch.manual_seed(0)
    weight = torch.randn(48, 96) * 0.05
    inputs = torch.randn(600, 12) @ torch.randn(12, 96) + 0.3 * torch.randn(600, 96)
    moved = compensated(weight, inputs.T @ inputs)
    error = (inputs @ (moved - weight).T).square().mean()
    plain = (inputs @ (nearest(weight) - weight).T).square().mean()
    assert error < 0.6 * plain
    torch.testing.assert_close(nearest(moved), moved, rtol=0, atol=1e-3)
    assert all(len(row.unique()) <= 16 for row in moved.reshape(-1, 32))
