"""Trains the VAE of the image decoder: diffusers' AutoencoderKL, SDXL's architecture, small."""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import Decoder, DiagonalGaussianDistribution
from PIL import Image
from textbind_trainer.events import emit
from torch.nn import functional

from . import loop
from .hand_scenes import CELL, LAYOUTS, hand_scene
from .latents import CHANNELS as LATENTS
from .latents import Basis, load_or_find_basis, pixels_of
from .pictures import SIZE, fetch_pictures

DEFAULT_MINUTES = 30.0
CHANNELS = (16, 32, 64, 128, 128)
# Few groups, so that each holds four channels at full size: see start_as_enlargement.
NORM_GROUPS = 4
# What the UNet draws is never exact: the decoder learns from latents with noise of up to DRAWN_NOISE,
# which teaches it to smooth away what no object has. The encoder learns to state LATENT_NOISE.
DRAWN_NOISE, LATENT_NOISE = 0.3, 0.08
COLOURS, COLOUR_SCALE = 3, 2.0
# The decoder is what people see; the encoder learns on every ENCODER_EVERY-th step.
ENCODER_EVERY = 8
# Crops of a quarter of the picture give four times the steps a minute; whole pictures finish the run.
CROP, CROPPED_PART = 64, 0.7


def build(
    channels: tuple[int, ...] = CHANNELS, latent_channels: int = LATENTS, size: int = SIZE
) -> AutoencoderKL:
    """A new VAE; it halves the sides len(channels) - 1 times."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=NORM_GROUPS,
        sample_size=size,
        force_upcast=False,
    )


ANCHOR = 4.0


@torch.no_grad()
def start_as_enlargement(vae: AutoencoderKL, basis: Basis) -> None:
    """Let the decoder begin as a smooth enlargement of the thumbnail that the latents hold.

    Residual branches start at zero; the cells' mean colours, which are sums of latents, and the other latents
    pass along the plain path of convolutions:

        latents -> conv_in -> [x2, blur] four times -> norm -> silu -> conv_out
          32       32 of 128       32 of each            (s, -s, K, -K) for each colour s

    Group normalisation would hide absolute colour (a group of one colour alone is always 0 after it).
    Anchored between constants K and -K, a colour keeps its value: the group's mean is 0 and its deviation
    K / sqrt(2) but for 1 part in 30; and silu(x) - silu(-x) is x exactly. Measured: from here the error
    begins at 13 of 255, most of it at the border; from a random start it stood at 15 after twelve minutes.
    """
    decoder = vae.decoder
    for name, module in decoder.named_modules():
        if name.endswith((".conv2", ".to_out.0")):
            torch.nn.init.zeros_(module.weight)
            torch.nn.init.zeros_(module.bias)
    carried = range(vae.config.latent_channels)
    mixed = torch.eye(len(carried))
    mixed[:COLOURS] = COLOUR_SCALE * basis.back.T.reshape(len(carried), 3, -1).mean(2).T
    vae.post_quant_conv.weight.copy_(mixed[..., None, None])
    torch.nn.init.zeros_(vae.post_quant_conv.bias)

    def carry(convolution: torch.nn.Conv2d, kernel: torch.Tensor) -> None:
        for channel in carried:
            convolution.weight[channel] = 0
            convolution.weight[channel, channel] = kernel
            if convolution.bias is not None:
                convolution.bias[channel] = 0

    tent = torch.tensor([1.0, 2.0, 1.0])
    blur = torch.outer(tent, tent) / 16
    pass_on = torch.zeros(3, 3)
    pass_on[1, 1] = 1
    carry(decoder.conv_in, pass_on)
    for block in decoder.up_blocks[:-1]:
        if block.resnets[0].conv_shortcut is not None:
            carry(block.resnets[0].conv_shortcut, torch.ones(1, 1))
        carry(block.upsamplers[0].conv, blur)
    _carry_colours(decoder)


def _carry_colours(decoder: Decoder) -> None:
    """The last level's part of start_as_enlargement: each colour between two anchors, and out of them again."""
    shortcut = decoder.up_blocks[-1].resnets[0].conv_shortcut
    torch.nn.init.zeros_(decoder.conv_out.bias)
    decoder.conv_out.weight.mul_(0.1)
    for colour in range(COLOURS):
        start = 4 * colour
        shortcut.weight[start : start + 4] = 0
        shortcut.weight[start, colour] = 1 / COLOUR_SCALE
        shortcut.weight[start + 1, colour] = -1 / COLOUR_SCALE
        shortcut.bias[start : start + 4] = torch.tensor([0.0, 0.0, ANCHOR, -ANCHOR])
        decoder.conv_out.weight[colour] = 0
        decoder.conv_out.weight[colour, start, 1, 1] = ANCHOR / math.sqrt(2)
        decoder.conv_out.weight[colour, start + 1, 1, 1] = -ANCHOR / math.sqrt(2)


def edges(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences to the right and lower neighbours."""
    return images[..., :, 1:] - images[..., :, :-1], images[..., 1:, :] - images[..., :-1, :]


def reconstruction_loss(drawn: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of pixels, of edges (sharpness) and of the picture at a quarter of its size."""
    error = (drawn - true).abs().mean()
    for a, b in zip(edges(drawn), edges(true), strict=True):
        error = error + (a - b).abs().mean()
    return error + (functional.avg_pool2d(drawn, 4) - functional.avg_pool2d(true, 4)).abs().mean()


def encoder_loss(posterior: DiagonalGaussianDistribution, latents: torch.Tensor) -> torch.Tensor:
    """Mean square distance of the means from the latents, and of the log variance from the noise's."""
    wanted = 2 * math.log(LATENT_NOISE)
    return (posterior.mean - latents).square().mean() + 1e-3 * (posterior.logvar - wanted).square().mean()


@torch.no_grad()
def sheet(vae: AutoencoderKL, images: torch.Tensor, latents: torch.Tensor, path: Path) -> dict[str, float]:
    """Write rows of originals, drawn from true latents, and drawn through the encoder; mean errors in 0 .. 255."""
    drawn = vae.decode(latents).sample.clamp(-1, 1)
    through = vae.decode(vae.encode(images).latent_dist.mode()).sample.clamp(-1, 1)
    rows = [
        torch.cat(list(kind[first : first + 8]), dim=2)
        for first in range(0, len(images), 8)
        for kind in (images, drawn, through)
    ]
    grid = ((torch.cat(rows, dim=1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(grid).save(path)
    return {
        "decoder_error_255": round(float((drawn - images).abs().mean() * 127.5), 3),
        "through_encoder_error_255": round(float((through - images).abs().mean() * 127.5), 3),
    }


def scenes(split: str, first: int, count: int, pictures: Path) -> torch.Tensor:
    """[count, 3, 128, 128] pictures; two in five single objects, the others of all layouts."""
    start = {"training": 0, "validation": 50_000_000}[split]
    chosen = random.Random(f"vae {first}")
    layouts = ["single" if chosen.random() < 0.4 else chosen.choice(LAYOUTS) for _ in range(count)]
    return pixels_of(
        [hand_scene(start + first + at, layout, pictures)[2] for at, layout in enumerate(layouts)]
    )


class Lesson:
    """One step: pictures drawn from their own latents, with some noise; now and then their encoding."""

    def __init__(self, vae: AutoencoderKL, basis: Basis, pictures: Path, batch: int) -> None:
        self.vae, self.basis, self.pictures, self.batch = vae, basis, pictures, batch

    def __call__(self, step: int, progress: float) -> dict[str, float]:
        """Backward is called; the errors of drawing and, on every ENCODER_EVERY-th step, of encoding."""
        true = self.images(step, cropped=progress < CROPPED_PART).contiguous(
            memory_format=torch.channels_last
        )
        latents = self.basis.encode(true)
        deviation = DRAWN_NOISE * torch.rand(len(latents), 1, 1, 1)
        with torch.autocast("cpu", torch.bfloat16):
            drawn = self.vae.decode(latents + deviation * torch.randn_like(latents)).sample
        loss = reconstruction_loss(drawn.float(), true)
        figures = {"reconstruction": loss.item()}
        if step % ENCODER_EVERY == 0:
            encoding = encoder_loss(self.vae.encode(true).latent_dist, latents)
            figures["encoding"] = ENCODER_EVERY * encoding.item()
            loss = loss + encoding
        loss.backward()
        return figures

    def images(self, step: int, *, cropped: bool) -> torch.Tensor:
        """[n, 3, side, side]: a quarter of each of many pictures, or few whole ones."""
        first = step * self.batch
        if not cropped:
            return scenes("training", first, max(1, self.batch // 4), self.pictures)
        whole = scenes("training", first, self.batch, self.pictures)
        # Along the cells' grid, so that a crop's latents are the picture's.
        top, left = (CELL * torch.randint(0, (SIZE - CROP) // CELL + 1, (2,))).tolist()
        return whole[..., top : top + CROP, left : left + CROP]


def publish(average: loop.Average, basis: Basis, shown: torch.Tensor, out: Path, step: int) -> None:
    """OUT/vae of the averaged weights, and OUT/vae.png of what they make of `shown`."""
    averaged = build()
    averaged.register_to_config(scaling_factor=1.0)
    averaged.load_state_dict(average.shadow)
    scratch = out / ".vae"
    averaged.save_pretrained(scratch)
    loop.replace_folder(scratch, out / "vae")
    errors = sheet(averaged.eval(), shown, basis.encode(shown), out / "vae.png")
    emit("validation", run="vae", step=step, **errors)


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/vae/ (config.json, diffusion_pytorch_model.safetensors) and OUT/vae.png."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=2e-3)
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    pictures = fetch_pictures(arguments.raw or arguments.out / "raw")
    basis = load_or_find_basis(arguments.out, pictures)
    vae = build()
    start_as_enlargement(vae, basis)
    vae.register_to_config(scaling_factor=1.0)
    vae.to(memory_format=torch.channels_last)
    average = loop.Average(vae, 0.995)
    optimizer = torch.optim.AdamW(
        [{"params": list(vae.parameters()), "base": arguments.rate}], betas=(0.9, 0.99), weight_decay=1e-4
    )
    shown = scenes("validation", 0, 16, pictures)

    loop.train(
        "vae", arguments.out / "checkpoints" / "vae", budget, {"vae": vae, "average": average}, optimizer,
        Lesson(vae, basis, pictures, arguments.batch or 16),
        seed=arguments.seed, resume=arguments.resume, after_step=average.update, checkpoint_seconds=150,
        at_checkpoint=lambda step: publish(average, basis, shown, arguments.out, step),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
