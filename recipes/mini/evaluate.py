"""The table of the embedded model: what it can do on held-out pictures and wordings, each count with Wilson's 95 % interval.

``python -m recipes.mini.evaluate --model models/textbind-mini --out .cache/mini`` reads the published weights as they are
(quantised ones multiplied out). Everything follows from fixed seeds; replies are greedy.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from textbind_trainer.events import emit
from textbind_trainer.files import write_json
from textbind_trainer.generate import Reply, embed_prompt, first_words
from textbind_trainer.prompt import IMAGE, Pair
from textbind_trainer.weights import load_language
from torch import Tensor

from .album import on
from .features import picture_features
from .general_text import perplexity, prose
from .held_out import REQUESTS, TALK
from .judge_drawings import interval
from .pictures import fetch_pictures, seed_of
from .published import load_published
from .seen import SEEN_NAMES, called, countable, plural, synonyms
from .strangers import photographs, screen
from .views import BACKGROUND_NAMES, NUMBERS, View, compose_view
from .world import DRAWN_NAMES

BATCH = 32
FIRST_SEED = 1_000
"""Held-out seeds from this number on, so that they are none that anything else looks at."""


def names(text: str, name: str) -> bool:
    """Whether a text names an object, or by a synonym, as words of their own ('car' is not in 'carrot')."""
    words = {name, *synonyms(name), *([plural(name)] if countable(name) else ())}
    return any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words)


def share(right: Sequence[bool]) -> dict[str, Any]:
    """Count, of how many, and the interval."""
    return {"right": sum(right), "of": len(right), "interval": interval(sum(right), len(right))}


class Speaker:
    """The model with all that asking it takes."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.model, self.tokenizer, self.processor = load_published(folder)
        self.pictures, self.folder = pictures, folder

    def features(self, image: Image.Image) -> Tensor:
        """[1, patches + 1, hidden]; a scene is enlarged to 224 pixels first, as pictures from elsewhere are."""
        if self.model.vision is None:
            raise ValueError("this model was loaded without a vision encoder")
        return picture_features(self.model.vision, self.processor, [image])

    def seen(self, view: View) -> Tensor:
        """Of a view, through 224 pixels."""
        return self.features(view.image.resize((224, 224), Image.Resampling.BICUBIC))

    def ask(self, asked: Sequence[tuple[list[Pair], Tensor | None]], tokens: int = 40) -> list[Reply]:
        """The first words of each reply, batched by length."""
        order = sorted(
            range(len(asked)),
            key=lambda index: sum(len(pair.user) + len(pair.assistant or "") for pair in asked[index][0]),
        )
        found: dict[int, Reply] = {}
        for start in range(0, len(order), BATCH):
            group = order[start : start + BATCH]
            with torch.no_grad():
                prompts = [embed_prompt(self.model, self.tokenizer, *asked[index]) for index in group]
            replies = first_words(self.model, self.tokenizer, prompts, tokens)
            found |= dict(zip(group, replies, strict=True))
        return [found[index] for index in range(len(asked))]


def one(text: str) -> list[Pair]:
    """A first question."""
    return [Pair(text, None)]


def held_out_view(speaker: Speaker, number: int, **given: Any) -> View:
    """View number n that nothing was trained on."""
    return compose_view(seed_of("held-out", FIRST_SEED + number), speaker.pictures, **given)


def naming(speaker: Speaker, chosen: Sequence[str]) -> dict[str, Any]:
    """Single things: named when asked, and the background in a description."""
    random_ = random.Random("evaluation of naming")
    views = [
        held_out_view(speaker, index, mode="one", names=[name], colour=random_.choice(BACKGROUND_NAMES))
        for index, name in enumerate(chosen)
    ]
    answers = speaker.ask(
        [(one(f"What is in this picture? {IMAGE}"), speaker.seen(view)) for view in views], 24
    )
    right = [names(answer.text, view.names[0]) for answer, view in zip(answers, views, strict=True)]
    wrong = [
        [view.names[0], answer.text] for answer, view, ok in zip(answers, views, right, strict=True) if not ok
    ]
    return {"named": share(right), "drewUnasked": sum(bool(a.captions) for a in answers), "wrong": wrong[:25]}


def counting(speaker: Speaker, count: int) -> dict[str, Any]:
    """How many of a kind, one to four, each as often."""
    random_ = random.Random("evaluation of counting")
    kinds = [name for name in SEEN_NAMES if countable(name)]
    asked, expected = [], []
    for number in range(count):
        many, name = number % 4 + 1, random_.choice(kinds)
        view = held_out_view(
            speaker, 2000 + number, mode="one" if many == 1 else "several", names=[name] * many
        )
        asked.append((one(f"How many {plural(name)} are there? {IMAGE}"), speaker.seen(view)))
        expected.append(NUMBERS[many])
    answers = speaker.ask(asked, 16)
    right = [
        re.search(rf"\b{word}\b", answer.text) is not None
        for answer, word in zip(answers, expected, strict=True)
    ]
    return {
        "counts": share(right),
        "examples": [[e, a.text] for e, a in zip(expected, answers, strict=True)][:12],
    }


def placing(speaker: Speaker, count: int) -> dict[str, Any]:
    """Which of two things is where: left, right, above, below."""
    random_ = random.Random("evaluation of places")
    asked, expected = [], []
    for number in range(count):
        mode, index = ("beside", "over")[number % 2], number // 2 % 2
        two = random_.sample(DRAWN_NAMES, 2)
        view = held_out_view(speaker, 3000 + number, mode=mode, names=two)
        place = (("on the left", "on the right"), ("at the top", "at the bottom"))[number % 2]
        asked.append((one(f"{IMAGE} Where is the {two[index]}?"), speaker.seen(view)))
        expected.append(
            {
                "on the left": "left",
                "on the right": "right",
                "at the top": "top|above",
                "at the bottom": "bottom|below",
            }[place[index]]
        )
    answers = speaker.ask(asked, 16)
    # The first place word counts: "above the dog" says of the cat where it is.
    found = [re.search(r"\b(left|right|top|above|bottom|below)\b", answer.text) for answer in answers]
    right = [f is not None and f[0] in word.split("|") for f, word in zip(found, expected, strict=True)]
    return {
        "places": share(right),
        "examples": [[e, a.text] for e, a in zip(expected, answers, strict=True)][:12],
    }


def drawing(speaker: Speaker, count: int) -> dict[str, Any]:
    """Requests in held-out wordings, half of them in the middle of a conversation; talk that asks for none."""
    random_ = random.Random("evaluation of drawing")
    asked: list[tuple[list[Pair], Tensor | None]] = []
    wanted = []
    for number in range(count):
        name, colour = random_.choice(DRAWN_NAMES), random_.choice(BACKGROUND_NAMES)
        words = f"{called(name)} {on(colour)}" if number % 2 else called(name)
        before = [Pair("Hello", "Hello! How can I help you?")] if number % 4 > 1 else []
        asked.append(([*before, Pair(random_.choice(REQUESTS).format(a=words), None)], None))
        wanted.append((name, colour if number % 2 else ""))
    answers = speaker.ask(asked, 60)
    drawn = [bool(answer.captions) for answer in answers]
    caption = [answer.captions[0] if answer.captions else "" for answer in answers]
    right = [
        names(text, name) and colour in text for text, (name, colour) in zip(caption, wanted, strict=True)
    ]
    missed = [
        [pairs[-1].user, a.text, c]
        for (pairs, _), a, c, ok in zip(asked, answers, caption, right, strict=True)
        if not ok
    ]
    return {"drawsWhenAsked": share(drawn), "captionRight": share(right), "missed": missed[:10]}


def talking(speaker: Speaker, count: int) -> dict[str, Any]:
    """Words only, first in a conversation and after a drawing."""
    talk = TALK[:: max(1, len(TALK) // count)]
    later = [Pair("Draw a cat.", f"Here is a cat on a blue background: {IMAGE}")]
    view = held_out_view(speaker, 4000, mode="one", names=["cat"], colour="blue")
    feature = speaker.seen(view)
    asked: list[tuple[list[Pair], Tensor | None]] = [(one(text), None) for text in talk]
    asked += [([*later, Pair(text, None)], feature) for text in talk]
    answers = speaker.ask(asked, 48)
    unasked = [[pairs[-1].user, a.text] for (pairs, _), a in zip(asked, answers, strict=True) if a.captions]
    shown = [[text, answer.text] for text, answer in zip(talk, answers, strict=False)]
    return {
        "quietWhenNotAsked": share([not a.captions for a in answers]),
        "drawnUnasked": unasked[:12],
        "examples": shown[::3],
    }


def own_drawings(
    speaker: Speaker, draw: Callable[[list[str]], list[Image.Image]], count: int
) -> dict[str, Any]:
    """Asked what it drew, a turn later, without its words in sight: only the picture says it; and with them."""
    random_ = random.Random("evaluation of own drawings")
    chosen = random_.sample(DRAWN_NAMES, count)
    captions = [f"{called(name)} {on(random_.choice(BACKGROUND_NAMES))}" for name in chosen]
    features = [speaker.features(image) for image in draw(captions)]
    blind = [
        ([Pair("Draw something for me.", f"Here it is: {IMAGE}"), Pair("What did you draw?", None)], feature)
        for feature in features
    ]
    open_ = [
        (
            [
                Pair(f"Draw {called(name)}.", f"Here is {caption}: {IMAGE}"),
                Pair("What is in your picture?", None),
            ],
            feature,
        )
        for name, caption, feature in zip(chosen, captions, features, strict=True)
    ]
    by_eye, by_word = speaker.ask(blind, 24), speaker.ask(open_, 24)
    seen = [names(a.text, name) for a, name in zip(by_eye, chosen, strict=True)]
    said = [names(a.text, name) for a, name in zip(by_word, chosen, strict=True)]
    return {
        "ownDrawingByEye": share(seen),
        "ownDrawing": share(said),
        "wrong": [[n, a.text] for n, a, ok in zip(chosen, by_eye, seen, strict=True) if not ok][:12],
    }


def first_of_two(speaker: Speaker, count: int) -> dict[str, Any]:
    """Two pictures in two turns; then the first is asked for."""
    random_ = random.Random("evaluation of the first of two")
    asked, expected = [], []
    for number in range(count):
        two = random_.sample(DRAWN_NAMES, 2)
        views = [
            held_out_view(speaker, 5000 + 2 * number + index, mode="one", names=[name])
            for index, name in enumerate(two)
        ]
        pairs = [
            Pair(f"What colour is the background? {IMAGE}", f"The background is {views[0].background}."),
            Pair(f"And here? {IMAGE}", f"The background is {views[1].background}."),
            Pair("What was in the first picture?", None),
        ]
        asked.append((pairs, torch.cat([speaker.seen(view) for view in views])))
        expected.append(two)
    answers = speaker.ask(asked, 24)
    right = [
        names(a.text, two[0]) and not names(a.text, two[1]) for a, two in zip(answers, expected, strict=True)
    ]
    return {
        "firstOfTwo": share(right),
        "examples": [[e, a.text] for e, a in zip(expected, answers, strict=True)][:8],
    }


def strange(speaker: Speaker, photos: Path | None, screens: Path | None, count: int) -> dict[str, Any]:
    """Photographs that nothing was trained on, real screenshots, and painted screens of held-out seeds."""
    random_ = random.Random("evaluation of strangers")
    images = [
        Image.fromarray(pixels) for folder in (photos, screens) if folder for pixels in photographs(folder)
    ]
    images = random_.sample(images, min(count, len(images)))
    images += [
        Image.fromarray(screen(random.Random(f"held-out screen {index}"))) for index in range(count // 3)
    ]
    questions = (
        "What is in this picture?",
        "Describe the picture.",
        "What do you see?",
        "Can you tell me what this is?",
    )
    asked = [
        (one(f"{questions[index % 4]} {IMAGE}"), speaker.features(image))
        for index, image in enumerate(images)
    ]
    answers = speaker.ask(asked, 24)
    right = [
        re.search(r"cannot (tell|read)|photograph|screenshot", answer.text) is not None for answer in answers
    ]
    return {
        "cannotTell": share(right),
        "wrong": [a.text for a, ok in zip(answers, right, strict=True) if not ok][:10],
    }


def fixtures(speaker: Speaker, folder: Path, count: int) -> dict[str, Any]:
    """The main object of the repository's held-out scenes, as files; scenes.json says what it is."""
    scenes = json.loads((folder / "scenes.json").read_text(encoding="utf-8"))["scenes"][:count]
    question = one(f"What is in this picture? {IMAGE}")
    asked = [(question, speaker.features(Image.open(folder / scene["file"]))) for scene in scenes]
    answers = speaker.ask(asked, 24)
    right = [names(answer.text, scene["mainObject"]) for answer, scene in zip(answers, scenes, strict=True)]
    wrong = [
        [scene["caption"], a.text] for scene, a, ok in zip(scenes, answers, right, strict=True) if not ok
    ]
    return {"named": share(right), "drewUnasked": sum(bool(a.captions) for a in answers), "wrong": wrong}


def painter(folder: Path) -> Callable[[list[str]], list[Image.Image]]:
    """The published hand by diffusers, at the settings that the studio uses."""
    from diffusers import StableDiffusionXLPipeline

    pipeline = StableDiffusionXLPipeline.from_pretrained(
        folder / "image-decoder", add_watermarker=False, torch_dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)

    def draw(captions: list[str]) -> list[Image.Image]:
        drawn: list[Image.Image] = []
        for start in range(0, len(captions), 16):
            part = captions[start : start + 16]
            generators = [torch.Generator().manual_seed(start + index) for index in range(len(part))]
            drawn += pipeline(part, num_inference_steps=20, guidance_scale=2.0, generator=generators).images
        return drawn

    return draw


def measures(speaker: Speaker, arguments: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    """Each measure by its name."""
    count = arguments.count
    every = random.Random("evaluation names").sample(SEEN_NAMES, min(3 * count, len(SEEN_NAMES)))
    drawn = random.Random("evaluation drawn").sample(DRAWN_NAMES, min(2 * count, len(DRAWN_NAMES)))

    def general() -> dict[str, Any]:
        texts = prose(arguments.prose, 40)
        own = perplexity(speaker.model.language_model, speaker.tokenizer, texts)
        base = perplexity(load_language(arguments.base), speaker.tokenizer, texts) if arguments.base else None
        return {"texts": len(texts), "perplexity": round(own, 3), "base": base and round(base, 3)}

    return {
        "fixtures": lambda: fixtures(speaker, arguments.fixtures, count),
        "naming all": lambda: naming(speaker, every),
        "naming drawn": lambda: naming(speaker, drawn),
        "counting": lambda: counting(speaker, count),
        "placing": lambda: placing(speaker, count),
        "drawing": lambda: drawing(speaker, count),
        "talking": lambda: talking(speaker, count),
        "own drawings": lambda: own_drawings(speaker, painter(arguments.model), max(4, count // 2)),
        "first of two": lambda: first_of_two(speaker, max(4, count * 6 // 10)),
        "strangers": lambda: strange(speaker, arguments.photos, arguments.screens, count * 6 // 10),
        "perplexity": general,
    }


def main(argv: list[str] | None = None) -> int:
    """Command: each measure as an event; all of them in OUT/evaluation.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder with textbind.json")
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--photos", type=Path, help="folder of photographs that nothing was trained on")
    parser.add_argument("--screens", type=Path, help="folder of screenshots that nothing was trained on")
    parser.add_argument("--base", type=Path, help="the language model before training, for its perplexity")
    parser.add_argument(
        "--prose", type=Path, default=Path("node_modules"), help="folder of packages with READMEs"
    )
    parser.add_argument("--fixtures", type=Path, default=Path("test/fixtures/scenes"))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", nargs="*", help="names of measures")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    speaker = Speaker(arguments.model, fetch_pictures(arguments.pictures))
    result: dict[str, Any] = {}
    for name, measure in measures(speaker, arguments).items():
        if arguments.only and name not in arguments.only:
            continue
        result[name] = measure()
        emit("evaluation", measure=name, **result[name])
        if arguments.out:
            write_json(arguments.out, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
