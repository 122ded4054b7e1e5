"""Others' rows put into the TextBind schema, as the released code does it (process_instruction_data.py).

Each function takes one row and gives the TextBind one; ``Unusable`` says which field is wrong. What is checked here is
only what the conversion itself needs: the result goes through the same checks as any row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .prompt import IMAGE

Row = dict[str, Any]
MINIGPT4_REQUEST = (
    f"{IMAGE}\nDescribe this image in detail. Give as many details as possible. Say everything you see."
)
ALPACA_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)
"""The prompts that MiniGPT-4's and Alpaca's data are made for."""


class Unusable(ValueError):
    """A row that cannot be converted: the field, the kind of fault, and what is wrong."""

    def __init__(self, field: str, kind: str, message: str):
        super().__init__(f"{field}: {message}")
        self.found = (field, kind, message)


def _text(row: Mapping[str, Any], name: str, *others: str) -> str:
    for each in (name, *others):
        if each in row:
            if isinstance(row[each], str):
                return row[each]
            raise Unusable(each, "text", f"expected a text, got {type(row[each]).__name__}")
    raise Unusable(name, "missing", "it is missing")


def _object(row: Any) -> Row:
    if not isinstance(row, dict):
        raise Unusable("", "shape", f"expected an object, got {type(row).__name__}")
    return row


def _turn(role: str, content: str, pictures: list[str] | None = None) -> Row:
    return {"role": role, "content": content, "image_list": pictures or [], "caption_list": []}


def _pair(user: str, answer: str, pictures: list[str] | None = None, folder: str = "") -> Row:
    row: Row = {"conversation": [_turn("user", user, pictures), _turn("assistant", answer)]}
    return row | ({"image_dir": folder} if folder else {})


def _names(held: Any) -> list[str]:
    """A row's pictures: none, one name, or a list of them."""
    listed = [] if held is None or held == "" else held if isinstance(held, list) else [held]
    if not all(isinstance(name, str) and name for name in listed):
        raise Unusable("image", "shape", "expected the name of a picture, or a list of names")
    return listed


ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def from_llava(row: Any) -> Row:
    """``{"image": name or names, "conversations": [{"from": "human" | "gpt", "value"}]}``.

    One picture stands wherever ``<image>`` is written; of several each ``<image>`` takes the next.
    """
    row = _object(row)
    turns = row.get("conversations")
    if not isinstance(turns, list):
        raise Unusable("conversations", "missing", "expected a list of turns")
    names = _names(row.get("image"))
    conversation, shown = [], 0
    for number, turn in enumerate(turns):
        where = f"conversations[{number}]"
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
            raise Unusable(f"{where}.value", "text", "expected a text")
        role = ROLES.get(str(turn.get("from")))
        if role is None:
            raise Unusable(f"{where}.from", "role", f"got {turn.get('from')!r}, expected 'human' or 'gpt'")
        places = turn["value"].count(IMAGE)
        pictures = names * places if len(names) == 1 else names[shown : shown + places]
        shown += places
        conversation.append(_turn(role, turn["value"], pictures))
    if names and (shown == 0 or (len(names) > 1 and shown != len(names))):
        raise Unusable("image", "count", f"{shown} <image> in the texts, {len(names)} pictures named")
    return {"conversation": conversation}


def from_minigpt4(row: Any) -> Row:
    """An annotation ``{"image_id", "caption"}`` of MiniGPT-4's second stage; the picture is ``image_id``.jpg."""
    row = _object(row)
    name = row.get("image_id")
    if not isinstance(name, (str, int)) or name == "":
        raise Unusable("image_id", "missing", "expected the number of a picture")
    return _pair(MINIGPT4_REQUEST, _text(row, "caption"), [f"{name}.jpg"])


def _without_places(text: str) -> str:
    """Shikra's marks of where an object's box goes, taken out with the spaces that they leave."""
    for was, now in (("<ph_st>", ""), ("<ph_ed>", ""), ("  ", ""), (" ,", ","), (" .", ".")):
        text = text.replace(was, now)
    return text


def from_shikra(row: Any) -> Row:
    """``{"img_path", "question", "cot_with_ans"}`` of Shikra's GPT-4 generated data."""
    row = _object(row)
    question = _without_places(_text(row, "question"))
    return _pair(
        f"{IMAGE}\n{question}", _without_places(_text(row, "cot_with_ans")), [_text(row, "img_path")]
    )


def from_m3it(row: Any) -> Row:
    """``{"instruction", "inputs", "outputs", "image_base64_str"}`` of M3IT; the pictures lie in the row."""
    row = _object(row)
    held = row.get("image_base64_str", row.get("image_str")) or []
    count = 1 if isinstance(held, str) else len(held)
    inputs = _text(row, "inputs", "input") if "inputs" in row or "input" in row else ""
    asked = "\n".join(part for part in (_text(row, "instruction").strip(), inputs.strip()) if part)
    user = f"{IMAGE}\n" * count + asked
    return _pair(user, _text(row, "outputs", "output"), [f"#{number}" for number in range(count)])


def from_multi_instruct(row: Any) -> Row:
    """``{"image_path", "prompt", "target"}`` of MultiInstruct."""
    row = _object(row)
    return _pair(f"{IMAGE}\n{_text(row, 'prompt')}", _text(row, "target"), [_text(row, "image_path")])


def from_alpaca(row: Any) -> Row:
    """``{"instruction", "input", "output"}`` without pictures: Alpaca and Platypus."""
    row = _object(row)
    fields = {
        "instruction": _text(row, "instruction"),
        "input": _text(row, "input") if row.get("input") else "",
    }
    prompt = ALPACA_WITH_INPUT if fields["input"] else ALPACA
    # A text of a set without pictures that says <image> means no picture.
    return _pair(prompt.format_map(fields).replace(IMAGE, ""), _text(row, "output").replace(IMAGE, ""))


def mended(row: Any) -> Row:
    """A TextBind row with what can be mended safely: numbered tags out of captions, an unanswered last turn left out.

    The recipe's own files have both; the released code does the same before it trains (process_mim).
    """
    row = _object(row)
    turns = row.get("conversation")
    if not isinstance(turns, list):
        raise Unusable("conversation", "shape", "expected an object with a list 'conversation'")
    if turns and isinstance(turns[-1], dict) and turns[-1].get("role") == "user":
        turns = turns[:-1]
    clean = []
    for turn in turns:
        captions = turn.get("caption_list") if isinstance(turn, dict) else None
        if isinstance(captions, list):
            kept = [re.sub(r"</?img\d+>", "", c).strip() if isinstance(c, str) else c for c in captions]
            turn = turn | {"caption_list": kept}
        clean.append(turn)
    return row | {"conversation": clean}


CONVERTERS: dict[str, Callable[[Any], Row]] = {
    "llava": from_llava,
    "minigpt4": from_minigpt4,
    "shikra": from_shikra,
    "m3it": from_m3it,
    "multi-instruct": from_multi_instruct,
    "alpaca": from_alpaca,
}
"""Formats that become TextBind rows one by one."""

FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "llava": ((r"^conversation\b", "conversations"), (r"\.content$", ".value"), (r".*\.image_list$", "image")),
    "minigpt4": ((r".*\.image_list$", "image_id"), (r"^conversation\[1\].*", "caption")),
    "shikra": (
        (r".*\.image_list$", "img_path"), (r"^conversation\[0\].*", "question"), (r"^conversation\[1\].*", "cot_with_ans")
    ),
    "m3it": (
        (r".*\.image_list$", "image_base64_str"), (r"^conversation\[0\].*", "instruction"),
        (r"^conversation\[1\].*", "outputs"),
    ),
    "multi-instruct": (
        (r".*\.image_list$", "image_path"), (r"^conversation\[0\].*", "prompt"), (r"^conversation\[1\].*", "target")
    ),
    "alpaca": ((r"^conversation\[0\].*", "instruction"), (r"^conversation\[1\].*", "output")),
}  # fmt: skip
"""What a field of the TextBind row was called in the file, as patterns in order: faults are named as the file has it."""


def original_field(format_: str, field: str) -> str:
    """The name that a fault's field has in a file of a format."""
    for pattern, name in FIELDS.get(format_, ()):
        field = re.sub(pattern, name, field)
    return field
