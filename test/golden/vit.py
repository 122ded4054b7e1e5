"""Blip2VisionModel on a random checkpoint: pixel_values -> last_hidden_state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from golden import randomise, run_specs, save_cases, save_pretrained, store_as
from transformers import Blip2VisionConfig, Blip2VisionModel


def generate(out: Path, spec: dict[str, Any]) -> None:
    config = Blip2VisionConfig(**spec["config"])
    model = Blip2VisionModel(config)
    randomise(model)
    dtype = spec.get("dtype", "float32")
    model = store_as(model, dtype)
    save_pretrained(model, out / "model", dtype)

    def run(case: dict[str, Any]) -> dict[str, torch.Tensor]:
        pixels = torch.randn(case["batch"], 3, config.image_size, config.image_size)
        return {
            "pixel_values": pixels,
            "last_hidden_state": model(pixel_values=pixels).last_hidden_state,
        }

    save_cases(out, spec["cases"], run)


if __name__ == "__main__":
    run_specs(generate)
