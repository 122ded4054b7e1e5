"""The way back from ship.py: a published folder as the float Hugging Face folders that training goes on from.

Caches vanish, what ships does not. The language model's blocks are multiplied out exactly as stored. So layers in 4 bits that compensate.py
prepared lie on the quantiser's grid still, and ship again bit for bit as long as nothing trains them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder, write_json
from textbind_trainer.weights import dequantised, read_state
from torch import Tensor

PT = {"format": "pt"}


def floats(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """In single precision."""
    return {name: value.float().contiguous() for name, value in weights.items()}


def language(source: Path, target: Path) -> None:
    """Plain weights in one file, and a configuration that no longer says that they are quantised."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    weights = floats(dequantised(read_state(source), config))
    del config["quantization_config"]
    table = weights["model.embed_tokens.weight"]
    weights["model.embed_tokens.weight"] = table[: config["vocab_size"]].contiguous()
    for path in source.glob("*.json"):
        if path.name != "model.safetensors.index.json":
            shutil.copyfile(path, target / path.name)
    write_json(target / "config.json", config)
    save_file(weights, target / "model.safetensors", PT)


def unship(source: Path, out: Path) -> None:
    """OUT/hf/image-decoder, and in OUT/published the vision encoder, the Q-Former and the language model."""
    parts = json.loads((source / "textbind.json").read_text(encoding="utf-8"))
    with replace_folder(out / "hf" / "image-decoder") as part:
        shutil.copytree(source / parts["imageDecoder"]["base"], part, dirs_exist_ok=True)
    with replace_folder(out / "published") as part:
        shutil.copytree(source / parts["visionModel"], part / "vision")
        seen = load_file(part / "vision" / "model.safetensors")
        save_file(floats(seen), part / "vision" / "model.safetensors", PT)
        save_file(floats(load_file(source / parts["qformer"])), part / "qformer.safetensors", PT)
        (part / "language").mkdir()
        language(source / parts["languageModel"], part / "language")


def main(argv: list[str] | None = None) -> int:
    """Command: a published folder to folders that training reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/textbind-mini"))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    unship(arguments.model, arguments.out)
    emit("finished", step="unship", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
