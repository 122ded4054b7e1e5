"""Weights between the language model before its training and after it (WiSE-FT, https://arxiv.org/abs/2109.01903).

A little of the way back costs few of the new abilities and gives back much of the old ones: the perplexity on
general text. The rows of the added tokens, which the base has not learned, are the tuned model's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder
from textbind_trainer.prompt import SPECIAL_TOKENS
from torch import Tensor

EMBEDDING = "model.embed_tokens.weight"


def between(
    base: dict[str, Tensor], tuned: dict[str, Tensor], share: float, first: int = 0
) -> dict[str, Tensor]:
    """``share`` of the way from base (0) to tuned (1); raises ValueError if the two have other weights.

    Layers below ``first`` stay as the tuned model has them: nothing has trained them, but they may lie on a grid.
    """
    if base.keys() != tuned.keys() or any(base[name].shape != tuned[name].shape for name in base):
        raise ValueError("the two language models do not have the same weights")
    mixed = {name: base[name].float().lerp(tuned[name].float(), share) for name in base}
    for layer in range(first):
        mixed |= {name: tuned[name].float() for name in base if name.startswith(f"model.layers.{layer}.")}
    added = len(SPECIAL_TOKENS)
    mixed[EMBEDDING][-added:] = tuned[EMBEDDING][-added:].float()
    return mixed


def main(argv: list[str] | None = None) -> int:
    """Command: write a Hugging Face folder between two others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of the language model before training"
    )
    parser.add_argument("--tuned", type=Path, required=True, help="folder of the trained one")
    parser.add_argument("--share", type=float, required=True, help="0: the base, 1: the tuned one")
    parser.add_argument("--first", type=int, default=0, help="the first layer that is mixed")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    base, tuned = (load_file(folder / "model.safetensors") for folder in (arguments.base, arguments.tuned))
    mixed = between(base, tuned, arguments.share, arguments.first)
    with replace_folder(arguments.out) as part:
        for path in arguments.tuned.iterdir():
            if path.is_file() and path.suffix == ".json":
                shutil.copyfile(path, part / path.name)
        save_file(mixed, part / "model.safetensors", {"format": "pt"})
    emit("finished", step="interpolate", share=arguments.share, out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
