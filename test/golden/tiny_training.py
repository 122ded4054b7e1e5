"""A tiny BLIP-2 folder and training data, written by transformers and Pillow themselves.

Called as ``python tiny_training.py OUT``: OUT/blip2 (a whole model), OUT/language, OUT/data (train.json with planted
faults, images), OUT/tars.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "trainer"))
from tiny_parts import caption_row, conversations, make_parts, picture_bytes, write_tar
from transformers import Blip2Config, Blip2ForConditionalGeneration, OPTConfig


def main() -> None:
    """Write all folders."""
    out = Path(sys.argv[1])
    make_parts(out)
    torch.manual_seed(2)
    text = OPTConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2, word_embed_proj_dim=16,
        max_position_embeddings=64,
    )  # fmt: skip
    config = Blip2Config(
        vision_config={
            "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": 16, "patch_size": 8,
        },
        qformer_config={
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
            "encoder_hidden_size": 24, "vocab_size": 30,
        },
        text_config=text.to_dict(),
        num_query_tokens=4,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config).eval()
    model.save_pretrained(out / "blip2")
    processor = (out / "vision" / "preprocessor_config.json").read_text()
    (out / "blip2" / "preprocessor_config.json").write_text(processor)
    pixels = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)
    with torch.no_grad():
        seen = model.vision_model(pixel_values=pixels).last_hidden_state
    (out / "blip2-sees.json").write_text(json.dumps(seen.flatten().tolist()))
    (out / "data" / "images").mkdir(parents=True)
    for number, name in enumerate("abc"):
        (out / "data" / "images" / f"{name}.png").write_bytes(picture_bytes(number))
    rows = conversations()
    (out / "data" / "good.json").write_text(json.dumps(rows))
    rows[1]["conversation"][1]["image_list"] = ["gone.png"]
    (out / "data" / "train.json").write_text(json.dumps([*rows, 3]))
    (out / "tars").mkdir()
    write_tar(out / "tars" / "00000.tar", [caption_row(number) for number in range(6)])


if __name__ == "__main__":
    main()
