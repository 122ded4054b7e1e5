"""The UNet of a diffusers folder in PyTorch: answers each request line with seconds by forward pass.

Started as ``unet_peer.py IMAGE_DECODER_FOLDER THREADS``; says ``{"ready": ...}``, then for each line
``{"steps": N, "width": W}`` gives ``{"seconds": [...]}``. One pass is what a denoising step with guidance
computes: both directions in a batch of two, in single precision.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import diffusers
import torch
from diffusers import UNet2DConditionModel

CLIP_POSITIONS = 77


def say(message: dict) -> None:
    """Write one line to the parent."""
    print(json.dumps(message), flush=True)


def inputs(unet: UNet2DConditionModel, side: int) -> dict:
    """Random inputs of the shapes that SDXL's pipeline gives, for latents of ``side`` x ``side``."""
    config = unet.config
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    generator = torch.Generator().manual_seed(0)
    return {
        "sample": torch.randn(2, config.in_channels, side, side, generator=generator),
        "encoder_hidden_states": torch.randn(
            2, CLIP_POSITIONS, config.cross_attention_dim, generator=generator
        ),
        "added_cond_kwargs": {
            "text_embeds": torch.randn(2, pooled, generator=generator),
            "time_ids": torch.tensor([[side * 8.0, side * 8.0, 0, 0, side * 8.0, side * 8.0]] * 2),
        },
    }


def main() -> None:
    """Load the UNet, then answer until standard input ends."""
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).eval()
    vae = json.loads((folder / "vae" / "config.json").read_text())
    scale = 2 ** (len(vae["block_out_channels"]) - 1)
    say({"ready": f"PyTorch {torch.__version__}, diffusers {diffusers.__version__}"})
    for line in sys.stdin:
        request = json.loads(line)
        fed = inputs(unet, request["width"] // scale)
        seconds = []
        with torch.inference_mode():
            for step in range(request["steps"]):
                timestep = torch.tensor(999 - step * (999 // request["steps"]))
                begin = time.perf_counter()
                unet(timestep=timestep, **fed)
                seconds.append(time.perf_counter() - begin)
        say({"seconds": seconds})


if __name__ == "__main__":
    main()
