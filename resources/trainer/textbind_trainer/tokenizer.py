"""Text to token ids by the written rule (DESIGN.md, "The prompt, token by token"), from a tokenizer's own files.

The engine's ``src/worker/inputs/tokenizer.ts`` does the same; test/fixtures pins both. The vocabulary comes from
tokenizer.json, or from tokenizer.model where that is all there is; what a library of the day makes of the rules
written in tokenizer.json (word markers, prefix spaces) is left aside for SentencePiece vocabularies.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from .faults import TrainerError
from .files import read_object

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IMAGE = "<image>"
START = "<start>"
END = "<end>"
SPECIAL_TOKENS = (IMAGE, START, END)
MARKER = "\u2581"
"""SentencePiece's sign for the space in front of a word."""

Kind = Literal["byte-level", "sentencepiece"]
AnyTokenizer: TypeAlias = "LanguageTokenizer | PreTrainedTokenizerBase"
"""Ours, or one of transformers' that ``language_tokenizer`` makes ours of."""


class Vocabulary(Protocol):
    """The merges of one vocabulary, without any rule at the edges of a text."""

    unknown_id: int

    def stretch(self, text: str) -> list[int]:
        """Ids of a stretch of plain text; a SentencePiece one gets its word marker in front."""

    def piece(self, token: int) -> str:
        """The vocabulary's own spelling of a token, e.g. ``\u2581cat`` or ``<0x0A>``."""

    def find(self, piece: str) -> int | None:
        """The id of a piece."""

    def text(self, ids: list[int]) -> str:
        """The text of plain tokens, a word marker as a space."""


class JsonVocabulary:
    """tokenizer.json, by the tokenizers library."""

    def __init__(self, definition: dict[str, Any], kind: Kind):
        from tokenizers import Tokenizer

        plain = definition | {"truncation": None, "padding": None}
        if kind == "sentencepiece":  # its edges are ours
            plain |= {"normalizer": None, "pre_tokenizer": None, "post_processor": None}
        self._kind = kind
        self._backend = Tokenizer.from_str(json.dumps(plain))
        unknown = definition["model"].get("unk_token")
        self.unknown_id = self._backend.token_to_id(unknown) or 0 if unknown else 0

    def stretch(self, text: str) -> list[int]:
        marked = MARKER + text.replace(" ", MARKER) if self._kind == "sentencepiece" else text
        return self._backend.encode(marked, add_special_tokens=False).ids

    def piece(self, token: int) -> str:
        return self._backend.id_to_token(token) or ""

    def find(self, piece: str) -> int | None:
        return self._backend.token_to_id(piece)

    def text(self, ids: list[int]) -> str:
        if self._kind == "byte-level":
            return self._backend.decode(ids, skip_special_tokens=False)
        return _pieces_text([self.piece(token) for token in ids])


class SentencePieceVocabulary:
    """tokenizer.model, by the sentencepiece library."""

    def __init__(self, file: Path):
        from sentencepiece import SentencePieceProcessor

        self._processor = SentencePieceProcessor()
        try:
            self._processor.Load(str(file))
        except (OSError, RuntimeError) as error:
            raise TrainerError("config", f"{file}: not a SentencePiece model: {error}") from error
        self.unknown_id = self._processor.unk_id()

    def stretch(self, text: str) -> list[int]:
        return self._processor.Encode(text)

    def piece(self, token: int) -> str:
        return self._processor.IdToPiece(token)

    def find(self, piece: str) -> int | None:
        found = self._processor.PieceToId(piece)
        return None if found == self.unknown_id and piece != self.piece(found) else found

    def text(self, ids: list[int]) -> str:
        return _pieces_text([self.piece(token) for token in ids])

    def size(self) -> int:
        """How many pieces there are."""
        return self._processor.GetPieceSize()

    def control_tokens(self) -> dict[str, int]:
        """``<s>``, ``</s>``, ``<unk>`` and whatever else stands for no text."""
        ids = range(self.size())
        return {self.piece(i): i for i in ids if self._processor.IsControl(i) or self._processor.IsUnknown(i)}


def _pieces_text(pieces: list[str]) -> str:
    data = b""
    for piece in pieces:
        byte = re.fullmatch(r"<0x([0-9A-F]{2})>", piece)
        data += bytes([int(byte[1], 16)]) if byte else piece.replace(MARKER, " ").encode()
    return data.decode(errors="replace")


@dataclass(frozen=True)
class LanguageTokenizer:
    """One language model's tokenizer, TextBind's three tokens included (behind its last id if it lacks them)."""

    kind: Kind
    legacy: bool
    vocabulary: Vocabulary
    special_ids: dict[str, int]
    bos_token: str
    eos_token: str
    pad_token: str | None
    size: int

    @property
    def bos_token_id(self) -> int:
        """Id of the token that opens each pair."""
        return self.special_ids[self.bos_token]

    @property
    def eos_token_id(self) -> int:
        """Id of the token that ends an assistant's turn."""
        return self.special_ids[self.eos_token]

    @property
    def pad_token_id(self) -> int:
        """Id to fill a batch with; nothing ever sees it."""
        return self.special_ids.get(self.pad_token or "", 0)

    @property
    def all_special_tokens(self) -> list[str]:
        """Every string that is one token whatever stands around it."""
        return list(self.special_ids)

    def __len__(self) -> int:
        """One more than the largest id: rows that the embedding must have."""
        return self.size

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:
        """Id of a special token, or of each in a list."""
        return (
            self.special_ids[tokens]
            if isinstance(tokens, str)
            else [self.special_ids[each] for each in tokens]
        )

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        """Token ids of a text in which special tokens may stand; the rule's points 4 and 5."""
        assert not add_special_tokens
        stretches = split_at_special(text, self.special_ids, self.kind, self.legacy)
        ids: list[int] = []
        for index, stretch in enumerate(stretches):
            if not stretch:
                continue
            special = self.special_ids.get(stretch) if index % 2 else None
            ids.extend(self._stretch(stretch, index == 0) if special is None else [special])
        return ids

    def _stretch(self, text: str, opens: bool) -> list[int]:
        ids = self.vocabulary.stretch(text)
        inside = self.kind == "sentencepiece" and not self.legacy and not opens and not text.startswith(" ")
        if not inside or not ids or not self.vocabulary.piece(ids[0]).startswith(MARKER):
            return ids
        rest = self.vocabulary.piece(ids[0])[1:]
        if not rest:
            return ids[1:]
        found = self.vocabulary.find(rest)
        return [self.vocabulary.unknown_id if found is None else found, *ids[1:]]

    def decode(self, ids: list[int]) -> str:
        """The text of tokens, special ones spelled out; a SentencePiece text's first word marker is no space."""
        names = {token: name for name, token in self.special_ids.items()}
        text, run = "", []
        for token in [*ids, -1]:
            if token >= 0 and token not in names:
                run.append(token)
                continue
            text += self.vocabulary.text(run) + names.get(token, "")
            run = []
        return text.removeprefix(" ") if self.kind == "sentencepiece" else text


def split_at_special(text: str, special: dict[str, int], kind: Kind, legacy: bool) -> list[str]:
    """Stretches of text and special tokens in turn: text, token, text, ... (texts may be empty).

    For a SentencePiece vocabulary the white space next to TextBind's three tokens goes, as in the slow tokenizer of
    transformers 4.31; begin and end tokens leave the space beside them alone.
    """
    if kind == "sentencepiece" and not legacy:
        text = text.replace(MARKER, " ")
    longest_first = sorted(special, key=len, reverse=True)
    stretches = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    if kind == "sentencepiece":
        for index in range(1, len(stretches), 2):
            if stretches[index] in SPECIAL_TOKENS:
                stretches[index - 1] = stretches[index - 1].rstrip()
                stretches[index + 1] = stretches[index + 1].lstrip()
    return stretches


def _read(file: Path) -> dict[str, Any]:
    return read_object(file) if file.is_file() else {}


def _kind(definition: dict[str, Any], file: Path | str) -> Kind:
    model = definition.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE":
        raise TrainerError("config", f'{file}: model.type is not "BPE"')
    rules = json.dumps([definition.get("normalizer"), definition.get("pre_tokenizer")], ensure_ascii=False)
    if '"ByteLevel"' in rules:
        return "byte-level"
    if MARKER in rules or '"Metaspace"' in rules:
        return "sentencepiece"
    raise TrainerError("config", f"{file}: neither a byte-level nor a SentencePiece vocabulary")


def _name(value: Any) -> str | None:
    return value.get("content") if isinstance(value, dict) else value


def _from_json(definition: dict[str, Any], file: Path | str) -> tuple[Kind, Vocabulary, dict[str, int], int]:
    kind = _kind(definition, file)
    added = definition.get("added_tokens") or []
    special = {
        each["content"]: each["id"] for each in added if each["special"] or each["content"] in SPECIAL_TOKENS
    }
    ids = [*definition["model"]["vocab"].values(), *(each["id"] for each in added)]
    return kind, JsonVocabulary(definition, kind), special, max(ids, default=-1) + 1


def _from_model(file: Path, added: dict[str, int]) -> tuple[Kind, Vocabulary, dict[str, int], int]:
    vocabulary = SentencePieceVocabulary(file)
    special = vocabulary.control_tokens() | {k: v for k, v in added.items() if k in SPECIAL_TOKENS}
    return "sentencepiece", vocabulary, special, max([vocabulary.size() - 1, *added.values()]) + 1


def _assemble(
    opened: tuple[Kind, Vocabulary, dict[str, int], int], names: dict[str, Any], where: Path | str
) -> LanguageTokenizer:
    kind, vocabulary, special, size = opened
    for token in SPECIAL_TOKENS:
        if token not in special:
            special[token] = size
            size += 1
    usual = {"bos_token": "<s>", "eos_token": "</s>"} if kind == "sentencepiece" else {}

    def edge(key: str) -> str:
        found = _name(names.get(key)) or usual.get(key)
        if found is None or found not in special:
            raise TrainerError("config", f"{where}: {key} {found!r} is not among its special tokens")
        return found

    return LanguageTokenizer(
        kind,
        names.get("legacy") is not False,
        vocabulary,
        special,
        edge("bos_token"),
        edge("eos_token"),
        _name(names.get("pad_token")),
        size,
    )


def load_tokenizer(folder: Path) -> LanguageTokenizer:
    """Open a Hugging Face folder's tokenizer. TrainerError("config") names the file and what is wrong in it."""
    names = _read(folder / "special_tokens_map.json") | _read(folder / "tokenizer_config.json")
    file = folder / "tokenizer.json"
    if file.is_file():
        return _assemble(_from_json(_read(file), file), names, file)
    model = folder / "tokenizer.model"
    if model.is_file():
        return _assemble(_from_model(model, _read(folder / "added_tokens.json")), names, model)
    raise TrainerError("config", f"{folder}: neither tokenizer.json nor tokenizer.model is there")


_wrapped: WeakKeyDictionary[Any, LanguageTokenizer] = WeakKeyDictionary()


def language_tokenizer(tokenizer: AnyTokenizer) -> LanguageTokenizer:
    """A LanguageTokenizer as it is; one of transformers' over the same tokenizer.json (byte-level ones only)."""
    if isinstance(tokenizer, LanguageTokenizer):
        return tokenizer
    if tokenizer not in _wrapped:
        from transformers import PreTrainedTokenizerFast

        if not isinstance(tokenizer, PreTrainedTokenizerFast):
            raise TrainerError("internal", f"{tokenizer.name_or_path}: open it with load_tokenizer")
        opened = _from_json(json.loads(tokenizer.backend_tokenizer.to_str()), tokenizer.name_or_path)
        if opened[0] != "byte-level":
            raise TrainerError("internal", f"{tokenizer.name_or_path}: open it with load_tokenizer")
        names = {key: getattr(tokenizer, key) for key in ("bos_token", "eos_token", "pad_token")}
        _wrapped[tokenizer] = _assemble(opened, names, tokenizer.name_or_path)
    return _wrapped[tokenizer]
