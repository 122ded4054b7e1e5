"""UNet2DConditionModel: sample, timestep, encoder_hidden_states, text_embeds, time_ids -> noise_pred."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from golden import randomise, run_specs, save_cases, save_pretrained, store_as


def generate(out: Path, spec: dict[str, Any]) -> None:
    model = UNet2DConditionModel(**spec["config"])
    randomise(model)
    dtype = spec.get("dtype", "float32")
    model = store_as(model, dtype)
    save_pretrained(model, out / "model", dtype)
    config = model.config

    def run(case: dict[str, Any]) -> dict[str, torch.Tensor]:
        batch, count = case["batch"], case.get("time_ids", 6)
        text_size = (
            config.projection_class_embeddings_input_dim
            - count * config.addition_time_embed_dim
        )
        cross_size = config.cross_attention_dim
        inputs = {
            "sample": torch.randn(
                batch, config.in_channels, case["height"], case["width"]
            ),
            "timestep": torch.tensor([case["timestep"]], dtype=torch.float32),
            "encoder_hidden_states": torch.randn(batch, case["length"], cross_size),
            "text_embeds": torch.randn(batch, text_size),
            "time_ids": torch.randint(0, 1024, (batch, count)).float(),
        }
        noise = model(
            inputs["sample"],
            inputs["timestep"],
            inputs["encoder_hidden_states"],
            added_cond_kwargs={
                "text_embeds": inputs["text_embeds"],
                "time_ids": inputs["time_ids"],
            },
        ).sample
        return inputs | {"noise_pred": noise}

    save_cases(out, spec["cases"], run)


if __name__ == "__main__":
    run_specs(generate)
