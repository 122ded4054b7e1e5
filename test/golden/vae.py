"""AutoencoderKL: image -> latents (the distribution's mean, unscaled) and latents -> image.

A case is one of ``{"batch", "image": [h, w]}`` or ``{"batch", "latents": [h, w]}``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from golden import randomise, run_specs, save_cases, save_pretrained, store_as


def generate(out: Path, spec: dict[str, Any]) -> None:
    model = AutoencoderKL(**spec["config"])
    randomise(model)
    dtype = spec.get("dtype", "float32")
    model = store_as(model, dtype)
    save_pretrained(model, out / "model", dtype)

    def run(case: dict[str, Any]) -> dict[str, torch.Tensor]:
        if "image" in case:
            image = torch.randn(case["batch"], model.config.in_channels, *case["image"])
            return {"image": image, "latents": model.encode(image).latent_dist.mean}
        latents = torch.randn(
            case["batch"], model.config.latent_channels, *case["latents"]
        )
        return {"latents": latents, "image": model.decode(latents).sample}

    save_cases(out, spec["cases"], run)


if __name__ == "__main__":
    run_specs(generate)
