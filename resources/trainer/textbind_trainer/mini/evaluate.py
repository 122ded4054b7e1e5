"""How good the mini model's mind is: naming held-out scenes, drawing when asked and only then, true captions.

Run on a published folder: ``python -m textbind_trainer.mini.evaluate --model .cache/mini/hf --pictures CACHE``.
Every count is over held-out scenes or requests of fixed seeds. ``--int4`` rounds the language model as the
engine does.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from pathlib import Path

import torch

from ..events import emit
from ..generate import reply
from ..images import ImageProcessor
from ..model import QformerShape, TextBindModel, load_model
from ..prompt import IMAGE, Pair
from ..quantise import quantise_linears
from . import wordings as say
from .features import scene_features
from .objects import NAMES
from .pictures import BACKGROUNDS, fetch_pictures, with_article
from .scenes import batch_of

NAMING_QUESTION = f"What is in this picture? {IMAGE}"


def names(text: str, name: str) -> bool:
    """Whether a text names an object as a word of its own ('car' is not in 'carrot')."""
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def load_published(folder: Path) -> tuple[TextBindModel, object, ImageProcessor]:
    """The model that textbind.json describes."""
    from transformers import AutoTokenizer

    parts = json.loads((folder / "textbind.json").read_text(encoding="utf-8"))
    shape = QformerShape.from_json(parts["qformerConfig"])
    model = load_model(
        folder / parts["visionModel"], folder / parts["languageModel"], shape, folder / parts["qformer"]
    )
    tokenizer = AutoTokenizer.from_pretrained(folder / parts["languageModel"])
    return model.eval(), tokenizer, ImageProcessor.load(folder / parts["processor"])


def naming(model: TextBindModel, tokenizer, processor: ImageProcessor, pictures: Path, count: int) -> dict:
    """Held-out scenes whose main object (and background) the answer names; invented drawings are counted."""
    right = background = drew = 0
    wrong = []
    for scene in batch_of(pictures, "held-out", 0, count):
        features = scene_features(model.vision, processor, [scene])
        answer = reply(model, tokenizer, [Pair(NAMING_QUESTION, None)], features, None, 32)
        described = reply(
            model, tokenizer, [Pair(f"{IMAGE} Describe the picture.", None)], features, None, 32
        )
        right += names(answer.text, scene.main_object)
        background += names(described.text, scene.background)
        drew += bool(answer.captions) or bool(described.captions)
        if not names(answer.text, scene.main_object):
            wrong.append([scene.main_object, answer.text])
    return {
        "scenes": count,
        "named": right,
        "backgroundNamed": background,
        "drewUnasked": drew,
        "wrong": wrong[:12],
    }


def drawing(model: TextBindModel, tokenizer, count: int) -> dict:
    """Requests to draw: drawn at all, the caption has the object, the background; the same for unseen objects."""
    random_ = random.Random("evaluation of drawing")
    drawn = right = background = unseen = 0
    wrong = []
    for number in range(count):
        name, colour = random_.choice(NAMES), random_.choice(tuple(BACKGROUNDS))
        strange = number % 5 == 4
        name = random_.choice(say.UNSEEN) if strange else name
        wanted = f"{with_article(name)} on {with_article(f'{colour} background')}"
        request = random_.choice(say.DRAW).format(a=wanted)
        answer = reply(model, tokenizer, [Pair(request, None)], None, None, 64)
        caption = answer.captions[0] if answer.captions else ""
        drawn += bool(answer.captions)
        right += names(caption, name)
        unseen += strange and names(caption, name)
        background += names(caption, colour)
        if not names(caption, name):
            wrong.append([request, answer.text, caption])
    return {
        "requests": count, "drawn": drawn, "captionRight": right, "backgroundRight": background,
        "unseenRight": unseen, "unseen": count // 5, "wrong": wrong[:8],
    }  # fmt: skip


def talking(model: TextBindModel, tokenizer) -> dict:
    """Questions in words only: none of them asks for a picture."""
    asked = [question for question, _ in say.SMALL_TALK]
    asked += [question for questions, _ in say.ABOUT_ITSELF for question in questions]
    asked += list(say.GREETING[0]) + [
        "What is a pen?",
        "Who was Mozart?",
        "How do I make soup?",
        "I saw a cat today.",
    ]
    replies = [
        (question, reply(model, tokenizer, [Pair(question, None)], None, None, 48)) for question in asked
    ]
    unasked = [question for question, answer in replies if answer.captions]
    shown = [[question, answer.text] for question, answer in replies[:: max(1, len(replies) // 12)]]
    return {"questions": len(asked), "drewUnasked": len(unasked), "unasked": unasked[:8], "examples": shown}


def main(argv: list[str] | None = None) -> int:
    """Command: print the counts as one event and, with --out, write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with textbind.json")
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--int4", action="store_true", help="round the language model's layers to int4 first")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    model, tokenizer, processor = load_published(arguments.model)
    if arguments.int4:
        quantise_linears(model.language_model)
    pictures = fetch_pictures(arguments.pictures)
    result = {
        "int4": arguments.int4,
        "naming": naming(model, tokenizer, processor, pictures, arguments.count),
    }
    emit("progress", step="evaluate", **result)
    result["drawing"] = drawing(model, tokenizer, arguments.count)
    emit("progress", step="evaluate", drawing=result["drawing"])
    result["talking"] = talking(model, tokenizer)
    emit("evaluation", **result)
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
