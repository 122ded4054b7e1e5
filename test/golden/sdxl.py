"""A small random SDXL, base and refiner, and what diffusers' pipelines draw with it.

Called as ``python sdxl.py OUT_DIR``; writes ``base/`` and ``refiner/`` as diffusers saves them and
``expected.safetensors``: the starting ``noise`` [1, 4, 8, 12], ``plain`` (latents of the base alone),
``plain_image``, ``negative`` (the same with a negative prompt), ``unguided`` (guidance 1), ``handed_over``
(base stopped at 0.8) and ``refined`` (the refiner's end); ``from_0.6`` and ``from_1.0``: started from ``picture`` with
``picture_noise`` on it, at those strengths.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from golden import randomise
from safetensors.torch import save_file
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

PROMPT = "a red apple, on blue!"
STEPS = 7
HEIGHT, WIDTH = 64, 96


def tokenizer(pad: str) -> CLIPTokenizer:
    """Every byte a token: no merges are needed to read any text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)


def text_config(hidden: int, act: str) -> CLIPTextConfig:
    """A text encoder whose end of text is the tokenizer's."""
    return CLIPTextConfig(
        vocab_size=514, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=77, hidden_act=act, bos_token_id=512, eos_token_id=513, projection_dim=24,
    )  # fmt: skip


def unet(cross: int, time_ids: int) -> UNet2DConditionModel:
    """Two levels; the added condition is 24 pooled values and the sinusoids of the time ids."""
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(32, 64), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4), transformer_layers_per_block=1, cross_attention_dim=cross, norm_num_groups=8,
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 8 * time_ids,
    )  # fmt: skip


def scheduler() -> EulerDiscreteScheduler:
    """SDXL's own."""
    return EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="leading"
    )


def build() -> tuple[StableDiffusionXLPipeline, StableDiffusionXLImg2ImgPipeline]:
    """Random base and refiner; the refiner shares the second text encoder and the VAE."""
    first, second = CLIPTextModel(text_config(16, "quick_gelu")), CLIPTextModelWithProjection(text_config(24, "gelu"))
    kind = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    vae = AutoencoderKL(block_out_channels=(8, 8, 16, 16), norm_num_groups=4, scaling_factor=0.13025, **kind)
    base_unet, refiner_unet = unet(16 + 24, 6), unet(24, 5)
    for model in (first, second, vae, base_unet, refiner_unet):
        randomise(model)
        model.eval()
    base = StableDiffusionXLPipeline(
        vae, first, second, tokenizer("<|endoftext|>"), tokenizer("!"), base_unet, scheduler(), add_watermarker=False
    )
    refiner = StableDiffusionXLImg2ImgPipeline(
        vae, None, second, None, tokenizer("!"), refiner_unet, scheduler(),
        requires_aesthetics_score=True, force_zeros_for_empty_prompt=False, add_watermarker=False,
    )  # fmt: skip
    return base, refiner


def main() -> None:
    """Write folders and references."""
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    torch.manual_seed(11)
    base, refiner = build()
    base.save_pretrained(out / "base")
    refiner.save_pretrained(out / "refiner")
    noise = torch.randn(1, 4, HEIGHT // 8, WIDTH // 8)
    common = {"prompt": PROMPT, "num_inference_steps": STEPS, "guidance_scale": 5.0}
    size = {"height": HEIGHT, "width": WIDTH}

    def draw(**changes):
        return base(**(common | size | {"latents": noise.clone(), "output_type": "latent"} | changes)).images

    handed_over = draw(denoising_end=0.8)
    refined = refiner(**common, image=handed_over, denoising_start=0.8, output_type="latent").images
    # From a picture: its latents (the mean) go in as such, and the pipeline's only draw from the seed is the noise.
    picture = torch.rand(1, 3, HEIGHT, WIDTH) * 2 - 1
    with torch.no_grad():
        latents = base.vae.encode(picture).latent_dist.mode() * base.vae.config.scaling_factor
    again = StableDiffusionXLImg2ImgPipeline(
        base.vae, base.text_encoder, base.text_encoder_2, base.tokenizer, base.tokenizer_2, base.unet, scheduler(),
        add_watermarker=False,
    )  # fmt: skip
    started = {
        f"from_{strength}": again(
            **common, image=latents, strength=strength, generator=torch.Generator().manual_seed(5), output_type="latent"
        ).images
        for strength in (0.6, 1.0)
    }
    tensors = {
        "picture": picture,
        "picture_noise": torch.randn(latents.shape, generator=torch.Generator().manual_seed(5)),
        **started,
        "noise": noise,
        "plain": draw(),
        "plain_image": draw(output_type="pt") * 2 - 1,
        "negative": draw(negative_prompt="blurry"),
        "unguided": draw(guidance_scale=1.0),
        "handed_over": handed_over,
        "refined": refined,
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(out / "expected.safetensors"))
    (out / "request.json").write_text(json.dumps({"prompt": PROMPT, "steps": STEPS, **size}), encoding="utf8")


if __name__ == "__main__":
    main()
