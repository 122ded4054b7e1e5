"""Training data of both stages: from rows on disk to examples with their pictures' pixels."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from .batch import Example, build_example
from .faults import Fault, RowError, TrainerError
from .images import ImageProcessor, decode_image
from .prompt import IMAGE, Pair, PromptError, check_text, encode_caption, encode_conversation, unsafe_tags
from .tars import TarSample, TarSequence, expand_braces

_REQUESTS = (
    "Describe the picture in a few words.",
    "Give a short description of this picture.",
    "What does the picture show, in short?",
    "Write a brief caption for this image.",
    "Summarise this image in one line.",
    "Say briefly what can be seen here.",
    "Provide a short caption.",
    "What is in this image? Keep it short.",
    "Tell me in a few words what this shows.",
    "Caption this picture.",
)
TEMPLATES = tuple([f"{IMAGE} {text}" for text in _REQUESTS] + [f"{text} {IMAGE}" for text in _REQUESTS])
"""The 20 requests of stage 1: ten wordings, the picture in front or behind."""


@dataclass(frozen=True)
class Tokens:
    """The tokenizer with what building an example needs to know."""

    tokenizer: Any
    image_id: int
    start_id: int
    queries: int
    limit: int

    def example(self, pairs: list[Pair], captions: list[str]) -> Example:
        """Encode pairs and the captions of the assistant's pictures."""
        segments = encode_conversation(self.tokenizer, pairs, self.queries)
        return build_example(
            segments,
            [encode_caption(self.tokenizer, caption) for caption in captions],
            image_id=self.image_id,
            start_id=self.start_id,
            queries=self.queries,
            limit=self.limit,
        )


@dataclass(frozen=True)
class Sample:
    """An example and the pixels [3, size, size] of the pictures it shows, in order of appearance."""

    example: Example
    pixels: list[Tensor]


class Source(Protocol):
    """Data of a run: sample n is a pure function of the run's seed and n (exact resume rests on it)."""

    samples_per_epoch: int

    def sample(self, position: int) -> Sample | None:
        """The sample at a position, or None if its row is unusable (it is counted, the run goes on)."""

    def validation(self) -> Iterator[Sample]:
        """The held-back samples, the same each time."""


class CaptionTars:
    """Stage 1: picture-caption pairs in WebDataset tars (jpg / png / webp, txt, json)."""

    def __init__(
        self, data: dict, tokens: Tokens, processor: ImageProcessor, seed: int, on_skip: Callable[[str], None]
    ):
        base = Path(data["base"])
        paths = [base / name for pattern in _patterns(data, "tars") for name in expand_braces(pattern)]
        self.sequence = TarSequence(paths, seed, data.get("samplesPerEpoch"))
        self.samples_per_epoch = self.sequence.samples_per_epoch
        held = data.get("validationTars")
        held_paths = (
            [base / name for pattern in _patterns(data, "validationTars") for name in expand_braces(pattern)]
            if held
            else []
        )
        self._held = TarSequence(held_paths, seed) if held_paths else None
        self._held_count = (
            min(data.get("validationSamples", 256), self._held.samples_per_epoch) if self._held else 0
        )
        self.tokens, self.processor, self.seed, self.on_skip = tokens, processor, seed, on_skip
        self._tags = unsafe_tags(tokens.tokenizer)

    def sample(self, position: int) -> Sample | None:
        return self._build(self.sequence[position], random.Random(f"{self.seed} template {position}"))

    def validation(self) -> Iterator[Sample]:
        for position in range(self._held_count):
            built = self._build(self._held[position], random.Random(position))
            if built:
                yield built

    def _build(self, row: TarSample, random_: random.Random) -> Sample | None:
        try:
            ending = row.picture_ending()
            if ending is None or "txt" not in row.parts:
                raise ValueError("no picture" if ending is None else "no txt")
            caption = row.read("txt").decode("utf-8").strip()
            if not caption:
                raise ValueError("the caption is empty")
            check_text(caption, (*self._tags, IMAGE), "txt")
            image = decode_image(row.read(ending))
        except (ValueError, UnicodeDecodeError) as error:
            self.on_skip(f"{row.tar.name}, {row.key}: {error}")
            return None
        template = random_.choice(TEMPLATES)
        example = self.tokens.example([Pair(template, caption)], [])
        return Sample(example, [self.processor.pixels(image)])


def _patterns(data: dict, name: str) -> list[str]:
    value = data.get(name)
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list) or not patterns or not all(isinstance(item, str) for item in patterns):
        raise TrainerError("config", f"data.{name}: expected a path or a list of paths, got {value!r}")
    return patterns


@dataclass(frozen=True)
class Conversation:
    """A checked conversation: pairs, pictures in order of appearance, captions of the assistant's ones."""

    row: int
    pairs: list[Pair]
    images: list[Path]
    captions: list[str]


def _turn_fault(turn: Any, number: int, image_dir: Path) -> tuple[str, str, str] | None:
    """(field, kind, message) of the first thing that is wrong with a turn."""
    where = f"conversation[{number}]"
    expected = "assistant" if number % 2 else "user"
    if not isinstance(turn, dict):
        return where, "shape", "a turn must be an object"
    if turn.get("role") != expected:
        return f"{where}.role", "role", f"expected {expected!r}, got {turn.get('role')!r}"
    content = turn.get("content")
    if not isinstance(content, str) or not content.strip():
        return f"{where}.content", "text", "the text is missing or empty"
    for name in ("image_list", "caption_list"):
        items = turn.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
            return f"{where}.{name}", "shape", "expected a list of texts, none empty"
    pictures, names, captions = content.count(IMAGE), turn.get("image_list", []), turn.get("caption_list", [])
    if pictures != len(names):
        return (
            f"{where}.image_list",
            "count",
            f"{pictures} <image> in the text, {len(names)} pictures in the list",
        )
    if expected == "assistant" and len(captions) != pictures:
        return f"{where}.caption_list", "count", f"{pictures} <image> in the text, {len(captions)} captions"
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            return f"{where}.image_list", "path", f"{name!r} leaves the image folder"
        if not (image_dir / name).is_file():
            return f"{where}.image_list", "missing", f"{image_dir / name} does not exist"
    return None


def check_conversation(row: Any, number: int, file: str, images: Path, tags: tuple[str, ...]) -> Conversation:
    """One row of the TextBind schema, checked. RowError names file, row, field and what is wrong."""

    def fail(field: str, kind: str, message: str) -> RowError:
        return RowError(Fault(file, number, field, kind, message))

    if not isinstance(row, dict) or not isinstance(row.get("conversation"), list):
        raise fail("conversation", "shape", "expected an object with a list 'conversation'")
    turns = row["conversation"]
    if len(turns) < 2 or len(turns) % 2:
        raise fail(
            "conversation", "turns", f"user and assistant must alternate in pairs, got {len(turns)} turns"
        )
    folder = row.get("image_dir") or ""
    if not isinstance(folder, str) or Path(folder).is_absolute() or ".." in Path(folder).parts:
        raise fail("image_dir", "path", f"{folder!r} is not a folder inside the data's image folder")
    pairs, paths, captions = [], [], []
    for index, turn in enumerate(turns):
        fault = _turn_fault(turn, index, images / folder)
        if fault:
            raise fail(*fault)
        try:
            check_text(turn["content"], tags, "content")
            for caption in turn.get("caption_list", []):
                check_text(caption, (*tags, IMAGE), "caption")
        except PromptError as error:
            raise fail(f"conversation[{index}]", "unsafe", str(error)) from error
        paths += [images / folder / name for name in turn.get("image_list", [])]
        captions += turn.get("caption_list", []) if index % 2 else []
    for user, assistant in zip(turns[::2], turns[1::2], strict=True):
        pairs.append(Pair(user["content"], assistant["content"]))
    return Conversation(number, pairs, paths, captions)


def read_conversations(file: Path, images: Path, tags: tuple[str, ...]) -> Iterator[Conversation | RowError]:
    """Every row of a TextBind JSON file (a list), checked. TrainerError("data") if it is no such file."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise TrainerError("data", f"{file}: {error}") from error
    if not isinstance(rows, list) or not rows:
        raise TrainerError("data", f"{file}: expected a list with at least one conversation")
    for number, row in enumerate(rows):
        try:
            yield check_conversation(row, number, str(file), images, tags)
        except RowError as error:
            yield error


class ConversationFile:
    """Stage 2: multi-turn conversations in the TextBind schema, shuffled anew each epoch."""

    def __init__(
        self, data: dict, tokens: Tokens, processor: ImageProcessor, seed: int, on_skip: Callable[[str], None]
    ):
        self.tokens, self.processor, self.seed, self.on_skip = tokens, processor, seed, on_skip
        base = Path(data["base"])
        self._training = self._read(base, data, "conversations")
        self._held = self._read(base, data, "validation") if data.get("validation") else []
        self._held = self._held[: data.get("validationSamples", 256)]
        self.samples_per_epoch = len(self._training)
        self._order: tuple[int, list[int]] | None = None

    def _read(self, base: Path, data: dict, name: str) -> list[Conversation]:
        if not isinstance(data.get(name), str) or not isinstance(data.get("images"), str):
            raise TrainerError("config", f"data.{name}, data.images: expected paths")
        tags = unsafe_tags(self.tokens.tokenizer)
        rows = list(read_conversations(base / data[name], base / data["images"], tags))
        faults = [row for row in rows if isinstance(row, RowError)]
        if faults:  # before hours are spent: conversations are few enough to be all checked
            raise TrainerError(
                "data", f"{len(faults)} of {len(rows)} rows are unusable; the first: {faults[0]}"
            )
        return rows

    def sample(self, position: int) -> Sample | None:
        epoch, index = divmod(position, self.samples_per_epoch)
        if self._order is None or self._order[0] != epoch:
            order = list(range(self.samples_per_epoch))
            random.Random(f"{self.seed} epoch {epoch}").shuffle(order)
            self._order = (epoch, order)
        return self._build(self._training[self._order[1][index]])

    def validation(self) -> Iterator[Sample]:
        for row in self._held:
            built = self._build(row)
            if built:
                yield built

    def _build(self, row: Conversation) -> Sample | None:
        try:
            example = self.tokens.example(row.pairs, row.captions)
            if not example.scored:
                raise ValueError("nothing is left to score at this length")
            pixels = [self.processor.pixels(decode_image(row.images[i].read_bytes())) for i in example.images]
        except (ValueError, OSError) as error:
            self.on_skip(f"row {row.row}: {error}")
            return None
        return Sample(example, pixels)
