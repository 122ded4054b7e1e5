"""CLIPTextModel or CLIPTextModelWithProjection: input_ids -> hidden_states (penultimate), pooled.

A case names its ids: ``{"input_ids": [[...], ...]}``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from golden import randomise, run_specs, save_cases, save_pretrained, store_as
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection


def generate(out: Path, spec: dict[str, Any]) -> None:
    config = CLIPTextConfig(**spec["config"])
    projected = spec.get("projection", False)
    model = CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)
    randomise(model)
    dtype = spec.get("dtype", "float32")
    model = store_as(model, dtype)
    save_pretrained(model, out / "model", dtype)

    def run(case: dict[str, Any]) -> dict[str, torch.Tensor]:
        ids = torch.tensor(case["input_ids"], dtype=torch.int64)
        result = model(input_ids=ids, output_hidden_states=True)
        return {
            "input_ids": ids,
            "hidden_states": result.hidden_states[-2],
            "pooled": result.text_embeds if projected else result.pooler_output,
        }

    save_cases(out, spec["cases"], run)


if __name__ == "__main__":
    run_specs(generate)
