"""The mini model's folder as the engine reads it: language/, qformer/, textbind.json beside vision/ and image-decoder/."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder, write_json

from .shape import MAX_SEQUENCE_LENGTH, SHAPE

LICENCE = (
    "Apache-2.0 (language model: SmolLM2-135M-Instruct, Apache-2.0; trained on pictures composed from "
    "fluent-emoji-3d, MIT, with names from emojibase-data, MIT)"
)


def description() -> dict[str, Any]:
    """textbind.json; paths are relative to it."""
    return {
        "name": "TextBind mini",
        "licence": LICENCE,
        "visionModel": "vision",
        "qformer": "qformer/model.safetensors",
        "languageModel": "language",
        "processor": "vision",
        "imageDecoder": {"base": "image-decoder", "refiner": None, "guidance": 2},
        "qformerConfig": SHAPE.to_json(),
        "maxPicturesPerReply": 1,
        "maxSequenceLength": MAX_SEQUENCE_LENGTH,
    }


def publish(qformer: Path, language: Path, out: Path) -> None:
    """Copy the trained parts into ``out``, each folder replaced as a whole."""
    out.mkdir(parents=True, exist_ok=True)
    with replace_folder(out / "qformer") as part:
        shutil.copyfile(qformer, part / "model.safetensors")
    with replace_folder(out / "language") as part:
        for path in language.iterdir():
            shutil.copyfile(path, part / path.name)
    write_json(out / "textbind.json", description())


def main(argv: list[str] | None = None) -> int:
    """Command: publish trained (or first) weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qformer", type=Path, required=True, help="safetensors file of the saved keys")
    parser.add_argument("--language", type=Path, required=True, help="Hugging Face folder")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    publish(arguments.qformer, arguments.language, arguments.out)
    emit("finished", step="publish", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
