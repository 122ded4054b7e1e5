"""The published folder as it ships: vision and Q-Former in half precision, the language model in blocks of 8 and 4 bits.

``--parts`` names what is taken from OUT/hf; the other parts stay as the target has them. Files stay under 50 MB.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder

QUANTISE = "src/worker/conversion/quantise-command.ts"
LOW_LAYERS = 9
"""Layers in 4 bits; compensate.py has prepared them."""
PARTS = ("vision", "qformer", "language", "image-decoder")


def halved(source: Path, target: Path) -> None:
    """Copy a folder, its weights in half precision; the evaluations' clip-head.safetensors as it is."""
    for path in source.iterdir():
        if path.name == "model.safetensors":
            save_file(
                {name: value.half() for name, value in load_file(path).items()},
                target / path.name,
                {"format": "pt"},
            )
        elif path.is_file() and not path.name.startswith(("READY", ".")):
            shutil.copyfile(path, target / path.name)


def ship(source: Path, target: Path, parts: tuple[str, ...], node: str) -> None:
    """Write the parts into target, each folder replaced as a whole."""
    target.mkdir(parents=True, exist_ok=True)
    for name in parts:
        with replace_folder(target / name) as part:
            if name == "language":
                command = [
                    node,
                    "--disable-warning=ExperimentalWarning",
                    QUANTISE,
                    str(source / name),
                    str(part),
                    "8",
                    str(LOW_LAYERS),
                ]
                subprocess.run(command, check=True)
            elif name == "image-decoder":
                shutil.copytree(
                    source / name, part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("READY*")
                )
            else:
                halved(source / name, part)
    shutil.copyfile(source / "textbind.json", target / "textbind.json")
    emit("finished", step="ship", out=str(target), parts=list(parts))


def main(argv: list[str] | None = None) -> int:
    """Command: OUT/hf to the folder that ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="OUT/hf")
    parser.add_argument("--out", type=Path, required=True, help="models/textbind-mini")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--node", default="node_modules/node/bin/node")
    arguments = parser.parse_args(argv)
    ship(arguments.model, arguments.out, tuple(arguments.parts), arguments.node)
    return 0


if __name__ == "__main__":
    sys.exit(main())
