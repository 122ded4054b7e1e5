"""A classifier of drawings that has nothing in common with the model: it says which object a picture shows.

A small residual network, trained from nothing on the objects' own pictures at any size, place, turn and mirroring,
one to three to a scene, on plain and graded backgrounds of any colour, blurred and noised. It never sees a drawing,
nor the model's eyes, nor a caption.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from torch import Tensor, nn
from torch.nn import functional

from . import loop
from .hand_scenes import scaled, sprite
from .pictures import fetch_pictures
from .world import DRAWN, DRAWN_NAMES

SIDE = 64
DEFAULT_MINUTES = 10.0
WIDTHS = (24, 48, 96, 160)


class _Block(nn.Module):
    """Two convolutions beside a plain path; halves the sides."""

    def __init__(self, wide_in: int, wide: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(wide_in, wide, 3, stride=2, padding=1, bias=False)
        self.second = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.plain = nn.Conv2d(wide_in, wide, 1, stride=2, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(wide), nn.BatchNorm2d(wide)])

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.norms[0](self.first(x)))
        return functional.relu(self.norms[1](self.second(inner)) + self.plain(x))


class Judge(nn.Module):
    """[batch, 3, 64, 64] in -1 .. 1 -> logits [batch, objects]; several objects share the probability."""

    def __init__(self, names: int = len(DRAWN_NAMES)) -> None:
        super().__init__()
        widths = (3, *WIDTHS)
        self.blocks = nn.Sequential(*(_Block(a, b) for a, b in itertools.pairwise(widths)))
        self.head = nn.Linear(2 * WIDTHS[-1], names)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.blocks(x)
        return self.head(torch.cat([seen.amax((2, 3)), seen.mean((2, 3))], dim=1))


def sprites(pictures: Path) -> Tensor:
    """[objects, 4, 64, 64] premultiplied pictures with alpha, 0 .. 1, as large as fits."""
    rows = []
    for code in DRAWN.values():
        image = sprite(str(pictures), code)
        small = np.asarray(image.resize(scaled(image, SIDE / max(image.size))), np.float32)
        canvas = np.zeros((SIDE, SIDE, 4), np.float32)
        top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small / 255
        rows.append(torch.from_numpy(canvas).permute(2, 0, 1))
    return torch.stack(rows)


def backgrounds(count: int) -> Tensor:
    """[count, 3, 64, 64] of any colour, half of them graded in any direction."""
    colour = torch.rand(count, 3, 1, 1)
    other = (colour + 0.35 * (torch.rand(count, 3, 1, 1) - 0.5) * (torch.rand(count, 1, 1, 1) < 0.5)).clamp(
        0, 1
    )
    angle = torch.rand(count, 1, 1) * 2 * torch.pi
    line = torch.linspace(-1, 1, SIDE)
    ramp = (line.view(1, -1, 1) * angle.sin() + line.view(1, 1, -1) * angle.cos()) / 2.9 + 0.5
    return colour + (other - colour) * ramp.unsqueeze(1)


def pasted(canvas: Tensor, shown: Tensor, size: Tensor, places: Tensor) -> Tensor:
    """canvas with sprites [count, 4, 64, 64] of `size` (share of the side) at `places` (-1 .. 1), mirrored, turned."""
    count = len(canvas)
    turn = (torch.rand(count) - 0.5) * 0.35
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    scale = 1 / size
    rows = torch.stack([
        torch.stack([mirror * scale * turn.cos(), mirror * scale * turn.sin(), torch.zeros(count)], 1),
        torch.stack([-scale * turn.sin(), scale * turn.cos(), torch.zeros(count)], 1),
    ], 1)  # fmt: skip
    rows[:, :, 2] = -(rows[:, :, :2] @ places.unsqueeze(2)).squeeze(2)
    grid = functional.affine_grid(rows, [count, 4, SIDE, SIDE], align_corners=False)
    moved = functional.grid_sample(shown, grid, align_corners=False)
    return canvas * (1 - moved[:, 3:]) + moved[:, :3]


def training_batch(table: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(pictures in -1 .. 1 [count, 3, 64, 64], share of each object [count, objects]) by torch's generator."""
    canvas, shares = backgrounds(count), torch.zeros(count, len(table))
    company = torch.rand(count)
    several = company < 0.4
    sides = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    for turn in range(2):
        objects = torch.randint(0, len(table), (count,))
        alone = ~several
        size = torch.where(several, 0.3 + 0.35 * torch.rand(count), 0.4 + 0.58 * torch.rand(count))
        room = (1 - size).unsqueeze(1)
        free = (torch.rand(count, 2) * 2 - 1) * room
        apart = torch.stack(
            [(sides if turn == 0 else -sides) * (0.4 + 0.15 * torch.rand(count)), free[:, 1]], 1
        )
        places = torch.where(several.unsqueeze(1), apart.clamp(-room, room), free)
        drawn = pasted(canvas, table[objects], size, places)
        take = several | alone if turn == 0 else several
        canvas = torch.where(take.view(-1, 1, 1, 1), drawn, canvas)
        shares[torch.arange(count)[take], objects[take]] += 1
    shares = shares.clamp(max=1)
    return disturbed(canvas), shares / shares.sum(1, keepdim=True)


def disturbed(canvas: Tensor) -> Tensor:
    """Some pictures blurred (by shrinking), all with a little noise and other light; in -1 .. 1."""
    blurred = functional.interpolate(
        functional.avg_pool2d(canvas, 2), scale_factor=2.0, mode="bilinear", align_corners=False
    )
    amount = torch.rand(len(canvas), 1, 1, 1) * (torch.rand(len(canvas), 1, 1, 1) < 0.5)
    canvas = canvas + amount * (blurred - canvas)
    canvas = canvas * (0.85 + 0.3 * torch.rand(len(canvas), 1, 1, 1)) + 0.03 * torch.randn(
        len(canvas), 3, 1, 1
    )
    return (canvas + 0.06 * torch.rand(len(canvas), 1, 1, 1) * torch.randn_like(canvas)) * 2 - 1


def load_judge(out: Path) -> Judge:
    """OUT/judge.safetensors."""
    judge = Judge()
    judge.load_state_dict(load_file(out / "judge.safetensors"))
    return judge.eval()


@torch.no_grad()
def verdicts(judge: Judge, images: Sequence[Image.Image], best: int = 2) -> list[list[str]]:
    """The `best` most likely objects of each picture, most likely first."""
    stacked = np.stack(
        [np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for image in images]
    )
    logits = judge(torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 127.5 - 1)
    return [[DRAWN_NAMES[index] for index in row] for row in logits.topk(best, 1).indices.tolist()]


def main(argv: list[str] | None = None) -> int:
    """Train, and leave OUT/judge.safetensors."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--rate", type=float, default=3e-3)
    arguments = parser.parse_args(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    batch = arguments.batch or 128
    table = sprites(fetch_pictures(arguments.raw or arguments.out / "raw"))
    judge = Judge()
    judge.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's types leave it out
    average = loop.Average(judge, 0.99)
    optimizer = torch.optim.AdamW(
        [{"params": list(judge.parameters()), "base": arguments.rate}], weight_decay=0.05
    )

    def step_function(_step: int, _progress: float) -> dict[str, float]:
        images, shares = training_batch(table, batch)
        logits = judge(images.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits, shares)
        loss.backward()
        alone = shares.amax(1) == 1
        right = (logits.argmax(1) == shares.argmax(1))[alone].float().mean()
        return {"loss": loss.item(), "right": right.item()}

    def publish(step: int) -> None:
        torch.manual_seed(77)
        trained = Judge()
        trained.load_state_dict(average.shadow)
        trained.eval()
        with torch.no_grad():
            images, shares = training_batch(table, 1000)
            chosen = trained(images).topk(2, 1).indices
        alone = shares.amax(1) == 1
        single = (chosen[:, 0] == shares.argmax(1))[alone].float().mean()
        both = (shares.gather(1, chosen).min(1).values > 0)[~alone].float().mean()
        save_file(
            {key: value.contiguous() for key, value in average.shadow.items()}, arguments.out / ".judge"
        )
        (arguments.out / ".judge").rename(arguments.out / "judge.safetensors")
        emit("validation", run="judge", step=step, single=round(float(single), 4), both=round(float(both), 4))

    loop.train(
        "judge", arguments.out / "checkpoints" / "judge", budget, {"judge": judge, "average": average}, optimizer,
        step_function, seed=arguments.seed, resume=arguments.resume, after_step=average.update, at_checkpoint=publish,
        checkpoint_seconds=120,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
