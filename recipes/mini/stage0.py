"""Stage 0 of the mini model: the Q-Former learns to write a caption in the language model's own embeddings.

It stands where the paper takes BLIP-2's pre-trained Q-Former. No language model runs: the n-th output is pulled to the
embedding of the caption's n-th token (a softmax over the captions' words by cosine, and the squared distance for the
length). Sixteen queries learn; the published 32 are these twice: keys that all come twice change no attention, so that
the outputs hold the caption twice at half the cost of learning. What is left of a slot is the newline's embedding.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder
from textbind_trainer.model import make_qformer
from textbind_trainer.tokenizer import AnyTokenizer, language_tokenizer, load_tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from . import loop
from .captioned import Captioned
from .features import cached_features, open_eyes, seen
from .pictures import fetch_pictures
from .shape import SHAPE
from .views import NUMBERS

SLOT = 16
SHARPNESS = 20.0
FILLER = 0.2
"""What a filler counts beside a word: most outputs are fillers, and learnt at once."""
DEFAULT_MINUTES = 45.0
VALIDATION = 640


class QueryHalf(nn.Module):
    """Queries, Q-Former and projection without the language model; the same names as in a checkpoint."""

    def __init__(self, vision_hidden: int, language_hidden: int):
        super().__init__()
        self.query_tokens = nn.Parameter(torch.randn(1, SLOT, SHAPE.hidden_size) * 0.5)
        self.qformer = make_qformer(SHAPE, vision_hidden)
        self.qformer_projection = nn.Linear(SHAPE.hidden_size, language_hidden)

    def forward(self, features: Tensor) -> Tensor:
        """[batch, patches + 1, vision hidden] -> [batch, SLOT, language hidden]."""
        queries = self.query_tokens.expand(len(features), -1, -1)
        hidden = self.qformer(query_embeds=queries, encoder_hidden_states=features, return_dict=True)
        return self.qformer_projection(hidden.last_hidden_state)


def target_ids(tokenizer: AnyTokenizer, captions: list[str]) -> Tensor:
    """[captions, 32]: each caption twice (a long one once), slots filled up with newlines."""
    tokenizer = language_tokenizer(tokenizer)
    (filler,) = tokenizer.encode("\n", add_special_tokens=False)
    rows, queries = [], SHAPE.num_query_tokens
    for caption in captions:
        ids = tokenizer.encode(f" {caption}.", add_special_tokens=False)
        if len(ids) > queries:
            raise ValueError(f"{caption!r}: {len(ids)} tokens, there are {queries} queries")
        slot = SLOT if len(ids) <= SLOT else queries
        rows.append((ids + [filler] * (slot - len(ids))) * (queries // slot))
    return torch.tensor(rows)


def losses(outputs: Tensor, targets: Tensor, table: Tensor, filler: int) -> tuple[Tensor, Tensor, Tensor]:
    """(cross entropy, squared distance in units of the table's variance, whether each caption is all right [batch]).

    outputs [batch, SLOT, hidden]; targets [batch, SLOT] as rows of table [words, hidden], one of which is the filler.
    """
    cosine = functional.normalize(outputs, dim=-1) @ functional.normalize(table, dim=-1).T
    weights = torch.ones(len(table))
    weights[filler] = FILLER
    entropy = functional.cross_entropy(cosine.flatten(0, 1) * SHARPNESS, targets.flatten(), weights)
    counted = weights[targets]
    distance = ((outputs - table[targets]).square().mean(-1) * counted).sum() / counted.sum() / table.var()
    return entropy, distance, (cosine.argmax(-1) == targets).all(-1).float()


@dataclass(frozen=True)
class Captions:
    """Pictures of a split that fit one slot."""

    features: Tensor
    """[pictures, patches + 1, vision hidden], half precision."""
    targets: Tensor
    """[pictures, SLOT] token ids, or rows of the table."""
    single: Tensor
    """[pictures] whether the caption is of one thing."""


def short_captions(features: Tensor, captions: list[str], tokenizer: AnyTokenizer) -> Captions:
    """Of those captions that fit; a few of four things do not."""
    targets = target_ids(tokenizer, captions)
    fits = (targets[:, :SLOT] == targets[:, SLOT:]).all(1)
    several = (" and ", " above ", *(f"{number} " for number in NUMBERS[2:]))
    single = torch.tensor([not any(word in f" {caption}" for word in several) for caption in captions])
    return Captions(features[fits], targets[fits][:, :SLOT], single[fits])


class Fresh(IterableDataset[Captions]):
    """Pictures that were never shown, ``size`` at a time, seen by the frozen eyes; for a process beside the training's."""

    def __init__(
        self,
        vision: Path,
        source: Captioned,
        tokenizer: AnyTokenizer,
        first: int,
        size: int,
    ) -> None:
        self.vision, self.source, self.tokenizer, self.first, self.size = (
            vision,
            source,
            tokenizer,
            first,
            size,
        )

    def __iter__(self) -> Iterator[Captions]:
        eyes = open_eyes(self.vision)
        for first in itertools.count(self.first, self.size):
            rows = [self.source.one("training", number) for number in range(first, first + self.size)]
            yield short_captions(
                seen(eyes, [pixels for pixels, _ in rows]),
                [caption for _, caption in rows],
                self.tokenizer,
            )


class Lesson:
    """One step of the Q-Former, and how well it does. Half of each batch is fresh and takes the oldest's places in the bank.

    The bank is no part of a checkpoint: a resumed run begins with the cached pictures again, and is no unbroken one.
    """

    def __init__(
        self, query: QueryHalf, data: Captions, words: Tensor, table: Tensor, filler: int, size: int, fresh: Iterator[Captions]
    ) -> None:  # fmt: skip
        self.query, self.data, self.words, self.table = query, data, words, table
        self.filler, self.size, self.fresh, self.next = filler, size, fresh, 0

    def renew(self) -> None:
        """Put fresh pictures into the bank."""
        new = next(self.fresh)
        targets = torch.searchsorted(self.words, new.targets).clamp(max=len(self.words) - 1)
        known = (self.words[targets] == new.targets).all(1)  # a rare word that the bank never had
        places = (self.next + torch.arange(int(known.sum()))) % len(self.data.features)
        self.data.features[places] = new.features[known]
        self.data.targets[places], self.data.single[places] = (
            targets[known],
            new.single[known],
        )
        self.next = int(places[-1]) + 1

    def __call__(self, step: int, progress: float) -> dict[str, float]:
        """Backward is called; the loop has seeded the randomness with the step."""
        rows = torch.randint(len(self.data.features), (self.size,))
        first = self.next
        self.renew()
        rows[: self.size // 2] = (first + torch.arange(self.size // 2)) % len(self.data.features)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = self.query(self.data.features[rows].float())
        entropy, distance, right = losses(outputs.float(), self.data.targets[rows], self.table, self.filler)
        (entropy + 0.5 * distance).backward()
        single = right[self.data.single[rows]].mean().item()
        return {
            "entropy": entropy.item(), "distance": distance.item(), "right": right.mean().item(), "singleRight": single,
        }  # fmt: skip

    @torch.no_grad()
    def validate(self, held: Captions, step: int) -> None:
        """Report the shares of captions that are right word for word."""
        parts = zip(held.features.split(64), held.targets.split(64), strict=True)
        right = torch.cat([losses(self.query(f.float()), t, self.table, self.filler)[2] for f, t in parts])
        emit(
            "validation", run="stage0", step=step, right=round(right.mean().item(), 4),
            singleRight=round(right[held.single].mean().item(), 4),
        )  # fmt: skip


def published(query: QueryHalf) -> dict[str, Tensor]:
    """The weights with every query twice."""
    weights = {name: value.contiguous() for name, value in query.state_dict().items()}
    twice = SHAPE.num_query_tokens // SLOT
    return weights | {"query_tokens": weights["query_tokens"].repeat(1, twice, 1)}


def load_published(query: QueryHalf, path: Path) -> None:
    """Go on from what an earlier stage 0 left."""
    weights = load_file(path)
    query.load_state_dict(weights | {"query_tokens": weights["query_tokens"][:, :SLOT].contiguous()})


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    loop.add_arguments(parser)
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--screens", type=Path, required=True, help="folder of screenshots")
    parser.add_argument("--scenes", type=int, default=32_000)
    parser.add_argument(
        "--fresh-from",
        type=int,
        default=1_000_000,
        help="number of the first fresh picture",
    )
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument(
        "--begin-with",
        type=Path,
        help="safetensors of an earlier stage 0, to go on from",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Command: features, training, ``OUT/model/qformer.safetensors``."""
    arguments = parse(argv)
    budget = loop.begin(arguments, DEFAULT_MINUTES)
    source = Captioned(
        fetch_pictures(arguments.raw or arguments.out.parent / "raw"),
        arguments.photos,
        arguments.screens,
    )
    tokenizer = load_tokenizer(arguments.language)
    embedding = load_file(arguments.language / "model.safetensors")["model.embed_tokens.weight"]
    data, held = (
        short_captions(
            *cached_features(arguments.vision, source, arguments.out, split, count),
            tokenizer,
        )
        for split, count in (("training", arguments.scenes), ("validation", VALIDATION))
    )
    words = torch.unique(torch.cat([data.targets, held.targets]))
    data, held = (replace(part, targets=torch.searchsorted(words, part.targets)) for part in (data, held))
    query = QueryHalf(data.features.shape[-1], embedding.shape[1])
    if arguments.begin_with:
        load_published(query, arguments.begin_with)
    filler = int(data.targets.flatten().mode().values)
    size = arguments.batch or 64
    fresh = Fresh(arguments.vision, source, tokenizer, arguments.fresh_from, size // 2)
    loader: DataLoader[Captions] = DataLoader(fresh, batch_size=None, num_workers=1, prefetch_factor=16)
    lesson = Lesson(query, data, words, embedding[words].float(), filler, size, iter(loader))
    optimizer = torch.optim.AdamW(
        [{"params": [*query.parameters()], "base": arguments.rate}],
        betas=(0.9, 0.98),
        weight_decay=0.01,
    )

    def publish(step: int) -> None:
        with replace_folder(arguments.out / "model") as part:
            save_file(published(query), part / "qformer.safetensors")
        lesson.validate(held, step)

    loop.train(
        "stage0", arguments.out / "checkpoints", budget, {"query": query}, optimizer, lesson,
        seed=arguments.seed, resume=arguments.resume, at_checkpoint=publish, factor=lambda p: loop.plateau(p, 0.01, 0.4),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
