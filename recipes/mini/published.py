"""A published TextBind folder as PyTorch modules; quantised language weights are multiplied out exactly as stored."""

from __future__ import annotations

import json
from pathlib import Path

from textbind_trainer.images import ImageProcessor
from textbind_trainer.model import QformerShape, TextBindModel, load_model
from textbind_trainer.tokenizer import LanguageTokenizer, load_tokenizer


def load_published(folder: Path) -> tuple[TextBindModel, LanguageTokenizer, ImageProcessor]:
    """The model that textbind.json describes."""
    parts = json.loads((folder / "textbind.json").read_text(encoding="utf-8"))
    language = folder / parts["languageModel"]
    shape = QformerShape.from_json(parts["qformerConfig"])
    model = load_model(folder / parts["visionModel"], language, shape, folder / parts["qformer"])
    return model.float().eval(), load_tokenizer(language), ImageProcessor.load(folder / parts["processor"])
