"""Trains the drawing network by diffusion: diffusers' UNet2DConditionModel, SDXL's plan, small.

It predicts the clean latents (few channels cannot carry all of the noise through, which velocity would ask for). The
description vector reaches every residual block as scale and shift. Scenes are composed in the latent space, new ones
each step.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
from textbind_trainer.events import emit
from torch import Tensor

from . import loop
from .describe import POOLED
from .drawing_scenes import DrawingScenes
from .latents import CHANNELS as LATENTS
from .latents import load_or_find_basis
from .pictures import SIZE, fetch_pictures
from .scene_latents import CELLS

DEFAULT_MINUTES = 170.0
CHANNELS, NORM_GROUPS = (96, 160, 320), 8
TIME_WIDTH, EMBEDDING = 8, 640
TEXT_WIDTH = 64 + 192
# SDXL's micro-conditions: original size, corner of the crop, target size.
TIME_IDS = (SIZE, SIZE, 0, 0, SIZE, SIZE)
DROPPED = 0.1
"""Share of scenes without a description: what guidance leads away from."""
STRONGEST = 5.0
"""Limit of the weight 1 + signal-to-noise ratio of a noise level."""


def build(channels: tuple[int, ...] = CHANNELS) -> UNet2DConditionModel:
    """A new UNet of SDXL's plan; only its middle looks at the words one by one."""
    return UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=LATENTS,
        out_channels=LATENTS,
        block_out_channels=channels,
        norm_num_groups=NORM_GROUPS,
        layers_per_block=1,
        down_block_types=("DownBlock2D",) * len(channels),
        up_block_types=("UpBlock2D",) * len(channels),
        mid_block_type="UNetMidBlock2DCrossAttn",
        transformer_layers_per_block=1,
        attention_head_dim=tuple(max(1, width // 64) for width in channels),
        cross_attention_dim=TEXT_WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_WIDTH,
        projection_class_embeddings_input_dim=POOLED + 6 * TIME_WIDTH,
        time_embedding_dim=EMBEDDING,
        resnet_time_scale_shift="scale_shift",
    )


@torch.no_grad()
def start_at_zero(unet: UNet2DConditionModel) -> None:
    """Let every residual branch and the output begin at zero: the network bears a far higher rate."""
    for name, module in unet.named_modules():
        if name.endswith((".conv2", ".to_out.0", "ff.net.2", "proj_out")) or name == "conv_out":
            torch.nn.init.zeros_(module.weight)
            torch.nn.init.zeros_(module.bias)


def build_scheduler() -> EulerDiscreteScheduler:
    """SDXL's, but that the last step is noise alone, and that the clean latents are predicted."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        steps_offset=1,
    )


class NoiseLevels:
    """signal and noise [1000]: what is left of the latents at a timestep, and the deviation of what is added."""

    def __init__(self) -> None:
        kept = build_scheduler().alphas_cumprod.double()
        self.signal, self.noise = kept.sqrt().float(), (1 - kept).sqrt().float()

    def noised(self, latents: Tensor, timesteps: Tensor) -> Tensor:
        """Latents [n, 32, 8, 8] at their timesteps [n], with noise of torch's generator."""
        signal, noise = (each[timesteps].view(-1, 1, 1, 1) for each in (self.signal, self.noise))
        return signal * latents + noise * torch.randn_like(latents)

    def weight(self, timesteps: Tensor) -> Tensor:
        """What an error at these timesteps counts."""
        return (1 + (self.signal / self.noise)[timesteps].square()).clamp(max=STRONGEST)


def predict(unet: UNet2DConditionModel, noisy: Tensor, timesteps: Tensor, described: Tensor) -> Tensor:
    """[n, 32, 8, 8] float32. The words' own states are not looked at yet: that attention is still zero."""
    count = len(noisy)
    conditions = {
        "text_embeds": described,
        "time_ids": torch.tensor(TIME_IDS, dtype=torch.float32).expand(count, -1),
    }
    words = torch.zeros(count, 1, TEXT_WIDTH)
    with torch.autocast("cpu", torch.bfloat16):
        drawn: Tensor = unet(noisy, timesteps, words, added_cond_kwargs=conditions, return_dict=False)[0]
    return drawn.float()


class Lesson:
    """One step: new scenes, noised, and how far from them what the network makes of the noise is."""

    def __init__(self, unet: UNet2DConditionModel, scenes: DrawingScenes, batch: int, seed: int) -> None:
        self.unet, self.scenes, self.batch, self.seed = unet, scenes, batch, seed
        self.levels = NoiseLevels()

    def __call__(self, step: int, _progress: float) -> dict[str, float]:
        """Backward is called; the error by quarter of the noise (q3 the noisiest), of scenes with a description."""
        made = self.scenes.batch(random.Random(f"drawing {self.seed} {step}"), self.batch)
        kept = (torch.rand(self.batch, 1) >= DROPPED).float()
        timesteps = torch.randint(0, 1000, (self.batch,))
        noisy = self.levels.noised(made.latents, timesteps).contiguous(memory_format=torch.channels_last)
        drawn = predict(self.unet, noisy, timesteps, made.described * kept)
        error = (drawn - made.latents).square().mean((1, 2, 3))
        loss = (error * self.levels.weight(timesteps)).mean()
        loss.backward()
        quarters = {}
        for quarter in range(4):
            inside = (timesteps // 250 == quarter) & (kept[:, 0] > 0)
            quarters[f"q{quarter}"] = error[inside].mean().item() if inside.any() else 0.0
        return {"loss": loss.item(), **quarters}


def new_network() -> UNet2DConditionModel:
    """To be trained: all but the attention to single words, which stays at zero."""
    unet = build()
    start_at_zero(unet)
    unet.to(memory_format=torch.channels_last)
    for name, weight in unet.named_parameters():
        weight.requires_grad_(".attn2." not in name)
    return unet


def publish(average: loop.Average, target: Path, step: int) -> None:
    """TARGET/unet of the averaged weights."""
    averaged = build()
    averaged.load_state_dict(average.shadow)
    scratch = target / ".unet"
    averaged.save_pretrained(scratch)
    loop.replace_folder(scratch, target / "unet")
    emit("published", run="unet", step=step)


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/unet: the averaged weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument(
        "--target", type=Path, default=None, help="folder of unet/ and checkpoints/ (default OUT)"
    )
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    target = arguments.target or arguments.out
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    scenes = DrawingScenes(load_or_find_basis(arguments.out, pictures), pictures)
    unet = new_network()
    average = loop.Average(unet, 0.999)
    trained = [weight for weight in unet.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": trained, "base": arguments.rate}], betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    loop.train(
        "unet", target / "checkpoints" / "unet", budget, {"unet": unet, "average": average}, optimizer,
        Lesson(unet, scenes, arguments.batch or 64, arguments.seed),
        seed=arguments.seed, resume=arguments.resume, after_step=average.update,
        at_checkpoint=lambda step: publish(average, target, step), checkpoint_seconds=240, factor=loop.plateau,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
