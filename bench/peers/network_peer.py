"""A network of the published system at its true size in PyTorch, with random weights: answers with seconds by run.

Started as ``network_peer.py PART SIDE THREADS MODE``: the parts are those of ``bench/full-size/parts.ts``, MODE is
``fp32`` or ``bf16``, with ``-last`` for channels last. Says ``{"ready": ..., "seconds": ...}``; each line
``{"kind": "run"}`` gives ``{"seconds": N}``, ``{"kind": "memory"}`` the most that was resident, MB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import torch

CLIP_POSITIONS = 77
#: SDXL's UNet; ``unet-shallow`` has two of the ten transformer blocks on the level where they are most.
DEPTHS = {"unet": (1, 2, 10), "unet-shallow": (1, 2, 2)}


def say(message: dict) -> None:
    """Write one line to the parent."""
    print(json.dumps(message), flush=True)


def unet_of(part: str) -> torch.nn.Module:
    """SDXL's UNet by its published sizes."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=128, in_channels=4, out_channels=4, layers_per_block=2, use_linear_projection=True,
        block_out_channels=(320, 640, 1280), down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 2),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=DEPTHS[part], attention_head_dim=(5, 10, 20), cross_attention_dim=2048,
        addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
    )  # fmt: skip


def network_of(part: str) -> torch.nn.Module:
    """The network, its weights not made yet."""
    if part in DEPTHS:
        return unet_of(part)
    if part == "vae-decoder":
        from diffusers import AutoencoderKL

        blocks = (128, 256, 512, 512)
        vae = AutoencoderKL(
            block_out_channels=blocks, layers_per_block=2, down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4, latent_channels=4, norm_num_groups=32,
        )  # fmt: skip
        del vae.encoder
        return vae
    if part == "vit-g":
        from transformers import Blip2VisionConfig, Blip2VisionModel

        return Blip2VisionModel(Blip2VisionConfig())
    raise SystemExit(f"there is no {part}")


def fill(network: torch.nn.Module) -> None:
    """Random matrices that let signals neither grow nor fade; norms do nothing, biases are zero."""
    for name, parameter in network.named_parameters():
        if parameter.dim() == 1:
            parameter.data.fill_(0 if name.endswith("bias") else 1)
        else:
            bound = 1.2 / (parameter[0].numel() ** 0.5)
            parameter.data.uniform_(-bound, bound)


def inputs_of(part: str, side: int, dtype: torch.dtype, layout: torch.memory_format) -> dict[str, Any]:
    """Inputs for a picture of ``side`` pixels, as the pipelines give them."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        made = torch.randn(*shape, generator=generator).to(dtype)
        return made.to(memory_format=layout) if len(shape) == 4 else made

    if part == "vit-g":
        return {"pixel_values": noise(1, 3, 224, 224)}
    latents = side // 8
    if part == "vae-decoder":
        return {"z": noise(1, 4, latents, latents)}
    return {
        "sample": noise(2, 4, latents, latents),
        "timestep": torch.tensor(500),
        "encoder_hidden_states": noise(2, CLIP_POSITIONS, 2048),
        "added_cond_kwargs": {"text_embeds": noise(2, 1280), "time_ids": noise(2, 6)},
    }


def main() -> None:
    """Make the network, then answer until standard input ends."""
    part, side, threads, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    begin = time.perf_counter()
    dtype = torch.bfloat16 if mode.startswith("bf16") else torch.float32
    layout = torch.channels_last if mode.endswith("-last") else torch.contiguous_format
    with torch.device("meta"):
        network = network_of(part)
    network = network.to(dtype).to_empty(device="cpu").eval()
    fill(network)
    network = network.to(memory_format=layout)
    run = network.decode if part == "vae-decoder" else network
    fed = inputs_of(part, side, dtype, layout)
    say({"ready": f"PyTorch {torch.__version__}, {mode}", "seconds": time.perf_counter() - begin})
    for line in sys.stdin:
        if json.loads(line)["kind"] == "memory":
            say({"most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000})
            continue
        begin = time.perf_counter()
        with torch.inference_mode():
            run(**fed)
        say({"seconds": time.perf_counter() - begin})


if __name__ == "__main__":
    main()
