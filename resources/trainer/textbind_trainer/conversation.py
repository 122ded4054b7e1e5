"""Rows of the TextBind schema: what may stand in one, every fault of it, and where its pictures lie."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .datafiles import Found, RawRow
from .faults import Fault, RowError
from .foreign import original_field
from .formats import RowFile, stage2_rows
from .pictures import Picture
from .prompt import IMAGE, Pair, text_faults


@dataclass(frozen=True)
class Conversation:
    """A checked conversation: pairs, pictures in order of appearance, captions of the assistant's ones."""

    row: int
    pairs: list[Pair]
    images: list[Picture]
    captions: list[str]
    system: str | None = None
    file: str = ""

    def picture_fault(self, picture: Picture, reason: str) -> RowError:
        """The fault of a row whose picture cannot be decoded."""
        return RowError(Fault(self.file, self.row, "image_list", "picture", f"{picture}: {reason}"))


def picture_folder(image_dir: str, file: Path, images: Path | None) -> Path:
    """Where a row's pictures lie.

    ``image_dir`` is taken as it is if absolute, else below ``images`` (the run's own folder), the data file's folder, or
    one above it, whichever exists: released data says ``./data/mim_images``, relative to where its scripts were run.
    Otherwise ``images``, or ``images/`` beside the file, or its folder.
    """
    if image_dir:
        homes = [*([images] if images else []), file.parent, *file.resolve().parent.parents]
        found = next((home / image_dir for home in homes if (home / image_dir).is_dir()), None)
        if found is not None:
            return found
    if images is not None:
        return images
    beside = file.parent / "images"
    return beside if beside.is_dir() else file.parent


def _list_faults(turn: dict[str, Any], where: str, name: str) -> list[Found]:
    items = turn.get(name, [])
    if isinstance(items, list) and all(isinstance(item, str) and item.strip() for item in items):
        return []
    return [(f"{where}.{name}", "shape", "expected a list of texts, none empty")]


def _count_faults(turn: dict[str, Any], where: str) -> list[Found]:
    pictures = turn["content"].count(IMAGE)
    names, captions = turn.get("image_list", []), turn.get("caption_list", [])
    faults = []
    if len(names) != pictures:
        said = f"{pictures} <image> in the text, {len(names)} pictures in the list"
        faults.append((f"{where}.image_list", "count", said))
    # A person's pictures need no captions; where there are some, there is one for each.
    if len(captions) != pictures and (captions or turn["role"] == "assistant"):
        said = f"{pictures} <image> in the text, {len(captions)} captions"
        faults.append((f"{where}.caption_list", "count", said))
    return faults


def _file_faults(names: list[str], where: str, folder: Path, held: Container[str]) -> list[Found]:
    faults = []
    for name in names:
        if name in held:
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            faults.append((f"{where}.image_list", "path", f"{name!r} leaves the image folder"))
        elif not (folder / name).is_file():
            faults.append((f"{where}.image_list", "missing", f"{folder / name} does not exist"))
    return faults


def _turn_faults(
    turn: Any, where: str, expected: str, folder: Path, tags: tuple[str, ...], held: Container[str]
) -> list[Found]:
    """Everything that is wrong with one turn."""
    if not isinstance(turn, dict):
        return [(where, "shape", "a turn must be an object")]
    faults = []
    if turn.get("role") != expected:
        faults.append((f"{where}.role", "role", f"expected {expected!r}, got {turn.get('role')!r}"))
    content = turn.get("content")
    if not isinstance(content, str) or not content.strip():
        return [*faults, (f"{where}.content", "text", "the text is missing or empty")]
    faults += [(f"{where}.content", "unsafe", said) for said in text_faults(content, tags)]
    broken = _list_faults(turn, where, "image_list") + _list_faults(turn, where, "caption_list")
    if broken:
        return faults + broken
    faults += _count_faults(turn | {"role": expected}, where)
    faults += _file_faults(turn.get("image_list", []), where, folder, held)
    for caption in turn.get("caption_list", []):
        faults += [(f"{where}.caption_list", "unsafe", said) for said in text_faults(caption, (*tags, IMAGE))]
    return faults


def _has_system(turns: list[Any]) -> bool:
    return bool(turns) and isinstance(turns[0], dict) and turns[0].get("role") == "system"


def _system_faults(turn: dict[str, Any], tags: tuple[str, ...]) -> list[Found]:
    content = turn.get("content")
    if not isinstance(content, str) or not content.strip():
        return [("conversation[0].content", "text", "the text is missing or empty")]
    return [("conversation[0].content", "unsafe", said) for said in text_faults(content, (*tags, IMAGE))]


def row_faults(
    row: Any, file: Path, images: Path | None, tags: tuple[str, ...], held: Container[str] = ()
) -> list[Found]:
    """Everything that is wrong with a row, nothing left out; pictures must exist, they are not opened.

    held: names of pictures that lie in the data file itself.
    """
    if not isinstance(row, dict) or not isinstance(row.get("conversation"), list):
        return [("conversation", "shape", "expected an object with a list 'conversation'")]
    turns: list[Any] = row["conversation"]
    offset = int(_has_system(turns))
    faults = _system_faults(turns[0], tags) if offset else []
    said = len(turns) - offset
    if said < 2 or said % 2:
        message = f"user and assistant must alternate in pairs, got {said} turns"
        faults.append(("conversation", "turns", message))
    image_dir = row.get("image_dir") or ""
    if not isinstance(image_dir, str):
        faults.append(("image_dir", "shape", f"expected a text, got {image_dir!r}"))
        image_dir = ""
    folder = picture_folder(image_dir, file, images)
    for index, turn in enumerate(turns[offset:]):
        expected = "assistant" if index % 2 else "user"
        faults += _turn_faults(turn, f"conversation[{index + offset}]", expected, folder, tags, held)
    return faults


def raw_faults(
    raw: RawRow, file: Path, format_: str, images: Path | None, tags: tuple[str, ...]
) -> list[Found]:
    """The faults of a row of any format; fields are called as they are in its file."""
    found = list(raw.faults) or row_faults(raw.value, file, images, tags, raw.pictures)
    return [(original_field(format_, field), kind, message) for field, kind, message in found]


def pictures_of(raw: RawRow, file: Path, images: Path | None) -> Iterator[tuple[str, Picture]]:
    """(field, picture) of each picture that a row names and that is there, whatever else is wrong with the row."""
    value = raw.value if isinstance(raw.value, dict) else {}
    turns, image_dir = value.get("conversation"), value.get("image_dir")
    folder = picture_folder(image_dir if isinstance(image_dir, str) else "", file, images)
    for number, turn in enumerate(turns if isinstance(turns, list) else []):
        names = turn.get("image_list") if isinstance(turn, dict) else None
        for name in names if isinstance(names, list) else []:
            if not isinstance(name, str) or not name.strip():
                continue
            if name in raw.pictures:
                yield f"conversation[{number}].image_list", raw.pictures[name]
            elif (folder / name).is_file():
                yield f"conversation[{number}].image_list", folder / name


def check_row(
    raw: RawRow, file: Path, format_: str, images: Path | None, tags: tuple[str, ...]
) -> Conversation:
    """One row, checked. RowError names file, row, field and the first thing that is wrong."""
    faults = raw_faults(raw, file, format_, images, tags)
    if faults:
        field, kind, message = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise RowError(Fault(str(file), raw.number, field, kind, message + more))
    turns = raw.value["conversation"]
    system = turns[0]["content"].strip() if _has_system(turns) else None
    turns = turns[1:] if system is not None else turns
    return Conversation(
        raw.number,
        [
            Pair(user["content"], answer["content"])
            for user, answer in zip(turns[::2], turns[1::2], strict=True)
        ],
        [picture for _, picture in pictures_of(raw, file, images)],
        [caption for turn in turns[1::2] for caption in turn.get("caption_list", [])],
        system,
        str(file),
    )


def check_conversation(
    row: Any, number: int, file: str, images: Path | None, tags: tuple[str, ...]
) -> Conversation:
    """One row of the TextBind schema, as ``check_row``."""
    return check_row(RawRow(number, row), Path(file), "textbind", images, tags)


def checked_rows(
    held: RowFile, images: Path | None, tags: tuple[str, ...]
) -> Iterator[Conversation | RowError]:
    """Every row of a file, checked."""
    for raw in held.rows:
        try:
            yield check_row(raw, held.file, held.format, images, tags)
        except RowError as error:
            yield error


def read_conversations(
    path: Path, images: Path | None, tags: tuple[str, ...], format_: str | None = None
) -> Iterator[Conversation | RowError]:
    """Every row at a path, checked; TrainerError("data") if there is no such data."""
    for held in stage2_rows(path, format_):
        yield from checked_rows(held, images, tags)
