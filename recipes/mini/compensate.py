"""Weights of the lower layers moved onto the grid of 4 bits so that their errors cancel (GPTQ, https://arxiv.org/abs/2210.17323).

Rounding each weight to its nearest step ignores what a layer is given. Here columns are rounded one after another and what is
not rounded yet takes up the error, weighed by the inputs' second moments on some text. The result lies on the grid of the
product's quantiser (src/worker/weights/quantise.ts), which therefore keeps it; no gradient is needed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder
from textbind_trainer.tokenizer import LanguageTokenizer, load_tokenizer
from textbind_trainer.weights import load_language
from torch import Tensor, nn

BLOCK, TOP = 32, 15
SHARES = (1.0, 0.95, 0.9, 0.85, 0.8)
DAMPING = 0.01
GROUPS = (
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    ("self_attn.o_proj",),
    ("mlp.gate_proj", "mlp.up_proj"),
    ("mlp.down_proj",),
)
"""Linear layers that read the same input."""


def fitted(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """(scale in half precision, zero point) of ranges [rows] that hold zero."""
    scale = ((high - low) / TOP).half().float().clamp(min=1e-8)
    return scale, (-low / scale).round().clamp(0, TOP)


def rounded(values: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    """Of values [rows] or [rows, columns] with a scale and a zero point a row."""
    return ((values / scale).round() + zero).clamp(0, TOP).sub(zero) * scale


def best_fit(block: Tensor) -> tuple[Tensor, Tensor]:
    """As the product's quantiser fits a block [rows, columns]: the least squared error of a few cut ranges."""
    low, high = block.amin(1).clamp(max=0), block.amax(1).clamp(min=0)
    fits = [fitted(low * share, high * share) for share in SHARES]
    errors = torch.stack([(rounded(block, s[:, None], z[:, None]) - block).square().sum(1) for s, z in fits])
    chosen = errors.argmin(0)[None]
    scales, zeros = (torch.stack(parts).gather(0, chosen)[0] for parts in zip(*fits, strict=True))
    return scales, zeros


def nearest(weight: Tensor) -> Tensor:
    """[out, in] as it comes back from the product's quantiser."""
    blocks = weight.reshape(-1, BLOCK)
    scale, zero = best_fit(blocks)
    return rounded(blocks, scale[:, None], zero[:, None]).reshape(weight.shape)


def _block(block: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """A block [rows, BLOCK] rounded column by column, and its errors in units of the inverse's diagonal."""
    result, errors = block, torch.zeros_like(block)
    scale, zero = best_fit(block)
    for _ in range(4):
        left, result, errors = block.clone(), torch.empty_like(block), torch.empty_like(block)
        for column in range(block.shape[1]):
            result[:, column] = rounded(left[:, column], scale, zero)
            errors[:, column] = (left[:, column] - result[:, column]) / inverse[column, column]
            left[:, column:] -= errors[:, column, None] * inverse[column, None, column:]
        kept = nearest(result) == result
        if kept.all():
            break
        # A block that leaves ends of its range unused would be fitted anew by the quantiser: fit it closer.
        again = fitted(result.amin(1).clamp(max=0), result.amax(1).clamp(min=0))
        lost = ~kept.all(1)
        scale, zero = (torch.where(lost, new, old) for new, old in zip(again, (scale, zero), strict=True))
    return result, errors


def compensated(weight: Tensor, moments: Tensor) -> Tensor:
    """[out, in] on the grid; moments [in, in] are the inputs' sums of products."""
    size = len(moments)
    damped = moments + torch.eye(size) * (DAMPING * moments.diagonal().mean())
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(damped)), upper=True)
    left, result = weight.float().clone(), torch.empty_like(weight, dtype=torch.float32)
    for start in range(0, size, BLOCK):
        inside, after = slice(start, start + BLOCK), slice(start + BLOCK, size)
        result[:, inside], errors = _block(left[:, inside], inverse[inside, inside])
        left[:, after] -= errors @ inverse[inside, after]
    return nearest(result)


@torch.no_grad()
def input_moments(model: Any, ids: list[Tensor], layers: int) -> dict[str, Tensor]:
    """Sums of products of what each linear layer of the first ``layers`` reads, by its group's first name."""
    moments: dict[str, Tensor] = {}

    def watch(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = inputs[0].flatten(0, -2).float()
            moments[name] = moments.get(name, torch.zeros(rows.shape[1], rows.shape[1])) + rows.T @ rows

        return hook

    names = [f"layers.{layer}.{group[0]}" for layer in range(layers) for group in GROUPS]
    hooks = [model.model.get_submodule(name).register_forward_pre_hook(watch(name)) for name in names]
    for row in ids:
        model.model(input_ids=row[None])
    for hook in hooks:
        hook.remove()
    return moments


@torch.no_grad()
def compensate(model: Any, tokenizer: LanguageTokenizer, texts: list[str], layers: int) -> None:
    """Move the linear layers of the first ``layers`` onto the grid, in place."""
    ids = [torch.tensor([tokenizer.bos_token_id, *tokenizer.encode(text)[:255]]) for text in texts]
    moments = input_moments(model, ids, layers)
    for layer in range(layers):
        for group in GROUPS:
            for name in group:
                module = model.model.get_submodule(f"layers.{layer}.{name}")
                module.weight.copy_(compensated(module.weight, moments[f"layers.{layer}.{group[0]}"]))


def talk_texts(small_talk: Path, count: int) -> list[str]:
    """Questions and answers of small_talk.py, a few to a text."""
    rows = json.loads(small_talk.read_text(encoding="utf-8"))
    lines = [f"{row['question']}\n{row['answer']}" for row in rows]
    return ["\n\n".join(lines[start::count]) for start in range(min(count, len(lines)))]


def main(argv: list[str] | None = None) -> int:
    """Command: a Hugging Face folder with the lower layers on the grid; all else as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", type=Path, required=True, help="folder of the trained language model")
    parser.add_argument(
        "--talk", type=Path, required=True, help="JSON of small_talk.py: the text on which errors are weighed"
    )
    parser.add_argument("--layers", type=int, required=True, help="how many of the lower layers")
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    model = load_language(arguments.language).float().eval()
    compensate(
        model,
        load_tokenizer(arguments.language),
        talk_texts(arguments.talk, arguments.texts),
        arguments.layers,
    )
    weights = load_file(arguments.language / "model.safetensors")
    moved = {
        f"model.{name}": value
        for name, value in model.model.state_dict().items()
        if name.endswith("_proj.weight")
    }
    with replace_folder(arguments.out) as part:
        for path in arguments.language.glob("*.json"):
            shutil.copyfile(path, part / path.name)
        save_file(
            {name: moved.get(name, value).contiguous() for name, value in weights.items()},
            part / "model.safetensors",
            {"format": "pt"},
        )
    emit("finished", step="compensate", layers=arguments.layers, out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
