"""TextBind-style conversations over composed scenes, written by rules, true by construction.

Each intent turns what is known (pictures shown and drawn so far) into one exchange. The assistant draws
only when asked; what it draws is a scene whose caption says what was asked for.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textbind_trainer.events import emit
from textbind_trainer.files import write_json
from textbind_trainer.prompt import IMAGE

from . import wordings as say
from .objects import NAMES, OBJECTS
from .pictures import BACKGROUNDS, Scene, compose, fetch_pictures, seed_of, with_article
from .shape import canonical_caption
from .wordings import phrase

COLOURS = tuple(BACKGROUNDS)
KIND_SENTENCES = {
    "animal": "It is an animal.",
    "plant": "It is a plant.",
    "food": "It is something to eat or drink.",
    "vehicle": "It is a vehicle.",
    "thing": "It is a thing.",
}


@dataclass(frozen=True)
class Shown:
    """A picture of the conversation: its file and what is true of it."""

    file: str
    scene: Scene
    caption: str

    @property
    def name(self) -> str:
        """'a cat'."""
        return with_article(self.scene.main_object)


@dataclass
class Exchange:
    """A pair of turns; ``{}`` in the user's text stands where a picture is."""

    user: str
    assistant: str
    shown: list[Shown] = field(default_factory=list)
    drawn: list[Shown] = field(default_factory=list)


class Bank:
    """Scenes of one split, found by what they show; pictures are written as they are used."""

    def __init__(self, pictures: Path, out: Path, split: str, random_: random.Random, count: int = 1500):
        self.pictures, self.out, self.split, self.random = pictures, out, split, random_
        self._by: dict[tuple[str, bool], list[int]] = {}
        for index in range(count):
            scene = compose(seed_of(split, index), pictures)
            self._by.setdefault((scene.background, scene.second_object is not None), []).append(scene.seed)

    def show(self, main: str | None = None, colour: str | None = None, two: bool | None = None) -> Shown:
        """A scene of this main object and background, with or without a second object; open ones by chance."""
        main = main or self.random.choice(NAMES)
        colour = colour or self.random.choice(COLOURS)
        two = self.random.random() < 0.2 if two is None else two
        scene = compose(self.random.choice(self._by[colour, two]), self.pictures, main)
        file = f"{self.split}-{scene.seed}-{main.replace(' ', '-')}.png"
        if not (self.out / file).exists():
            scene.image.save(self.out / file, compress_level=1)
        return Shown(file, scene, canonical_caption(scene))


@dataclass
class State:
    """What the conversation knows so far."""

    random: random.Random
    bank: Bank
    talk: list[dict[str, Any]]
    shown: list[Shown] = field(default_factory=list)
    last: Shown | None = None
    last_drawn: bool = False

    def other(self, name: str) -> str:
        """Another object than this one."""
        return self.random.choice([other for other in NAMES if other != name])

    def other_colour(self, colour: str) -> str:
        """Another background."""
        return self.random.choice([other for other in COLOURS if other != colour])


def _with_picture(random_: random.Random, text: str) -> str:
    """Put the picture in front of, behind or inside the words."""
    place = random_.random()
    if place < 0.4:
        return f"{IMAGE}{random_.choice((' ', chr(10), ' '))}{text}"
    if place < 0.8:
        return f"{text}{random_.choice((' ', chr(10), ' '))}{IMAGE}"
    inside = (
        "Here is a picture {} for you. {t}",
        "Look at this: {} {t}",
        "I found this {} today. {t}",
        "My picture {} is new. {t}",
    )
    return random_.choice(inside).format(IMAGE, t=text)


# What can be asked of a picture: (state, picture) -> (question, answer).
Question = Callable[[State, Shown], tuple[str, str]]
Exchanger = Callable[[State], Exchange | None]


def _name(state: State, it: Shown) -> tuple[str, str]:
    answers: tuple[str, ...] = (f"This is {it.name}.", f"It is {it.name}.", f"I see {it.name}.")
    if it.scene.second_object and state.random.random() < 0.5:
        answers = (f"I see {it.name} and a small {it.scene.second_object}.",)
    return phrase(state.random, say.NAME), state.random.choice(answers)


def _describe(state: State, it: Shown) -> tuple[str, str]:
    answers = (
        f"The picture shows {it.caption}.",
        f"I see {it.caption}.",
        f"{it.caption[0].upper()}{it.caption[1:]}.",
    )
    return phrase(state.random, say.DESCRIBE), state.random.choice(answers)


def _background(state: State, it: Shown) -> tuple[str, str]:
    return phrase(state.random, say.BACKGROUND), f"The background is {it.scene.background}."


def _count(state: State, it: Shown) -> tuple[str, str]:
    if it.scene.second_object:
        answer = f"There are two things: {it.name} and a small {it.scene.second_object}."
    else:
        answer = f"There is one thing: {it.name}."
    return phrase(state.random, say.COUNT), answer


def _is_there(state: State, it: Shown) -> tuple[str, str]:
    here = [it.scene.main_object] + ([it.scene.second_object] if it.scene.second_object else [])
    if state.random.random() < 0.5:
        asked = state.random.choice(here)
        question = phrase(state.random, (*say.IS_THERE, *say.IS_THIS), polite=False, a=with_article(asked))
        return question, f"Yes, there is {with_article(asked)}."
    asked = state.random.choice([name for name in NAMES if name not in here])
    question = phrase(state.random, (*say.IS_THERE, *say.IS_THIS), polite=False, a=with_article(asked))
    return question, f"No, it is {it.name}."


def _is_background(state: State, it: Shown) -> tuple[str, str]:
    right = it.scene.background
    asked = right if state.random.random() < 0.5 else state.other_colour(right)
    answer = f"Yes, the background is {right}." if asked == right else f"No, the background is {right}."
    return phrase(state.random, say.IS_BACKGROUND, polite=False, c=asked), answer


def _beside(state: State, it: Shown) -> tuple[str, str]:
    question = phrase(state.random, say.BESIDE, polite=False, o=it.scene.main_object)
    if it.scene.second_object:
        return question, f"There is a small {it.scene.second_object} on the {it.scene.second_side}."
    return question, f"No, there is only {it.name}."


def _kind(state: State, it: Shown) -> tuple[str, str]:
    question = phrase(state.random, say.KIND, polite=False)
    return question, f"{it.name[0].upper()}{it.name[1:]}. {KIND_SENTENCES[OBJECTS[it.scene.main_object][1]]}"


QUESTIONS: tuple[tuple[Question, float], ...] = (
    (_name, 4), (_describe, 4), (_background, 2), (_count, 1.5), (_is_there, 3), (_is_background, 1), (_beside, 1), (_kind, 0.7),
)  # fmt: skip


def _ask(state: State, it: Shown) -> tuple[str, str]:
    question = state.random.choices([q for q, _ in QUESTIONS], [weight for _, weight in QUESTIONS])[0]
    return question(state, it)


# Exchanges. Each returns one that fits the state, or None.


def show_and_ask(state: State) -> Exchange:
    """The user shows a picture and asks about it."""
    it = state.bank.show()
    question, answer = _ask(state, it)
    return Exchange(_with_picture(state.random, question), answer, [it])


def show_two(state: State) -> Exchange:
    """Two pictures at once."""
    one, two = state.bank.show(two=False), state.bank.show(two=False)
    forms = ("{i} {i}\n{q}", "{q} {i} {i}", "First {i} and then {i}. {q}")
    user = state.random.choice(forms).format(i=IMAGE, q=phrase(state.random, say.BOTH))
    return Exchange(user, f"The first shows {one.caption}, the second {two.caption}.", [one, two])


def ask_more(state: State) -> Exchange | None:
    """A further question about the last picture, the user's or the drawn one."""
    if state.last is None:
        return None
    question, answer = _ask(state, state.last)
    return Exchange(question, answer)


def ask_first(state: State) -> Exchange | None:
    """Back to the first of several pictures."""
    if len(state.shown) < 2:
        return None
    return Exchange(phrase(state.random, say.FIRST), f"The first picture showed {state.shown[0].caption}.")


_SHORT_REPLIES = (
    "Here is {c}: {i}",
    "Here is {c}: {i}",
    "Here is a picture of {c}: {i}",
    "Sure! Here is {c}: {i}",
)


def _drawing(state: State, user: str, it: Shown, shown: list[Shown] | None = None) -> Exchange:
    reply = state.random.choice(_SHORT_REPLIES).format(c=it.caption, i=IMAGE)
    if state.random.random() < 0.1:
        reply += " Do you like it?"
    return Exchange(user, reply, shown or [], [it])


def draw(state: State) -> Exchange:
    """The user asks for a drawing, with or without saying on what background."""
    it = state.bank.show(two=state.random.random() < 0.12)
    wanted = it.caption if it.scene.second_object or state.random.random() < 0.5 else it.name
    return _drawing(state, phrase(state.random, say.DRAW, a=wanted), it)


def draw_unseen(state: State) -> Exchange:
    """Something that no picture shows: only what is said and captioned is learned (a last turn)."""
    colour = state.random.choice(COLOURS)
    name = with_article(state.random.choice(say.UNSEEN))
    caption = f"{name} on {with_article(f'{colour} background')}"
    wanted = caption if state.random.random() < 0.5 else name
    stand_in = state.bank.show(colour=colour, two=False)
    it = Shown(stand_in.file, stand_in.scene, caption)
    return Exchange(phrase(state.random, say.DRAW, a=wanted), f"Here is {caption}: {IMAGE}", [], [it])


def draw_background(state: State) -> Exchange | None:
    """The same thing on another background."""
    if state.last is None:
        return None
    scene = state.last.scene
    colour = state.other_colour(scene.background)
    it = state.bank.show(scene.main_object, colour, two=False)
    return _drawing(state, phrase(state.random, say.DRAW_AGAIN_BACKGROUND, c=colour), it)


def draw_instead(state: State) -> Exchange | None:
    """Another thing on the same background."""
    if state.last is None:
        return None
    scene = state.last.scene
    it = state.bank.show(state.other(scene.main_object), scene.background, two=False)
    return _drawing(state, phrase(state.random, say.DRAW_INSTEAD, a=it.name), it)


def draw_like(state: State) -> Exchange:
    """The user shows a picture and wants one like it."""
    it = state.bank.show(two=False)
    own = state.bank.show(it.scene.main_object, it.scene.background, two=False)
    return _drawing(state, _with_picture(state.random, phrase(state.random, say.DRAW_LIKE)), own, [it])


def ask_drawn(state: State) -> Exchange | None:
    """About the picture that the model has just drawn."""
    if state.last is None or not state.last_drawn:
        return None
    if state.random.random() < 0.3:
        return Exchange(
            phrase(state.random, say.DREW_BACKGROUND), f"The background is {state.last.scene.background}."
        )
    return Exchange(phrase(state.random, say.WHAT_DREW), f"I drew {state.last.caption}.")


def talk(state: State) -> Exchange:
    """Words only: knowledge, small talk, what the model is."""
    chance = state.random.random()
    if chance < 0.2 and state.talk:
        row = state.random.choice(state.talk)
        return Exchange(row["question"], row["answer"])
    if chance < 0.65:
        return Exchange(*state.random.choice(say.SMALL_TALK))
    questions, answer = state.random.choice(say.ABOUT_ITSELF)
    return Exchange(state.random.choice(questions), answer)


def _of(pool: tuple[tuple[str, ...], tuple[str, ...]]) -> Callable[[State], Exchange]:
    return lambda state: Exchange(state.random.choice(pool[0]), state.random.choice(pool[1]))


def no_picture(state: State) -> Exchange | None:
    """Asked about a picture that is not there."""
    if state.last is not None:
        return None
    return _of(say.NO_PICTURE_YET)(state)


BEGIN: tuple[tuple[Exchanger, float], ...] = (
    (show_and_ask, 8), (show_two, 0.5), (draw, 3.4), (draw_unseen, 0.8), (draw_like, 0.8), (talk, 1.8),
    (_of(say.GREETING), 0.8), (no_picture, 0.3),
)  # fmt: skip
GO_ON: tuple[tuple[Exchanger, float], ...] = (
    (ask_more, 4), (ask_drawn, 4), (draw_background, 2), (draw_instead, 1), (draw, 1.6), (show_and_ask, 1.6),
    (ask_first, 0.8), (draw_unseen, 0.4), (draw_like, 0.3), (talk, 1.5), (_of(say.THANKS), 0.6), (_of(say.GOODBYE), 0.3),
)  # fmt: skip


def _next(state: State, choices: tuple[tuple[Exchanger, float], ...]) -> tuple[Exchanger, Exchange]:
    while True:
        make = state.random.choices([c for c, _ in choices], [weight for _, weight in choices])[0]
        exchange = make(state)
        if exchange is not None:
            return make, exchange


def conversation(state: State, pictures_at_most: int = 3) -> dict[str, Any]:
    """One conversation in the TextBind schema, of one to four exchanges."""
    length = state.random.choices((1, 2, 3, 4), (45, 37, 14, 4))[0]
    turns: list[dict[str, Any]] = []
    pictures = 0
    while len(turns) < 2 * length:
        make, exchange = _next(state, GO_ON if turns else BEGIN)
        if pictures + len(exchange.shown) + len(exchange.drawn) > pictures_at_most:
            continue
        pictures += len(exchange.shown) + len(exchange.drawn)
        turns.append(_turn("user", exchange.user, exchange.shown))
        turns.append(_turn("assistant", exchange.assistant, exchange.drawn))
        for shown, drawn in ((exchange.shown, False), (exchange.drawn, True)):
            if shown:
                state.shown += shown
                state.last, state.last_drawn = shown[-1], drawn
        if make is draw_unseen:
            break  # its picture does not show what was asked for: nothing may be said about it
    return {"conversation": turns}


def _turn(role: str, content: str, pictures: list[Shown]) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "image_list": [it.file for it in pictures],
        "caption_list": [it.caption for it in pictures],
    }


def write_conversations(
    pictures: Path, out: Path, split: str, count: int, talk_rows: list[dict[str, Any]], seed: int
) -> Path:
    """``OUT/<split>.json`` and the pictures in ``OUT/images``."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    random_ = random.Random(f"conversations {split} {seed}")
    bank = Bank(pictures, out / "images", split, random_)
    rows = []
    for number in range(count):
        rows.append(conversation(State(random_, bank, talk_rows)))
        if number % 500 == 0:
            emit("progress", step="conversations", split=split, done=number, of=count)
    write_json(out / f"{split}.json", rows)
    return out / f"{split}.json"


def main(argv: list[str] | None = None) -> int:
    """Command: write training and validation conversations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--talk", type=Path, help="JSON of small_talk.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--validation", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    pictures = fetch_pictures(arguments.pictures)
    talk_rows = json.loads(arguments.talk.read_text(encoding="utf-8")) if arguments.talk else []
    write_conversations(pictures, arguments.out, "training", arguments.count, talk_rows, arguments.seed)
    write_conversations(
        pictures, arguments.out, "validation", arguments.validation, talk_rows, arguments.seed
    )
    emit("finished", step="conversations", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
