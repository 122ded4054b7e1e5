"""Examples with their pictures, and stage 2's conversations as a source of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from .batch import Example, build_example
from .blend import Endless, ShuffledRows, blended
from .config import data_parts
from .conversation import Conversation, check_conversation, read_conversations
from .faults import RowError, TrainerError
from .pictures import unreadable_pictures
from .prompt import IMAGE, Pair, encode_caption, encode_conversation, unsafe_tags
from .tokenizer import LanguageTokenizer
from .views import View

__all__ = ["Conversation", "check_conversation", "read_conversations"]
FAULTS_NAMED = 5


@dataclass(frozen=True)
class Tokens:
    """The tokenizer with what building an example needs to know."""

    tokenizer: LanguageTokenizer
    image_id: int
    start_id: int
    queries: int
    limit: int

    def example(self, pairs: list[Pair], captions: list[str], system: str | None = None) -> Example:
        """Encode pairs and the captions of the assistant's pictures."""
        segments = encode_conversation(self.tokenizer, pairs, self.queries, system)
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
    """An example and the pictures it shows, in order of appearance.

    A picture is its pixels [3, size, size], or the frozen encoder's features of it [patches + 1, hidden].
    """

    example: Example
    pixels: list[Tensor]


@dataclass(frozen=True)
class Question:
    """What a model may be asked: a user's message, its pictures' bytes in order, and what the data answers where it does."""

    text: str
    pictures: list[bytes]
    system: str | None = None
    wanted: str | None = None
    wanted_captions: tuple[str, ...] = ()


class Source(Protocol):
    """Data of a run: sample n is a pure function of the run's seed and n (exact resume rests on it)."""

    samples_per_epoch: int

    def sample(self, position: int) -> Sample | None:
        """The sample at a position, or None if its row is unusable (it is counted, the run goes on)."""

    def validation(self) -> Iterator[Sample]:
        """The held-back samples, the same each time."""

    def pictures(self) -> int:
        """How many pictures there are about: each conversation's own, each caption's one."""


class ConversationFile:
    """Stage 2: multi-turn conversations, of one file or a weighted blend, shuffled anew each epoch."""

    def __init__(
        self, data: dict[str, Any], tokens: Tokens, processor: View, seed: int, on_skip: Callable[[str], None]
    ):
        self.tokens, self.processor, self.seed, self.on_skip = tokens, processor, seed, on_skip
        self._parts = self._read_parts(data, "conversations")
        held = self._read_parts(data, "validation")
        self._held = [row for rows, _ in held for row in rows][: data.get("validationSamples", 256)]
        self.sequence: Endless[Conversation] = blended(
            [weight for _, weight in self._parts],
            seed,
            lambda part, own: ShuffledRows(self._parts[part][0], own),
        )
        self.samples_per_epoch = self.sequence.samples_per_epoch

    def _read_parts(self, data: dict[str, Any], name: str) -> list[tuple[list[Conversation], float]]:
        base, found = Path(data["base"]), []
        for part in data_parts(data, name):
            own = {name: part.path, "images": part.images or data.get("images"), "format": part.format}
            found.append((self._read(base, data | own, name), part.weight))
        return found

    def _read(self, base: Path, data: dict[str, Any], name: str) -> list[Conversation]:
        """All rows of a path, checked with their pictures before hours are spent."""
        images = base / data["images"] if data.get("images") else None
        path, tags = base / data[name], unsafe_tags(self.tokens.tokenizer)
        found = list(read_conversations(path, images, tags, data.get("format")))
        rows = [row for row in found if isinstance(row, Conversation)]
        faults = [row for row in found if isinstance(row, RowError)]
        broken = unreadable_pictures([picture for row in rows for picture in row.images])
        faults += [
            row.picture_fault(picture, broken[picture])
            for row in rows
            for picture in row.images
            if picture in broken
        ]
        good = [row for row in rows if not broken.keys() & set(row.images)]
        self._answer_faults(faults, len(found), data.get("badRows", "stop"))
        if not good:
            raise TrainerError("data", f"{path}: no row is usable")
        return good

    def _answer_faults(self, faults: list[RowError], rows: int, bad_rows: str) -> None:
        if bad_rows == "skip":
            for fault in faults:
                self.on_skip(str(fault))
        elif faults:
            named = "; ".join(str(fault) for fault in faults[:FAULTS_NAMED])
            more = f" (and {len(faults) - FAULTS_NAMED} more)" if len(faults) > FAULTS_NAMED else ""
            unusable = len({(fault.fault.file, fault.fault.row) for fault in faults})
            hint = 'textbind validate-data names all; "badRows": "skip" in data goes on without them'
            raise TrainerError("data", f"{unusable} of {rows} rows are unusable: {named}{more}. {hint}")

    def sample(self, position: int) -> Sample | None:
        """The sample at a position of the run."""
        return self._build(self.sequence[position])

    def pictures(self) -> int:
        """Different pictures of training and validation."""
        rows = [*(row for part, _ in self._parts for row in part), *self._held]
        return len({picture for row in rows for picture in row.images})

    def validation(self) -> Iterator[Sample]:
        """The held-back conversations."""
        for row in self._held:
            built = self._build(row)
            if built:
                yield built

    def questions(self) -> Iterator[Question]:
        """Each held-back conversation's first message, and what it is answered there."""
        for row in self._held:
            first = row.pairs[0]
            try:
                pictures = [picture.read_bytes() for picture in row.images[: first.user.count(IMAGE)]]
            except (ValueError, OSError):
                continue
            answer = first.assistant or ""
            yield Question(
                first.user.strip(),
                pictures,
                row.system,
                answer.strip(),
                tuple(row.captions[: answer.count(IMAGE)]),
            )

    def _build(self, row: Conversation) -> Sample | None:
        try:
            example = self.tokens.example(row.pairs, row.captions, row.system)
            if not example.scored:
                raise ValueError("nothing is left to score at this length")
            pictures = [self.processor.look(row.images[index].read_bytes()) for index in example.images]
        except (ValueError, OSError) as error:
            self.on_skip(f"row {row.row}: {error}")
            return None
        return Sample(example, pictures)
