"""TextBind-style conversations over composed pictures, written by rules, true by construction.

Each intent (turns.py) turns what is known (pictures shown and drawn so far) into one exchange. The assistant draws
only when asked; what it draws is a scene of the hand whose caption says what was asked for.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textbind_trainer.events import emit
from textbind_trainer.files import write_json

from .album import Album, Shown
from .pictures import fetch_pictures
from .questions import capital
from .strangers import photographs
from .talking import introduced
from .turns import (
    Exchange,
    Exchanger,
    State,
    ask_drawn,
    ask_first,
    ask_more,
    ask_whether,
    draw,
    draw_add,
    draw_anything,
    draw_background,
    draw_colour,
    draw_instead,
    draw_like,
    draw_number,
    draw_too_many,
    draw_unknown,
    go_on,
    instruct,
    name_it,
    no_picture,
    number_or_place,
    number_or_place_too,
    own_talk,
    show_and_ask,
    show_stranger,
    show_two,
    story,
    talk,
    thank,
)

BEGIN: tuple[tuple[Exchanger, float], ...] = (
    (show_and_ask, 7), (show_two, 0.6), (show_stranger, 1.3), (draw, 4.0), (draw_anything, 0.3), (draw_unknown, 0.8), (draw_too_many, 0.12), (draw_like, 0.4),
    (talk, 3.0), (instruct, 2.4), (own_talk, 2.0), (no_picture, 0.4), (story, 0.5),
)  # fmt: skip
GO_ON: tuple[tuple[Exchanger, float], ...] = (
    (ask_more, 3), (ask_drawn, 3.5), (draw_background, 1.5), (draw_colour, 0.7), (draw_add, 0.7), (draw_number, 0.6), (draw_instead, 1),
    (draw, 2.2), (show_and_ask, 1.6), (ask_first, 2.2), (draw_unknown, 0.3), (draw_like, 0.2), (talk, 1.6), (instruct, 1.0), (own_talk, 1.2),
    (thank, 1.8), (show_stranger, 0.3), (story, 0.2),
)  # fmt: skip
PLANS: tuple[tuple[tuple[Exchanger, ...], float], ...] = (
    ((), 70), ((show_and_ask, show_and_ask, ask_first), 6), ((draw, show_and_ask, ask_first), 1.5), ((show_and_ask, draw, ask_first), 1.5),
    ((draw, ask_drawn), 4), ((draw_anything, ask_drawn), 2), ((draw, thank), 3), ((show_and_ask, thank), 2), ((talk, thank), 1.5), ((instruct, thank), 1.5),
    ((draw, thank, draw), 1), ((own_talk, draw), 2), ((own_talk, show_and_ask), 1), ((draw, instruct), 1.5), ((show_and_ask, instruct), 1), ((instruct, draw), 1),
)  # fmt: skip
"""How conversations begin: mostly anyhow; some as people often go on, which chance alone would bring up too seldom."""


def _next(state: State, choices: tuple[tuple[Exchanger, float], ...], planned: Exchanger | None) -> Exchange:
    exchange = planned(state) if planned else None
    while exchange is None:
        make = state.random.choices([c for c, _ in choices], [weight for _, weight in choices])[0]
        exchange = make(state)
    return exchange


def _note(state: State, exchange: Exchange) -> None:
    """What the conversation knows after an exchange."""
    pictures = [*exchange.shown, *exchange.drawn]
    state.drew = bool(exchange.drawn)
    if pictures:
        state.shown += pictures
        state.last = pictures[-1]
        state.wish = exchange.wish if exchange.drawn else None


def conversation(state: State, pictures_at_most: int = 3) -> dict[str, Any]:
    """One conversation in the TextBind schema, of one to five exchanges."""
    plan = list(state.random.choices([plan for plan, _ in PLANS], [weight for _, weight in PLANS])[0])
    length = max(len(plan), state.random.choices((1, 2, 3, 4, 5), (36, 34, 18, 8, 4))[0])
    turns: list[dict[str, Any]] = []
    pictures = 0
    if state.random.random() < 0.02:
        for said, answer in introduced(state.random):
            turns += [_turn("user", said, []), _turn("assistant", answer, [])]
    while len(turns) < 2 * length:
        exchange = _next(state, GO_ON if turns else BEGIN, plan.pop(0) if plan else None)
        if pictures + len(exchange.shown) + len(exchange.drawn) > pictures_at_most:
            continue
        pictures += len(exchange.shown) + len(exchange.drawn)
        turns.append(_turn("user", exchange.user, exchange.shown))
        turns.append(_turn("assistant", exchange.assistant, exchange.drawn))
        _note(state, exchange)
    return {"conversation": turns}


def _turn(role: str, content: str, pictures: list[Shown]) -> dict[str, Any]:
    return {
        "role": role,
        "content": capital(content) if role == "assistant" else content,
        "image_list": [it.file for it in pictures],
        "caption_list": [it.caption for it in pictures],
    }


LESSONS: tuple[tuple[Exchanger, float], ...] = (
    (name_it, 38), (number_or_place, 20), (show_stranger, 5), (show_and_ask, 4), (draw, 5), (ask_whether, 5), (own_talk, 6), (talk, 4), (instruct, 3),
    (go_on, 10),
)  # fmt: skip
LESSON_PLANS: tuple[tuple[tuple[Exchanger | None, ...], float], ...] = (
    ((None,), 76), ((number_or_place, number_or_place_too), 14), ((show_and_ask, show_and_ask, ask_first), 5), ((show_and_ask, ask_whether), 3),
    ((draw, ask_drawn), 2),
)  # fmt: skip


def lesson(state: State) -> dict[str, Any]:
    """What whole conversations teach too seldom: mostly one exchange about one picture. Rare names are copied from the picture's
    embeddings only after many of them."""
    turns: list[dict[str, Any]] = []
    for planned in state.random.choices(
        [plan for plan, _ in LESSON_PLANS], [weight for _, weight in LESSON_PLANS]
    )[0]:
        exchange = _next(state, LESSONS, planned)
        turns.append(_turn("user", exchange.user, exchange.shown))
        turns.append(_turn("assistant", exchange.assistant, exchange.drawn))
        _note(state, exchange)
    return {"conversation": turns}


def write_conversations(
    album: Album,
    out: Path,
    count: int,
    talk_rows: list[dict[str, Any]],
    make: Callable[[State], dict[str, Any]],
) -> Path:
    """``OUT/<split>.json``; the album writes the pictures."""
    rows = []
    for number in range(count):
        rows.append(make(State(album.random, album, talk_rows)))
        if number % 500 == 0:
            emit("progress", step="conversations", split=album.split, done=number, of=count)
    write_json(out / f"{album.split}.json", rows)
    return out / f"{album.split}.json"


def main(argv: list[str] | None = None) -> int:
    """Command: write training and validation conversations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--screens", type=Path, required=True, help="folder of screenshots")
    parser.add_argument(
        "--talk", type=Path, nargs="*", default=[], help="JSON of small_talk.py, of going_on.py"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lessons", action="store_true", help="lessons, mostly of one exchange each")
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--validation", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    pictures = fetch_pictures(arguments.pictures)
    photos, screens = photographs(arguments.photos), photographs(arguments.screens)
    talk_rows = [row for path in arguments.talk for row in json.loads(path.read_text(encoding="utf-8"))]
    (arguments.out / "images").mkdir(parents=True, exist_ok=True)
    for split, count in (("training", arguments.count), ("validation", arguments.validation)):
        random_ = random.Random(f"conversations {split} {arguments.seed}")
        album = Album(pictures, arguments.out / "images", split, random_, photos, screens)
        write_conversations(
            album, arguments.out, count, talk_rows, lesson if arguments.lessons else conversation
        )
    emit("finished", step="conversations", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
