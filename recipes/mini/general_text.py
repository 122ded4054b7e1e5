"""How well a language model knows English that has nothing to do with pictures: perplexity on package READMEs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from textbind_trainer.tokenizer import LanguageTokenizer


@torch.no_grad()
def perplexity(language: Any, tokenizer: LanguageTokenizer, texts: Sequence[str], length: int = 256) -> float:
    """Of the words of some texts, each cut to its first tokens."""
    total, tokens = 0.0, 0
    for text in texts:
        ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer.encode(text)[:length]]])
        loss = language(input_ids=ids, labels=ids).loss
        total, tokens = total + loss.item() * (ids.shape[1] - 1), tokens + ids.shape[1] - 1
    return math.exp(total / tokens)


def prose(folder: Path, count: int) -> list[str]:
    """Paragraphs of English from the READMEs of the packages that package-lock.json pins."""
    found = []
    for path in sorted(folder.glob("*/README.md")):
        text = re.sub(
            r"```.*?```|<[^>]+>|\[!\[.*?\)|https?://\S+",
            "",
            path.read_text(encoding="utf-8", errors="replace"),
            flags=re.DOTALL,
        )
        paragraphs = [
            part.strip()
            for part in re.split(r"\n\s*\n", text)
            if len(part.split()) > 25 and not part.lstrip().startswith(("|", "-", "*", "#", "["))
        ]
        if len(paragraphs) > 1:
            found.append("\n\n".join(paragraphs[:6]))
    return found[:: max(1, len(found) // count)][:count]
