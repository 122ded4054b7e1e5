"""References from a model on disk (a folder with textbind.json): every network but the language model.

Run as ``python model_parts.py OUT FOLDER`` (any further arguments only tell one state of the folder from
another). Writes OUT/NETWORK.safetensors with inputs and outputs, named as ``textbind probe`` names them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from qformer import ProjectedQFormer
from safetensors.torch import load_file, save_file
from transformers import (
    Blip2QFormerConfig,
    Blip2VisionModel,
    CLIPTextModel,
    CLIPTextModelWithProjection,
)


def save(out: Path, name: str, tensors: dict[str, torch.Tensor]) -> None:
    save_file(
        {key: value.contiguous() for key, value in tensors.items()},
        str(out / f"{name}.safetensors"),
    )


def vision(out: Path, folder: Path) -> None:
    model = Blip2VisionModel.from_pretrained(folder, dtype=torch.float32).eval()
    size = model.config.image_size
    pixels = torch.randn(2, 3, size, size)
    hidden = model(pixel_values=pixels).last_hidden_state
    save(out, "vision", {"pixel_values": pixels, "last_hidden_state": hidden})


def qformer(out: Path, file: Path, sizes: dict[str, int]) -> None:
    state = {name: value.float() for name, value in load_file(str(file)).items()}
    encoder_size = state[
        "qformer.encoder.layer.0.crossattention.attention.key.weight"
    ].shape[1]
    image = torch.randn(2, 65, encoder_size)
    config = Blip2QFormerConfig(
        num_hidden_layers=sizes["numHiddenLayers"],
        num_attention_heads=sizes["numAttentionHeads"],
        hidden_size=sizes["hiddenSize"],
        intermediate_size=sizes["intermediateSize"],
        encoder_hidden_size=encoder_size,
    )
    model = ProjectedQFormer(
        config, sizes["numQueryTokens"], state["qformer_projection.weight"].shape[0]
    )
    model.load_state_dict(state)
    hidden, embeds = model.eval()(image)
    save(
        out,
        "qformer",
        {
            "encoder_hidden_states": image,
            "last_hidden_state": hidden,
            "image_embeds": embeds,
        },
    )


def text(out: Path, base: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    kind = CLIPTextModel if name == "text_encoder" else CLIPTextModelWithProjection
    model = kind.from_pretrained(base / name, dtype=torch.float32).eval()
    config = model.config
    ids = torch.randint(0, min(config.eos_token_id, config.vocab_size), (2, 77))
    ids[0, 6:] = config.eos_token_id
    ids[1, 40:] = config.eos_token_id
    result = model(input_ids=ids, output_hidden_states=True)
    hidden = result.hidden_states[-2]
    pooled = result.pooler_output if name == "text_encoder" else result.text_embeds
    save(out, name, {"input_ids": ids, "hidden_states": hidden, "pooled": pooled})
    return hidden, pooled


def draw(out: Path, base: Path) -> None:
    first, _ = text(out, base, "text_encoder")
    second, pooled = text(out, base, "text_encoder_2")
    unet = UNet2DConditionModel.from_pretrained(
        base / "unet", torch_dtype=torch.float32
    ).eval()
    size = unet.config.sample_size
    inputs = {
        "sample": torch.randn(2, unet.config.in_channels, size, size),
        "timestep": torch.tensor([601.0]),
        "encoder_hidden_states": torch.cat([first, second], dim=-1),
        "text_embeds": pooled,
        "time_ids": torch.tensor([[128.0, 128.0, 0.0, 0.0, 128.0, 128.0]] * 2),
    }
    noise = unet(
        inputs["sample"],
        inputs["timestep"],
        inputs["encoder_hidden_states"],
        added_cond_kwargs={"text_embeds": pooled, "time_ids": inputs["time_ids"]},
    ).sample
    save(out, "unet", inputs | {"noise_pred": noise})
    vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=torch.float32).eval()
    latents = torch.randn(1, vae.config.latent_channels, size, size)
    save(out, "vae_decoder", {"latents": latents, "image": vae.decode(latents).sample})
    image = torch.rand(1, 3, vae.config.sample_size, vae.config.sample_size) * 2 - 1
    save(
        out,
        "vae_encoder",
        {"image": image, "latents": vae.encode(image).latent_dist.mean},
    )


def main() -> None:
    out, folder = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    manifest = json.loads((folder / "textbind.json").read_text())
    with torch.no_grad():
        vision(out, folder / manifest["visionModel"])
        qformer(out, folder / manifest["qformer"], manifest["qformerConfig"])
        draw(out, folder / manifest["imageDecoder"]["base"])


if __name__ == "__main__":
    main()
