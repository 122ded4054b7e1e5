"""What a person asks about a picture, and the true answer."""

from __future__ import annotations

import random
from collections.abc import Callable

from . import wordings as say
from .album import COLOURS, Shown, number_word
from .seen import SEEN, SEEN_NAMES, called, countable, plural
from .wordings import phrase

Question = Callable[[random.Random, Shown], tuple[str, str] | None]
KIND_SENTENCES = {
    "animal": "It is an animal.", "plant": "It is a plant.", "food": "It is something to eat or drink.",
    "vehicle": "It is a vehicle.", "thing": "It is a thing that people use.", "place": "It is a place or a building.",
    "sky": "It belongs to the sky or the weather.",
}  # fmt: skip


def capital(text: str) -> str:
    """With a large first letter."""
    return text[:1].upper() + text[1:]


def kind_of(name: str) -> str:
    """'animal', 'plant' and so on."""
    return SEEN[name][1]


def is_are(it: Shown) -> str:
    """For 'There ...'."""
    return "are" if it.order == "several" or called(it.main).startswith(("some ", "two ")) else "is"


def layout_sentence(random_: random.Random, it: Shown) -> str:
    """Where things are, or that there is nothing else."""
    if it.order == "several":
        return f"There are {number_word(it.number)} of them."
    if it.order == "beside":
        return f"The {it.names[0]} is on the left and the {it.names[1]} is on the right."
    if it.order == "over":
        return f"The {it.names[0]} is above and the {it.names[1]} is below."
    if it.order == "many":
        return f"I count {number_word(it.number)} different things."
    return random_.choice(("There is nothing else in it.", KIND_SENTENCES[kind_of(it.main)]))


def name(random_: random.Random, it: Shown) -> tuple[str, str]:
    """What is this?"""
    if it.order == "several":
        answers: tuple[str, ...] = (f"These are {it.what}.", f"I see {it.what}.")
    elif it.order == "alone":
        answers = (
            f"This is {it.what}.",
            f"I see {it.what}.",
            f"This is {it.what}. {KIND_SENTENCES[kind_of(it.main)]}",
        )
    else:
        answers = (f"I see {it.what}.", f"I see {it.what}. {layout_sentence(random_, it)}")
    return phrase(random_, say.NAME), random_.choice(answers)


def describe(random_: random.Random, it: Shown) -> tuple[str, str]:
    """Two sentences."""
    first = random_.choice(
        (f"The picture shows {it.caption}.", f"I see {it.caption}.", f"{capital(it.caption)}.")
    )
    return phrase(random_, say.DESCRIBE), f"{first} {layout_sentence(random_, it)}"


def background(random_: random.Random, it: Shown) -> tuple[str, str]:
    """The colour behind."""
    return phrase(random_, say.BACKGROUND), f"The background is {it.colour}."


def is_background(random_: random.Random, it: Shown) -> tuple[str, str]:
    """Yes or no."""
    asked = it.colour if random_.random() < 0.5 else random_.choice([c for c in COLOURS if c != it.colour])
    answer = (
        f"Yes, the background is {it.colour}."
        if asked == it.colour
        else f"No, the background is {it.colour}."
    )
    return phrase(random_, say.IS_BACKGROUND, polite=False, c=asked), answer


def count(random_: random.Random, it: Shown) -> tuple[str, str] | None:
    """How many things, or how many of a kind."""
    if not all(countable(each) for each in it.names):
        return None
    if it.order == "several":
        asked = say.COUNT_OF if random_.random() < 0.6 else say.COUNT
        question = phrase(random_, asked, polite=False, p=plural(it.main))
        return question, random_.choice((f"There are {it.what}.", f"I count {it.what}."))
    if it.order == "alone":
        asked = say.COUNT_OF if random_.random() < 0.3 else say.COUNT
        return phrase(random_, asked, polite=False, p=plural(it.main)), f"There is one {it.main}."
    return phrase(random_, say.COUNT), f"There are {number_word(it.number)} things: {listed(it)}."


def listed(it: Shown) -> str:
    """'a cat and a dog', whatever their places."""
    words = [called(each) for each in it.names]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def is_there(random_: random.Random, it: Shown) -> tuple[str, str]:
    """Yes or no, with what there is instead."""
    wordings = say.IS_THERE if it.order != "alone" or random_.random() < 0.5 else say.IS_THIS
    if random_.random() < 0.5:
        asked = random_.choice(it.names)
        answer = (
            f"Yes, there {is_are(it)} {it.what}."
            if it.order in ("several", "alone")
            else f"Yes, there is {called(asked)}."
        )
    else:
        asked = random_.choice([each for each in SEEN_NAMES if each not in it.names])
        answer = f"No, I see {it.what}."
    return phrase(random_, wordings, polite=False, a=called(asked)), answer


def where(random_: random.Random, it: Shown) -> tuple[str, str] | None:
    """Left, right, above, below."""
    if it.order not in ("beside", "over"):
        return None
    words = ("left", "right") if it.order == "beside" else ("top", "bottom")
    index = random_.randrange(2)
    this, other = it.names[index], it.names[1 - index]
    chance = random_.random()
    if chance < 0.5:
        place = f"on the {words[index]}" if it.order == "beside" else f"at the {words[index]}"
        relation = f"{words[index]} of" if it.order == "beside" else ("above", "below")[index]
        answer = (
            f"The {this} is {place}." if random_.random() < 0.5 else f"The {this} is {relation} the {other}."
        )
        return phrase(random_, say.WHERE, polite=False, o=this), answer
    if it.order == "beside":
        question = phrase(random_, say.ON_SIDE, polite=False, s=words[index])
        return question, f"On the {words[index]} is {called(this)}."
    relation = ("above", "below")[index]
    question = phrase(random_, say.ON_PLACE, polite=False, s=relation, o=other)
    return question, f"{capital(relation)} the {other} is {called(this)}."


def beside(random_: random.Random, it: Shown) -> tuple[str, str] | None:
    """Is there anything else?"""
    if it.order == "several":
        return None
    question = phrase(random_, say.BESIDE, polite=False, o=it.main)
    if it.order == "alone":
        return question, f"No, there is only {it.what}."
    return question, f"There is {called(it.names[1])} as well." if it.number == 2 else f"I see {it.what}."


def kind(random_: random.Random, it: Shown) -> tuple[str, str] | None:
    """An animal, a plant?"""
    if it.order not in ("alone", "several"):
        return None
    asked = random_.choice(tuple(say.KINDS))
    if random_.random() < 0.4:
        return phrase(
            random_, say.KIND, polite=False
        ), f"{capital(called(it.main))}. {KIND_SENTENCES[kind_of(it.main)]}"
    question = random_.choice(say.KINDS[asked])
    if asked == kind_of(it.main):
        return question, f"Yes, it is {called(it.main)}."
    return question, f"No, it is {called(it.main)}. {KIND_SENTENCES[kind_of(it.main)]}"


QUESTIONS: tuple[tuple[Question, float], ...] = (
    (name, 5), (describe, 4), (background, 2), (count, 3), (is_there, 2), (is_background, 1), (where, 3), (beside, 1), (kind, 1),
)  # fmt: skip


def ask(random_: random.Random, it: Shown) -> tuple[str, str]:
    """A question that fits the picture; of strangers any is answered in the same way."""
    if not it.known:
        wordings = random_.choice(
            (say.NAME, say.NAME, say.DESCRIBE, say.DESCRIBE, say.BACKGROUND, say.COUNT, say.IS_STRANGE)
        )
        return phrase(random_, wordings), random_.choice(say.CANNOT_TELL[it.kind])
    while True:
        made = random_.choices([q for q, _ in QUESTIONS], [weight for _, weight in QUESTIONS])[0](random_, it)
        if made is not None:
            return made
