"""Which precision to compute in: fp32, or bf16 where the hardware is at home in it. Trained weights are always fp32."""

from __future__ import annotations

import time
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]
FASTER = 2.0
"""bf16 must win by this factor in the probe: a close race would be decided by chance, and rounding costs."""


def probe_seconds(dtype: torch.dtype, rows: int = 512, width: int = 1024, tries: int = 3) -> float:
    """The best time of a product [rows, width] x [width, width] on the processor."""
    left, right = torch.ones(rows, width, dtype=dtype), torch.ones(width, width, dtype=dtype)
    best = float("inf")
    for _ in range(tries + 1):
        since = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - since)
    return best


def choose_precision(asked: Literal["auto"] | Precision, device: torch.device) -> Precision:
    """``fp32`` or ``bf16``: as asked; ``auto`` is bf16 on a GPU, and on a processor where a probe finds it faster."""
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if probe_seconds(torch.float32) > FASTER * probe_seconds(torch.bfloat16) else "fp32"
