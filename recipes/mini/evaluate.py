"""How good the mini model's mind is: naming held-out scenes, drawing when asked and only then, true captions.

Run on a published folder: ``python -m recipes.mini.evaluate --model .cache/mini/hf --pictures CACHE``.
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
from typing import TYPE_CHECKING, Any

import torch
from textbind_trainer.events import emit
from textbind_trainer.generate import Reply, embed_prompt, first_words
from textbind_trainer.images import ImageProcessor
from textbind_trainer.model import QformerShape, TextBindModel, load_model
from textbind_trainer.prompt import IMAGE, Pair
from textbind_trainer.quantise import quantise_linears
from textbind_trainer.tokenizer import AnyTokenizer

from . import wordings as say
from .features import scene_features
from .objects import NAMES
from .pictures import BACKGROUNDS, fetch_pictures, with_article
from .scenes import batch_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH = 25
NAMING_QUESTION = f"What is in this picture? {IMAGE}"


def names(text: str, name: str) -> bool:
    """Whether a text names an object as a word of its own ('car' is not in 'carrot')."""
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def load_published(folder: Path) -> tuple[TextBindModel, PreTrainedTokenizerBase, ImageProcessor]:
    """The model that textbind.json describes."""
    from transformers import AutoTokenizer

    parts = json.loads((folder / "textbind.json").read_text(encoding="utf-8"))
    shape = QformerShape.from_json(parts["qformerConfig"])
    model = load_model(
        folder / parts["visionModel"], folder / parts["languageModel"], shape, folder / parts["qformer"]
    )
    tokenizer = AutoTokenizer.from_pretrained(folder / parts["languageModel"])
    return model.eval(), tokenizer, ImageProcessor.load(folder / parts["processor"])


def naming(
    model: TextBindModel, tokenizer: AnyTokenizer, processor: ImageProcessor, pictures: Path, count: int
) -> dict[str, Any]:
    """Held-out scenes whose main object (and background) the answer names; invented drawings are counted."""
    vision = model.vision
    if vision is None:
        raise ValueError("this model was loaded without a vision encoder")
    scenes = batch_of(pictures, "held-out", 0, count)
    features = [scene_features(vision, processor, [scene]) for scene in scenes]
    answers, described = (
        _replies(model, tokenizer, [(question, feature) for feature in features], 32)
        for question in (NAMING_QUESTION, f"{IMAGE} Describe the picture.")
    )
    right = [names(answer.text, scene.main_object) for answer, scene in zip(answers, scenes, strict=True)]
    right_too = [
        names(answer.text, scene.main_object) for answer, scene in zip(described, scenes, strict=True)
    ]
    background = sum(
        names(answer.text, scene.background) for answer, scene in zip(described, scenes, strict=True)
    )
    wrong = [
        [scene.main_object, a.text] for scene, a, ok in zip(scenes, answers, right, strict=True) if not ok
    ]
    return {
        "scenes": count, "named": sum(right), "namedInDescription": sum(right_too), "backgroundNamed": background,
        "drewUnasked": sum(bool(a.captions) for a in (*answers, *described)), "wrong": wrong[:12],
        "examples": [[scene.caption, a.text, d.text] for scene, a, d in list(zip(scenes, answers, described, strict=True))[:8]],
    }  # fmt: skip


def _replies(
    model: TextBindModel, tokenizer: AnyTokenizer, asked: list[tuple[str, torch.Tensor | None]], tokens: int
) -> list[Reply]:
    """First words of the reply to each (question, vision features), in batches."""
    found: list[Reply] = []
    for start in range(0, len(asked), BATCH):
        group = asked[start : start + BATCH]
        with torch.no_grad():
            prompts = [embed_prompt(model, tokenizer, [Pair(text, None)], feature) for text, feature in group]
        found += first_words(model, tokenizer, prompts, tokens)
    return found


def drawing(model: TextBindModel, tokenizer: AnyTokenizer, count: int) -> dict[str, Any]:
    """Requests to draw: drawn at all, the caption has the object, the background; the same for unseen objects."""
    random_ = random.Random("evaluation of drawing")
    asked: list[tuple[str, str, str, bool]] = []
    for number in range(count):
        strange = number % 5 == 4
        name, colour = random_.choice(say.UNSEEN if strange else NAMES), random_.choice(tuple(BACKGROUNDS))
        wanted = f"{with_article(name)} on {with_article(f'{colour} background')}"
        asked.append((random_.choice(say.DRAW).format(a=wanted), name, colour, strange))
    answers = _replies(model, tokenizer, [(request, None) for request, *_ in asked], 64)
    drawn = right = background = unseen = 0
    wrong = []
    for (request, name, colour, strange), answer in zip(asked, answers, strict=True):
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


def talking(model: TextBindModel, tokenizer: AnyTokenizer) -> dict[str, Any]:
    """Questions in words only: none of them asks for a picture."""
    asked = [question for question, _ in say.SMALL_TALK]
    asked += [question for questions, _ in say.ABOUT_ITSELF for question in questions]
    asked += list(say.GREETING[0]) + [
        "What is a pen?",
        "Who was Mozart?",
        "How do I make soup?",
        "I saw a cat today.",
    ]
    answers = _replies(model, tokenizer, [(question, None) for question in asked], 48)
    unasked = [[question, a.text] for question, a in zip(asked, answers, strict=True) if a.captions]
    shown = [[question, a.text] for question, a in zip(asked, answers, strict=True)][
        :: max(1, len(asked) // 14)
    ]
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
