"""From a conversation to token ids: the one place that knows the prompt's form.

Form of a pair (user text, assistant text), as in the reference's data_utils.py:
``<s>[INST] {user} [/INST]`` then ``{assistant} </s>``, both texts stripped; ``<s>`` and ``</s>`` stand
for the tokenizer's own begin and end tokens. The token-level rule is written down in DESIGN.md and
pinned by test/fixtures/prompt-cases.json, which the TypeScript engine must match as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .tokenizer import END, IMAGE, SPECIAL_TOKENS, START, AnyTokenizer, language_tokenizer

__all__ = ["END", "IMAGE", "SPECIAL_TOKENS", "START"]
MARKUP = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>")


class PromptError(ValueError):
    """A conversation that cannot be put into a prompt; the message names the turn and what is wrong."""


@dataclass(frozen=True)
class Pair:
    """A user text and the assistant's answer (None: still to be generated); pictures stand as ``<image>``."""

    user: str
    assistant: str | None


@dataclass(frozen=True)
class Segment:
    """Token ids of one text and whether the assistant said it (only then it is scored)."""

    ids: list[int] = field(default_factory=list)
    by_assistant: bool = False


def unsafe_tags(tokenizer: AnyTokenizer) -> tuple[str, ...]:
    """Every string that the prompt gives a meaning to, except ``<image>`` (its place is checked by count)."""
    known = [*MARKUP, START, END, *language_tokenizer(tokenizer).all_special_tokens]
    return tuple(sorted({tag for tag in known if tag != IMAGE}))


def text_faults(text: str, tags: Sequence[str]) -> list[str]:
    """What may not stand in a text: markup tags, which could forge a turn or a picture, and half characters."""
    faults = [f"the text contains the markup tag {tag!r}" for tag in tags if tag in text]
    half = next((place for place, sign in enumerate(text) if "\ud800" <= sign <= "\udfff"), None)
    if half is not None:
        faults.append(f"character {half} is a lone surrogate (U+{ord(text[half]):04X}), not a character")
    return faults


def check_text(text: str, tags: Sequence[str], where: str) -> None:
    """Raise PromptError for the first of a text's faults."""
    for fault in text_faults(text, tags):
        raise PromptError(f"{where}: {fault}")


def encode_text(tokenizer: AnyTokenizer, text: str) -> list[int]:
    """Token ids of a text in which special tokens may stand, by the rule in DESIGN.md."""
    return language_tokenizer(tokenizer).encode(text)


def expand_images(text: str, query_tokens: int) -> str:
    """Each ``<image>`` becomes ``query_tokens`` of them in a row: one for each embedding of the picture."""
    return text.replace(IMAGE, IMAGE * query_tokens)


def encode_pair(
    tokenizer: AnyTokenizer, pair: Pair, query_tokens: int, system: str | None = None
) -> list[Segment]:
    """The one or two segments of a pair; ``system`` goes in front of the first pair's user text."""
    tokenizer = language_tokenizer(tokenizer)
    tags = unsafe_tags(tokenizer)
    check_text(pair.user, tags, "user turn")
    user = pair.user.strip()
    if system is not None:
        check_text(system, tags, "system message")
        user = f"<<SYS>>\n{system}\n<</SYS>>\n\n{user}"
    prompt = expand_images(f"{tokenizer.bos_token}[INST] {user} [/INST]", query_tokens)
    segments = [Segment(encode_text(tokenizer, prompt), False)]
    if pair.assistant is not None:
        check_text(pair.assistant, tags, "assistant turn")
        answer = expand_images(f"{pair.assistant.strip()} {tokenizer.eos_token}", query_tokens)
        segments.append(Segment(encode_text(tokenizer, answer), True))
    return segments


def encode_caption(tokenizer: AnyTokenizer, caption: str) -> list[int]:
    """``<start> caption <end>``: what the model says where it wants a picture drawn.

    The spaces inside are tokens of a byte-level vocabulary only; a SentencePiece one loses them at the special tokens.
    """
    tokenizer = language_tokenizer(tokenizer)
    check_text(caption, (*unsafe_tags(tokenizer), IMAGE), "caption")
    if not caption.strip():
        raise PromptError("caption: it is empty")
    return encode_text(tokenizer, f"{START} {caption.strip()} {END}")


def encode_conversation(
    tokenizer: AnyTokenizer, pairs: Sequence[Pair], query_tokens: int, system: str | None = None
) -> list[Segment]:
    """All segments of a conversation, in order; every pair opens a sequence of its own with ``<s>``."""
    segments: list[Segment] = []
    tokenizer = language_tokenizer(tokenizer)
    for index, pair in enumerate(pairs):
        segments.extend(encode_pair(tokenizer, pair, query_tokens, system if index == 0 else None))
    return segments
