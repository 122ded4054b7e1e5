"""Trains the UNet of the image decoder: diffusers' UNet2DConditionModel, SDXL's architecture, small.

Latents and text states are computed once; steps then cost the UNet alone. The network predicts
velocity (v-prediction): with so little training, predicted noise gives wrong colours at the first,
noisiest steps.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import clip_text, loop
from .latents import CHANNELS as LATENTS
from .latents import Basis, load_or_find_basis, measure_scaling
from .pictures import SIZE, fetch_pictures
from .scenes import batch_of, pixels

DEFAULT_MINUTES = 60.0
SCENES = 8_000
# The eyes must find an object anywhere; the hand may choose where to put it. Taught to draw nearly
# centred objects of nearly one size, it learns what they look like instead of where they could be.
VARIETY = 0.2
CHANNELS, HEADS, NORM_GROUPS = (32, 64, 128), (1, 2, 4), 8
TEXT_WIDTH, POOLED_WIDTH, TIME_WIDTH = 96 + 128, 128, 32
# SDXL's micro-conditions: original size, corner of the crop, target size.
TIME_IDS = (SIZE, SIZE, 0, 0, SIZE, SIZE)


def build(latent_channels: int = LATENTS, latent_size: int = 16) -> UNet2DConditionModel:
    """A new UNet of SDXL's plan: one plain level, two with cross-attention over both encoders' states."""
    return UNet2DConditionModel(
        sample_size=latent_size,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=CHANNELS,
        norm_num_groups=NORM_GROUPS,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=HEADS,
        cross_attention_dim=TEXT_WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_WIDTH,
        projection_class_embeddings_input_dim=POOLED_WIDTH + 6 * TIME_WIDTH,
    )


def start_at_zero(unet: UNet2DConditionModel) -> None:
    """Let every residual branch and the output begin at zero: the network bears a far higher rate."""
    for name, module in unet.named_modules():
        if name == "conv_out" or name.endswith((".conv2", ".proj_out")):
            torch.nn.init.zeros_(module.weight)
            torch.nn.init.zeros_(module.bias)


def build_scheduler() -> EulerDiscreteScheduler:
    """SDXL's scheduler but for the prediction and a stronger last beta.

    With SDXL's 0.012 a latent of 16 x 16 is not yet drowned at the last step: its mean colour shows
    through in training and is missing when drawing starts from pure noise.
    """
    return EulerDiscreteScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="leading",
        steps_offset=1,
        interpolation_type="linear",
        use_karras_sigmas=False,
    )


def load_unet(folder: Path) -> UNet2DConditionModel:
    """The published UNet."""
    return UNet2DConditionModel.from_pretrained(folder)


class TextSide:
    """Both frozen text encoders with their tokenizers, as the pipeline uses them."""

    def __init__(self, folder: Path) -> None:
        files = [folder / name / "model.safetensors" for name in ("text_encoder", "text_encoder_2")]
        self.digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        self.tokenizers = [
            CLIPTokenizer.from_pretrained(folder / name) for name in ("tokenizer", "tokenizer_2")
        ]
        self.first = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
        self.second = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2").eval()

    @torch.no_grad()
    def states(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Penultimate states of both side by side [batch, 77, 224], and text_embeds [batch, 128]."""
        first = self.first(clip_text.encode(self.tokenizers[0], texts, full=True), output_hidden_states=True)
        second = self.second(
            clip_text.encode(self.tokenizers[1], texts, full=True), output_hidden_states=True
        )
        return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), second.text_embeds


@torch.no_grad()
def prepare(basis: Basis, scale: float, text: TextSide, pictures: Path, folder: Path, count: int) -> None:
    """Write folder/{latents,states,pooled}.npy in half precision, manifest.json last; kept when it is there."""
    manifest = folder / "manifest.json"
    made_from = {"count": count, "scaling_factor": scale, "variety": VARIETY, "text": text.digest}
    if manifest.is_file() and json.loads(manifest.read_text()) == made_from:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shapes = {
        "latents": (count, LATENTS, SIZE // 8, SIZE // 8),
        "states": (count, 77, TEXT_WIDTH),
        "pooled": (count, POOLED_WIDTH),
    }
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.float16, shape)
        for name, shape in shapes.items()
    }
    for first in range(0, count, 32):
        scenes = batch_of(pictures, "training", first, min(32, count - first), VARIETY)
        rows = slice(first, first + len(scenes))
        arrays["latents"][rows] = (basis.encode(pixels(scenes)) * scale).half().numpy()
        states, pooled = text.states([scene.caption for scene in scenes])
        arrays["states"][rows], arrays["pooled"][rows] = states.half().numpy(), pooled.half().numpy()
        if first % 1600 == 0:
            emit("prepare", run="unet", done=first, of=count)
    for array in arrays.values():
        array.flush()
    loop.write_atomically(manifest, json.dumps(made_from))


def main(argv: list[str] | None = None) -> int:
    """Train from OUT/text, and leave OUT/unet (averaged weights)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--scenes", type=int, default=SCENES)
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    batch = arguments.batch or 16
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    basis = load_or_find_basis(arguments.out, pictures)
    folder = arguments.out / "prepared"
    text_side = TextSide(arguments.out / "text")
    prepare(basis, measure_scaling(basis, pictures), text_side, pictures, folder, arguments.scenes)
    latents, states, pooled = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("latents", "states", "pooled")
    )

    unet = build(latents.shape[1])
    start_at_zero(unet)
    average = loop.Average(unet, 0.998)
    optimizer = torch.optim.AdamW(
        [{"params": list(unet.parameters()), "base": arguments.rate}], betas=(0.9, 0.98), weight_decay=0.01
    )
    remaining = build_scheduler().alphas_cumprod
    time_ids = torch.tensor([TIME_IDS], dtype=torch.float32).expand(batch, -1)

    def step_function(step: int, _progress: float) -> dict[str, float]:
        rows = np.sort(torch.randint(0, len(latents), (batch,)).numpy())
        clean = torch.from_numpy(latents[rows]).float()
        text, pool = torch.from_numpy(states[rows]).float(), torch.from_numpy(pooled[rows]).float()
        # Guidance needs the network to draw without a text too: all zeros, as the pipeline feeds it.
        kept = (torch.rand(batch) >= 0.1).float()
        text, pool = text * kept.view(-1, 1, 1), pool * kept.view(-1, 1)
        # One time in each of `batch` equal stretches: less noise in the gradient than free choice.
        times = ((torch.arange(batch) + torch.rand(batch)) / batch * len(remaining)).long()[
            torch.randperm(batch)
        ]
        signal = remaining[times].sqrt().view(-1, 1, 1, 1)
        noise_part = (1 - remaining[times]).sqrt().view(-1, 1, 1, 1)
        noise = torch.randn_like(clean)
        predicted = unet(
            signal * clean + noise_part * noise,
            times,
            text,
            added_cond_kwargs={"text_embeds": pool, "time_ids": time_ids},
        ).sample
        loss = functional.mse_loss(predicted, signal * noise - noise_part * clean)
        loss.backward()
        return {"loss": loss.item()}

    def publish(step: int) -> None:
        scratch = arguments.out / ".unet"
        shutil.rmtree(scratch, ignore_errors=True)
        unet.save_pretrained(scratch)
        weights = scratch / "diffusion_pytorch_model.safetensors"
        known = set(load_file(weights))
        save_file(
            {key: value.contiguous() for key, value in average.shadow.items() if key in known},
            weights,
            {"format": "pt"},
        )
        loop.replace_folder(scratch, arguments.out / "unet")
        emit("published", run="unet", step=step)

    loop.train(
        "unet",
        arguments.out / "checkpoints" / "unet",
        budget,
        {"unet": unet, "average": average},
        optimizer,
        step_function,
        seed=arguments.seed,
        resume=arguments.resume,
        after_step=average.update,
        at_checkpoint=publish,
        checkpoint_seconds=240,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
