"""Blip2QFormerModel with query tokens and projection, under a TextBind checkpoint's names.

``model/`` holds ``qformer.safetensors`` (query_tokens, qformer.*, qformer_projection.*)
and ``config.json`` (the Blip2QFormerConfig with num_query_tokens and projection_size).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from golden import randomise, run_specs, save_cases, store_as
from safetensors.torch import save_file
from transformers import Blip2QFormerConfig, Blip2QFormerModel


class ProjectedQFormer(torch.nn.Module):
    """The three trained modules under the names that a TextBind checkpoint gives them."""

    def __init__(
        self, config: Blip2QFormerConfig, num_query_tokens: int, projection_size: int
    ) -> None:
        super().__init__()
        self.query_tokens = torch.nn.Parameter(
            torch.zeros(1, num_query_tokens, config.hidden_size)
        )
        self.qformer = Blip2QFormerModel(config)
        self.qformer_projection = torch.nn.Linear(config.hidden_size, projection_size)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        queries = self.query_tokens.expand(image.shape[0], -1, -1)
        hidden = self.qformer(
            query_embeds=queries, encoder_hidden_states=image
        ).last_hidden_state
        return hidden, self.qformer_projection(hidden)


def generate(out: Path, spec: dict[str, Any]) -> None:
    config = Blip2QFormerConfig(**spec["config"])
    model = ProjectedQFormer(config, spec["num_query_tokens"], spec["projection_size"])
    randomise(model)
    dtype = spec.get("dtype", "float32")
    model = store_as(model, dtype)
    folder = out / "model"
    folder.mkdir(exist_ok=True)
    state = {
        name: value.to(getattr(torch, dtype))
        for name, value in model.state_dict().items()
    }
    save_file(state, str(folder / "qformer.safetensors"))
    written = config.to_dict() | {
        "num_query_tokens": spec["num_query_tokens"],
        "projection_size": spec["projection_size"],
    }
    (folder / "config.json").write_text(json.dumps(written, indent=2))

    def run(case: dict[str, Any]) -> dict[str, torch.Tensor]:
        image = torch.randn(case["batch"], case["length"], config.encoder_hidden_size)
        hidden, embeds = model(image)
        return {
            "encoder_hidden_states": image,
            "last_hidden_state": hidden,
            "image_embeds": embeds,
        }

    save_cases(out, spec["cases"], run)


if __name__ == "__main__":
    run_specs(generate)
