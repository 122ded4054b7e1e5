"""The vision part of a CLIP with random weights, in Hugging Face's layout.

Run: ``python tiny_clip.py OUT_DIR``; writes OUT_DIR/tiny-clip/.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection


def main(out: Path) -> None:
    """With its projection."""
    folder = out / "tiny-clip"
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        image_size=32, patch_size=8, projection_dim=16,
    )  # fmt: skip
    torch.manual_seed(3)
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    processor = {
        "size": {"shortest_edge": 32}, "crop_size": 32, "do_center_crop": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")


main(Path(sys.argv[1]))
