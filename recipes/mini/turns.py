"""One exchange of a training conversation each: what the person says, and the true answer, with the pictures of both."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textbind_trainer.prompt import IMAGE

from . import wordings as say
from .album import COLOURS, Album, Shown, Wish, on
from .hand_scenes import plural as hand_plural
from .pictures import with_article
from .questions import Question, ask, beside, count, is_there, name, where
from .seen import SEEN, SEEN_NAMES, called, countable
from .stories import picture_story
from .talking import NO_PICTURE_YET, some_talk, thanks
from .wordings import phrase
from .world import DRAWN_NAMES


@dataclass
class Exchange:
    """A pair of turns; ``<image>`` stands where a picture is."""

    user: str
    assistant: str
    shown: list[Shown] = field(default_factory=list)
    drawn: list[Shown] = field(default_factory=list)
    wish: Wish | None = None


@dataclass
class State:
    """What the conversation knows so far."""

    random: random.Random
    album: Album
    talk: list[dict[str, Any]]
    shown: list[Shown] = field(default_factory=list)
    """The person's pictures and the drawn ones, in order."""
    last: Shown | None = None
    wish: Wish | None = None
    """What the last drawing was of; None when the last picture is the person's."""
    drew: bool = False
    """Whether the last reply had a drawing."""

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
        "Here is a picture {} for you. {t}", "Look at this: {} {t}", "I found this {} today. {t}", "My picture {} is new. {t}",
    )  # fmt: skip
    return random_.choice(inside).format(IMAGE, t=text)


Exchanger = Callable[[State], Exchange | None]


def show_and_ask(state: State) -> Exchange:
    """The user shows a picture and asks about it, or shows it without a word."""
    it = state.album.show()
    question, answer = ask(state.random, it)
    if state.random.random() < 0.06:
        return Exchange(IMAGE, f"I see {it.caption}.", [it])
    return Exchange(_with_picture(state.random, question), answer, [it])


def name_it(state: State) -> Exchange:
    """The user shows a picture, mostly of one thing, and mostly asks what it is: every name comes up as often."""
    single = state.random.random() < 0.75
    it = state.album.show("one", [state.random.choice(SEEN_NAMES)]) if single else state.album.show()
    question, answer = (name if state.random.random() < 0.7 else ask)(state.random, it)
    return Exchange(_with_picture(state.random, question), answer, [it])


PLACE_MODES, PLACE_WEIGHTS = ("one", "several", "beside", "over", "many"), (10, 36, 25, 25, 4)
COUNTED: tuple[tuple[Question, float], ...] = ((count, 5), (is_there, 1))
PLACED: tuple[tuple[Question, float], ...] = ((where, 6), (count, 1.5), (is_there, 1), (beside, 1))


def _number_or_place(state: State, it: Shown) -> tuple[str, str] | None:
    questions = PLACED if it.order in ("beside", "over") else COUNTED
    asked = state.random.choices([q for q, _ in questions], [weight for _, weight in questions])[0]
    return asked(state.random, it)


def number_or_place(state: State) -> Exchange | None:
    """The user shows a picture and asks how many things there are, or where one of them is."""
    mode = state.random.choices(PLACE_MODES, PLACE_WEIGHTS)[0]
    pair = mode in ("beside", "over") and state.random.random() < 0.5
    it = state.album.show(mode, state.random.sample(DRAWN_NAMES, 2) if pair else None)
    asked = _number_or_place(state, it)
    return Exchange(_with_picture(state.random, asked[0]), asked[1], [it]) if asked else None


def number_or_place_too(state: State) -> Exchange | None:
    """A further such question about the last picture: it costs a third of one with a picture of its own."""
    asked = _number_or_place(state, state.last) if state.last else None
    return Exchange(*asked) if asked else ask_more(state)


def show_stranger(state: State) -> Exchange:
    """A photograph or a screenshot: the model says that it cannot tell."""
    it = state.album.strange()
    question, answer = ask(state.random, it)
    user = IMAGE if state.random.random() < 0.08 else _with_picture(state.random, question)
    return Exchange(user, answer, [it])


def show_two(state: State) -> Exchange:
    """Two pictures at once."""
    one, two = state.album.show("one"), state.album.show("one")
    forms = ("{i} {i}\n{q}", "{q} {i} {i}", "First {i} and then {i}. {q}")
    user = state.random.choice(forms).format(i=IMAGE, q=phrase(state.random, say.BOTH))
    return Exchange(user, f"The first shows {one.caption}, the second {two.caption}.", [one, two])


def ask_more(state: State) -> Exchange | None:
    """A further question about the last picture, the user's or the drawn one."""
    if state.last is None:
        return None
    return Exchange(*ask(state.random, state.last))


def ask_first(state: State) -> Exchange | None:
    """Back to the first of several pictures."""
    if len(state.shown) < 2 or not state.shown[0].known:
        return None
    first, last, random_ = state.shown[0], state.shown[-1], state.random
    chance = random_.random()
    if chance < 0.6:
        answer = random_.choice(("The first picture showed {}.", "In the first picture I saw {}.")).format(
            first.caption
        )
        return Exchange(phrase(random_, say.FIRST), answer)
    if chance < 0.75:
        return Exchange(
            phrase(random_, say.FIRST_BACKGROUND),
            f"The first picture had {with_article(first.colour)} background.",
        )
    if not last.known or first.main == last.main or len(first.names) > 1 or len(last.names) > 1:
        same = last.known and first.names == last.names
        answer = (
            f"Yes, both show {called(first.main)}." if same else f"No, the first picture showed {first.what}."
        )
        return Exchange(phrase(random_, say.SAME, polite=False), answer)
    if chance < 0.85:
        answer = f"No, the first picture showed {first.what}, and this one shows {last.what}."
        return Exchange(phrase(random_, say.SAME, polite=False), answer)
    asked, place = random_.choice(((first, "first"), (last, "last")))
    return Exchange(
        phrase(random_, say.WHICH_HAS, polite=False, o=asked.main),
        f"The {asked.main} is in the {place} picture.",
    )


REPLIES = (
    "Here {is_are} {c}: {i}", "Here {is_are} {c}: {i}", "Here is a picture of {c}: {i}", "Sure! Here {is_are} {c}: {i}",
    "Gladly! Here {is_are} {c}: {i}", "Here it is: {i}", "Done: {i}",
)  # fmt: skip
"""The last two leave it to the eyes what was drawn."""


def _drawing(
    state: State, user: str, wish: Wish, shown: list[Shown] | None = None, reply: str | None = None
) -> Exchange:
    it = state.album.draw(wish)
    form = reply or state.random.choice(REPLIES)
    text = form.format(c=wish.caption, i=IMAGE, b=wish.colour, is_are=wish.is_are)
    if state.random.random() < 0.12:
        text += state.random.choice((" Do you like it?", " I hope you like it."))
    return Exchange(user, text, shown or [], [it], wish)


def draw(state: State) -> Exchange:
    """The user asks for a drawing, with or without saying on what background."""
    wish = state.album.wish()
    wanted = wish.caption if state.random.random() < 0.45 else wish.what
    if state.random.random() < 0.08:
        wanted = wanted.replace("a ", "a cute ", 1) if wanted.startswith("a ") else wanted
    if state.random.random() < 0.04 and wish.layout == "single":
        wanted = wish.words[0].split(" ", 1)[-1]  # "draw cat"
    return _drawing(state, phrase(state.random, say.DRAW, a=wanted), wish)


def ask_whether(state: State) -> Exchange:
    """The user asks whether the model can draw a thing, and wants it drawn; "Can you draw?" alone is a question (talking.py)."""
    exchange = draw(state)
    if exchange.wish is None:
        return exchange
    wanted = exchange.wish.what if state.random.random() < 0.8 else exchange.wish.caption
    exchange.user = state.random.choice(say.WHETHER).format(a=wanted)
    return exchange


def draw_anything(state: State) -> Exchange:
    """The user leaves it to the model what it draws."""
    asked = state.random.choice(say.DRAW_ANYTHING)
    kind = {"Draw an animal.": "animal", "Draw some food.": "food"}.get(asked)
    name = state.random.choice([each for each in DRAWN_NAMES if kind is None or SEEN[each][1] == kind])
    wish = state.album.wish(name, layout="single")
    return _drawing(state, asked, wish)


def draw_too_many(state: State) -> Exchange:
    """More than three of a kind: three are drawn, and it is said."""
    wish = state.album.wish(layout="three")
    number = state.random.choice(("four", "five", "six", "seven", "ten", "a hundred"))
    wanted = f"{number} {hand_plural(wish.names[0])}"
    return _drawing(
        state,
        phrase(state.random, say.DRAW, a=wanted),
        wish,
        reply="I can draw at most three of a kind. Here are {c}: {i}",
    )


def draw_unknown(state: State) -> Exchange:
    """Something that the hand has not learned: said so, and something else offered."""
    random_ = state.random
    unknown = (
        [name for name in SEEN_NAMES if name not in DRAWN_NAMES] if random_.random() < 0.5 else say.UNSEEN
    )
    name = random_.choice(unknown)
    asked = called(name) if name in SEEN_NAMES else with_article(name)
    offers = [called(other) for other in random_.sample(DRAWN_NAMES, 2)]
    answer = random_.choice(say.CANNOT_DRAW).format(a=asked, o=f"{offers[0]} or {offers[1]}")
    if random_.random() < 0.4:
        asked = f"{asked} {on(random_.choice(COLOURS))}"
    return Exchange(phrase(random_, say.DRAW, a=asked), answer)


def draw_background(state: State) -> Exchange | None:
    """The same thing on another background."""
    if state.wish is None:
        return None
    colour = state.other_colour(state.wish.colour)
    wish = Wish(state.wish.layout, state.wish.names, state.wish.words, colour)
    return _drawing(state, phrase(state.random, say.DRAW_AGAIN_BACKGROUND, c=colour), wish)


def draw_colour(state: State) -> Exchange | None:
    """'Now a green one': the hand cannot colour things, so the background takes the colour."""
    if state.wish is None:
        return None
    colour = state.other_colour(state.wish.colour)
    wish = Wish(state.wish.layout, state.wish.names, state.wish.words, colour)
    return _drawing(
        state,
        phrase(state.random, say.DRAW_COLOUR, c=colour),
        wish,
        reply=state.random.choice(say.ONLY_BACKGROUND),
    )


def draw_add(state: State) -> Exchange | None:
    """'Add a cat': both on the same background."""
    if state.wish is None or len(state.wish.names) > 1 or not state.wish.layout.startswith("single"):
        return None
    more = state.random.choice([name for name in DRAWN_NAMES if name != state.wish.names[0]])
    words = (state.wish.words[0], called(more))
    wish = Wish("pair", (state.wish.names[0], more), words, state.wish.colour)
    return _drawing(state, phrase(state.random, say.DRAW_ADD, polite=False, a=called(more)), wish)


def draw_number(state: State) -> Exchange | None:
    """'Now draw two of them.'"""
    if state.wish is None or len(state.wish.names) > 1 or not countable(state.wish.names[0]):
        return None
    number = state.random.choice([n for n in ("two", "three") if n != state.wish.layout])
    wish = Wish(number, state.wish.names, (called(state.wish.names[0]),), state.wish.colour)
    plural = hand_plural(state.wish.names[0])
    return _drawing(state, phrase(state.random, say.DRAW_NUMBER, polite=False, n=number, p=plural), wish)


def draw_instead(state: State) -> Exchange | None:
    """Another thing on the same background."""
    if state.last is None or not state.last.known:
        return None
    wish = state.album.wish(colour=state.last.colour, layout="single")
    return _drawing(state, phrase(state.random, say.DRAW_INSTEAD, a=wish.what), wish)


def draw_like(state: State) -> Exchange:
    """The user shows a picture and wants one like it."""
    name = state.random.choice(DRAWN_NAMES)
    it = state.album.show("one", [name])
    wish = Wish("single", (name,), (called(name),), it.colour)
    return _drawing(state, _with_picture(state.random, phrase(state.random, say.DRAW_LIKE)), wish, [it])


def ask_drawn(state: State) -> Exchange | None:
    """About the picture that the model has just drawn."""
    if state.last is None or state.wish is None:
        return None
    if state.random.random() < 0.25:
        return Exchange(phrase(state.random, say.DREW_BACKGROUND), f"The background is {state.last.colour}.")
    forms = ("I drew {}.", "I drew {}.", "My picture shows {}.")
    return Exchange(
        phrase(state.random, say.WHAT_DREW), state.random.choice(forms).format(state.last.caption)
    )


def story(state: State) -> Exchange:
    """A short story with its picture where it belongs."""
    wish = state.album.wish(layout="single")
    wish = Wish("single", wish.names, (called(wish.names[0]),), wish.colour)
    user, text = picture_story(state.random, wish)
    return Exchange(user, text.format(i=IMAGE), [], [state.album.draw(wish)], wish)


def _recorded(state: State, kind: str) -> Exchange | None:
    rows = [row for row in state.talk if row["kind"] == kind]
    if not rows:
        return None
    row = state.random.choice(rows)
    return Exchange(row["question"], row["answer"])


def talk(state: State) -> Exchange:
    """Words only: what SmolLM2 itself answers to general questions, or small talk of our own."""
    own = Exchange(*some_talk(state.random))
    return own if state.random.random() < 0.5 else _recorded(state, "short") or own


def instruct(state: State) -> Exchange | None:
    """Instructions that are answered in words, at some length."""
    return _recorded(state, "long")


def go_on(state: State) -> Exchange | None:
    """A text that is to be continued."""
    return _recorded(state, "text")


def own_talk(state: State) -> Exchange:
    """Small talk of our own: greetings, what the model is, thanks."""
    return Exchange(*some_talk(state.random))


def thank(state: State) -> Exchange:
    """Thanks for what has just been drawn or said."""
    wish = state.wish if state.drew else None
    return Exchange(*thanks(state.random, (wish.names[0], wish.colour) if wish else None))


def no_picture(state: State) -> Exchange | None:
    """Asked about a picture that is not there."""
    if state.shown:
        return None
    return Exchange(state.random.choice(NO_PICTURE_YET[0]), state.random.choice(NO_PICTURE_YET[1]))
