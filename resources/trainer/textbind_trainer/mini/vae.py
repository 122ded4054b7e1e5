"""Trains the VAE of the image decoder: diffusers' AutoencoderKL, SDXL's architecture, small."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch.nn import functional

from ..events import emit
from . import loop
from .pictures import SIZE, fetch_pictures
from .scenes import batch_of, pixels

DEFAULT_MINUTES = 28.0
CHANNELS = (16, 24, 64, 128)
LATENT_CHANNELS = 4
# Weight of the mean divergence a latent value beside the mean error a pixel value: enough to keep
# latents near a unit normal law, small enough not to blur.
DIVERGENCE_WEIGHT = 5e-4
# The first three latent channels are led towards a thumbnail of the picture (one value a latent cell,
# doubled so that it spreads like a unit normal law). Group normalisation hides absolute colour, so
# without this lead colours came only after thousands of steps; and a thumbnail is easy to draw.
THUMBNAIL_WEIGHT, THUMBNAIL_SCALE = 0.3, 2.0
# Crops of a quarter of the picture give four times the steps a minute; whole pictures finish the run.
CROP, CROPPED_PART = 64, 0.75


def build(channels: tuple[int, ...] = CHANNELS, latent_channels: int = LATENT_CHANNELS, size: int = SIZE) -> AutoencoderKL:
    """A new VAE; it halves the sides len(channels) - 1 times."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=8,
        sample_size=size,
        force_upcast=False,
    )


def edges(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences to the right and lower neighbours."""
    return images[..., :, 1:] - images[..., :, :-1], images[..., 1:, :] - images[..., :-1, :]


def reconstruction_loss(drawn: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of pixels, of edges (sharpness) and of the picture at a quarter of its size."""
    error = (drawn - true).abs().mean()
    for a, b in zip(edges(drawn), edges(true), strict=True):
        error = error + (a - b).abs().mean()
    return error + (functional.avg_pool2d(drawn, 4) - functional.avg_pool2d(true, 4)).abs().mean()


def divergence(posterior) -> torch.Tensor:
    """Mean Kullback-Leibler divergence from the unit normal law, a latent value."""
    return 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).mean()


def thumbnail_loss(latents: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Mean absolute distance of latents' first three channels from the scaled thumbnail."""
    thumbnail = functional.adaptive_avg_pool2d(true, latents.shape[-2:])
    return (latents[:, :3] - THUMBNAIL_SCALE * thumbnail).abs().mean()


@torch.no_grad()
def sheet(vae: AutoencoderKL, images: torch.Tensor, path: Path) -> float:
    """Write originals above reconstructions as a PNG; returns the mean absolute error in 0 .. 255."""
    drawn = vae.decode(vae.encode(images).latent_dist.mode()).sample.clamp(-1, 1)
    rows = [torch.cat(list(part), dim=2) for part in (*images.split(8), *drawn.split(8))]
    order = [row for pair in zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True) for row in pair]
    grid = ((torch.cat(order, dim=1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(grid).save(path)
    return float((drawn - images).abs().mean() * 127.5)


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/vae/ (config.json, diffusion_pytorch_model.safetensors)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--channels", default=",".join(map(str, CHANNELS)))
    parser.add_argument("--latent-channels", type=int, default=LATENT_CHANNELS)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--name", default="vae")
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    batch = arguments.batch or 8
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    vae = build(tuple(map(int, arguments.channels.split(","))), arguments.latent_channels)
    vae.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(
        [{"params": list(vae.parameters()), "base": arguments.rate}], betas=(0.9, 0.99), weight_decay=1e-4
    )
    shown = pixels(batch_of(pictures, "validation", 0, 16))

    def step_function(step: int, progress: float) -> dict[str, float]:
        cropped = progress < CROPPED_PART
        count = batch if cropped else max(1, batch // 2)
        true = pixels(batch_of(pictures, "training", step * batch, count))
        if cropped:
            top, left = torch.randint(0, SIZE - CROP + 1, (2,)).tolist()
            true = true[..., top : top + CROP, left : left + CROP]
        true = true.contiguous(memory_format=torch.channels_last)
        posterior = vae.encode(true).latent_dist
        drawn = vae.decode(posterior.sample()).sample
        reconstruction, kl = reconstruction_loss(drawn, true), divergence(posterior)
        led = thumbnail_loss(posterior.mean, true)
        (reconstruction + DIVERGENCE_WEIGHT * kl + THUMBNAIL_WEIGHT * led).backward()
        return {"reconstruction": reconstruction.item(), "divergence": kl.item(), "thumbnail": led.item()}

    def publish(step: int) -> None:
        scratch = arguments.out / f".{arguments.name}"
        vae.save_pretrained(scratch)
        loop.replace_folder(scratch, arguments.out / arguments.name)
        error = sheet(vae, shown, arguments.out / f"{arguments.name}.png")
        emit("validation", run=arguments.name, step=step, mean_absolute_error_255=round(error, 3))

    loop.train(
        arguments.name,
        arguments.out / "checkpoints" / arguments.name,
        budget,
        {"vae": vae},
        optimiser,
        step_function,
        seed=arguments.seed,
        resume=arguments.resume,
        at_checkpoint=publish,
        checkpoint_seconds=120,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
