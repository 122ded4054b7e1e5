"""Replies to a few prompts while a run learns: greedy and short, by the weights as they are then.

At a run's validations, at its start and at its end. Nothing random is drawn and no weight is touched: with replies or
without, a run ends in the same bits. Whole copies of the model answer in one process; shards in all of them together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Tensor

from . import parallel, protocol
from .config import SamplePrompt, SamplesConfig
from .data import Question
from .events import tell
from .faults import TrainerError
from .generate import Reply, embed_prompt, first_words
from .images import ImageProcessor, decode_image
from .look import thumbnail
from .machine import free_bytes
from .prompt import IMAGE, Pair, PromptError, check_text, unsafe_tags
from .tokenizer import LanguageTokenizer, load_tokenizer

if TYPE_CHECKING:
    from .loop import Run

LONGEST_PROMPT = 2000
"""Characters of a held-back prompt; longer ones are passed over: replies must cost little."""
GATHERED_TOKENS = 16
"""Tokens of a reply where each takes gathering every layer anew: all weights travel for each of them."""
SHARE = 0.5
"""Of what is free, what the layers' weights may take for the time of an answer."""


@runtime_checkable
class HoldsBack(Protocol):
    """A source that can ask what its held-back rows ask."""

    def questions(self) -> Iterator[Question]:
        """Each held-back row's first message, in order."""


@dataclass(frozen=True)
class Asked:
    """A question with its pictures as the frozen encoder sees them, [pictures, patches + 1, vision hidden]."""

    question: Question
    features: Tensor | None


@dataclass
class Samples:
    """What a run is asked again and again."""

    asked: list[Asked] = field(default_factory=list)
    max_tokens: int = 0
    tokenizer: LanguageTokenizer | None = None

    def tell_prompts(self) -> None:
        """The event that the replies' order refers to."""
        if self.asked:
            tell(protocol.Prompts(prompts=[prompt_of(each.question) for each in self.asked]))

    def tell_replies(self, run: Run) -> None:
        """Ask, and say what the model answers now. Of whole copies one is asked; the others wait at the next step."""
        sharded = parallel.is_sharded(run.model)
        if not self.asked or self.tokenizer is None or not (sharded or parallel.world()[0] == 0):
            return
        began = time.monotonic()
        gathered = sharded and layers_fit(run)
        most = min(self.max_tokens, GATHERED_TOKENS) if sharded and not gathered else self.max_tokens
        if sharded:
            parallel.keep_gathered(run.model, gathered)
        replies = answers(run, self.tokenizer, self.asked, most)
        if sharded:
            parallel.keep_gathered(run.model, False)
            parallel.settle(run.model)
        seconds = round(time.monotonic() - began, 2)
        cut_at = most if most < self.max_tokens else None
        tell(protocol.Replies(step=run.step, seconds=seconds, cut_at=cut_at, replies=replies))


def layers_fit(run: Run) -> bool:
    """Whether every process could hold the weights of all layers for a while, beside what it trains."""
    free = free_bytes(run.device)
    if free is not None and run.device.type == "cpu":
        free //= parallel.beside()
    needed = sum(each.numel() * each.element_size() for b in run.model.blocks() for each in b.parameters())
    return all(parallel.gather(free is not None and needed <= SHARE * free))


def prompt_of(question: Question) -> protocol.Prompt:
    """What a person is shown of a question: small copies of its pictures."""
    pictures = [small for data in question.pictures if (small := thumbnail(data)) is not None]
    return protocol.Prompt(
        text=question.text,
        pictures=pictures,
        wanted=question.wanted,
        wanted_captions=list(question.wanted_captions),
    )


def chosen(prompt: SamplePrompt, number: int, base: Path, tags: tuple[str, ...]) -> Question:
    """A prompt of the run file. TrainerError("config") where a picture of it is not there, or its text holds a tag."""
    pictures: list[bytes] = []
    try:
        check_text(prompt.text, tags, f"samples.prompts.{number}.text")
    except PromptError as error:
        raise TrainerError("config", str(error)) from error
    for place, name in enumerate(prompt.images):
        try:
            pictures.append((base / name).read_bytes())
            decode_image(pictures[-1])
        except (OSError, ValueError) as error:
            raise TrainerError(
                "config", f"samples.prompts.{number}.images.{place}: {base / name}: {error}"
            ) from error
    # Pictures without a place stand in front, as in most of stage 1's requests.
    front = f"{IMAGE} " * len(pictures) if IMAGE not in prompt.text else ""
    return Question(front + prompt.text, pictures)


def questions(run: Run, wanted: SamplesConfig, tags: tuple[str, ...]) -> list[Question]:
    """The run file's own prompts, then those of the first held-back rows."""
    base = Path(run.config.data["base"])
    found = [chosen(prompt, number, base, tags) for number, prompt in enumerate(wanted.prompts)]
    if wanted.held_back and isinstance(run.source, HoldsBack):
        short = (each for each in run.source.questions() if len(each.text) <= LONGEST_PROMPT)
        found += [question for question, _ in zip(short, range(wanted.held_back), strict=False)]
    return found


def prepare(run: Run) -> Samples:
    """See the pictures once; the replies to come only run the rest of the model."""
    wanted = run.config.samples
    if wanted is None:
        return Samples()
    processor = ImageProcessor.load(run.config.model.processor)

    def see(question: Question) -> Asked:
        if not question.pictures:
            return Asked(question, None)
        pixels = torch.stack([processor.pixels(decode_image(data)) for data in question.pictures])
        with run.autocast():
            return Asked(question, run.model.image_features(pixels.to(run.device)))

    tokenizer = load_tokenizer(run.config.model.language)
    asked = [see(question) for question in questions(run, wanted, unsafe_tags(tokenizer))]
    return Samples(asked, wanted.max_tokens, tokenizer)


@torch.no_grad()
def answers(
    run: Run, tokenizer: LanguageTokenizer, asked: list[Asked], max_tokens: int
) -> list[protocol.Reply]:
    """Each up to its end, its first caption's end, or ``max_tokens``. With shards all processes must call it."""
    model, language = run.model, run.model.language_model
    agree = parallel.of_first if parallel.is_sharded(model) else None
    training = language.training
    language.eval()  # activation checkpointing, which works in training mode, knows no cache

    def said_now() -> list[Reply]:
        prompts = [
            embed_prompt(
                model, tokenizer, [Pair(each.question.text, None)], each.features, each.question.system
            )
            for each in asked
        ]
        return first_words(model, tokenizer, prompts, max_tokens, agree)

    try:
        with run.autocast():
            said = model.in_one_pass(said_now)
    finally:
        language.train(training)
    return [protocol.Reply(text=each.text, captions=each.captions, finished=each.finished) for each in said]
