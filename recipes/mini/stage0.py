"""Stage 0 of the mini model: the Q-Former learns to write a caption and a list (listing.py) in the language model's own embeddings.

It stands where the paper takes BLIP-2's pre-trained Q-Former. No language model runs: the n-th output is pulled to the
embedding of the n-th token (a softmax over all such tokens by cosine, and the squared distance for the length). What is left
of the caption's room and of an entry of the list is the newline's embedding.
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
from textbind_trainer.tokenizer import AnyTokenizer, load_tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from . import loop
from .aim import aim
from .captioned import Captioned
from .features import cached_features, open_eyes, seen
from .listing import CAPTION, FIRST, NAMED, SECOND, kind_of, target_ids, vocabulary
from .looking import beside_the_point, spots, watched
from .pictures import fetch_pictures
from .shape import SHAPE

SHARPNESS = 20.0
FILLER = 0.2
"""What a filler counts beside a word: most outputs are fillers, and learnt at once."""
CROWDED = 0.25
"""What a caption's words count where it is of two or more things: the list says them where they can be learnt."""
LISTED = 2.0
"""What a name in a list of two or more counts: hardest of all, and what questions of places are answered from."""
ALIKE = 0.02
"""Difference of the halves, in units of the whole, below which the list's queries are the caption's."""
PARTED = 0.5
"""Noise on the list's queries where they are the caption's, in units of their deviation."""
LOOK = 0.2
"""What it counts that the attention of a name's queries falls beside its thing."""
AIMED = 96
"""Pictures from which it is read how to aim."""
KINDS = ("single", "several", "placed", "many")
DEFAULT_MINUTES = 45.0
VALIDATION = 640


class QueryHalf(nn.Module):
    """Queries, Q-Former and projection without the language model; the same names as in a checkpoint."""

    def __init__(self, vision_hidden: int, language_hidden: int):
        super().__init__()
        half = torch.randn(1, CAPTION, SHAPE.hidden_size) * 0.5
        self.query_tokens = nn.Parameter(half.repeat(1, SHAPE.num_query_tokens // CAPTION, 1))
        self.qformer = make_qformer(SHAPE, vision_hidden)
        self.qformer_projection = nn.Linear(SHAPE.hidden_size, language_hidden)

    def forward(self, features: Tensor) -> Tensor:
        """[batch, patches + 1, vision hidden] -> [batch, queries, language hidden]."""
        queries = self.query_tokens.expand(len(features), -1, -1)
        hidden = self.qformer(query_embeds=queries, encoder_hidden_states=features, return_dict=True)
        return self.qformer_projection(hidden.last_hidden_state)


def weights_of(targets: Tensor, kinds: Tensor, filler: int) -> Tensor:
    """[batch, queries] what each output counts."""
    weights = torch.where(targets == filler, FILLER, 1.0)
    crowded = (kinds >= KINDS.index("placed"))[:, None]
    weights[:, :CAPTION] *= torch.where(crowded, CROWDED, 1.0)
    for name in NAMED:
        weights[:, name] *= torch.where(crowded, LISTED, 1.0)
    return weights


def losses(outputs: Tensor, targets: Tensor, table: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(cross entropy, squared distance in units of the table's variance, whether each output is right [batch, queries]).

    outputs [batch, queries, hidden]; targets [batch, queries] as rows of table [words, hidden]; weights [batch, queries].
    """
    cosine = functional.normalize(outputs, dim=-1) @ functional.normalize(table, dim=-1).T
    each = functional.cross_entropy(cosine.flatten(0, 1) * SHARPNESS, targets.flatten(), reduction="none")
    entropy = (each * weights.flatten()).sum() / weights.sum()
    distance = ((outputs - table[targets]).square().mean(-1) * weights).sum() / weights.sum() / table.var()
    return entropy, distance, cosine.argmax(-1) == targets


@dataclass(frozen=True)
class Captions:
    """Pictures of a split and what is to be said of them."""

    features: Tensor
    """[pictures, patches + 1, vision hidden], half precision."""
    targets: Tensor
    """[pictures, queries] token ids, or rows of the table."""
    kinds: Tensor
    """[pictures] listing.kind_of."""
    where: Tensor
    """[pictures, names, patches] looking.spots."""


def captions_of(features: Tensor, captions: list[str], where: Tensor, tokenizer: AnyTokenizer) -> Captions:
    """With their targets."""
    kinds = torch.tensor([kind_of(caption) for caption in captions])
    return Captions(features, target_ids(tokenizer, captions), kinds, where)


def shares(right: Tensor, kinds: Tensor) -> dict[str, float]:
    """Of each kind of picture: captions that are right word for word, and lists."""
    found = {}
    for number, kind in enumerate(KINDS):
        of = right[kinds == number]
        if len(of):
            found[f"{kind}Caption"] = of[:, :CAPTION].all(1).float().mean().item()
            found[f"{kind}List"] = of[:, CAPTION:].all(1).float().mean().item()
    return found


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
            rows = [self.source.placed("training", number) for number in range(first, first + self.size)]
            yield captions_of(
                seen(eyes, [pixels for pixels, _, _ in rows]),
                [caption for _, caption, _ in rows],
                torch.stack([spots(placed) for _, _, placed in rows]),
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
        places = (self.next + torch.arange(len(new.features))) % len(self.data.features)
        self.data.features[places] = new.features
        self.data.targets[places] = torch.searchsorted(self.words, new.targets)
        self.data.kinds[places] = new.kinds
        self.data.where[places] = new.where
        self.next = int(places[-1]) + 1

    def __call__(self, step: int, progress: float) -> dict[str, float]:
        """Backward is called; the loop has seeded the randomness with the step."""
        rows = torch.randint(len(self.data.features), (self.size,))
        first = self.next
        self.renew()
        rows[: self.size // 2] = (first + torch.arange(self.size // 2)) % len(self.data.features)
        targets, kinds = self.data.targets[rows], self.data.kinds[rows]
        with torch.autocast("cpu", torch.bfloat16), watched(self.query.qformer) as looks:
            outputs = self.query(self.data.features[rows].float())
        astray = torch.stack([beside_the_point(*look, self.data.where[rows]) for look in looks]).mean()
        entropy, distance, right = losses(
            outputs.float(), targets, self.table, weights_of(targets, kinds, self.filler)
        )
        (entropy + 0.5 * distance + LOOK * astray).backward()
        return {
            "entropy": entropy.item(),
            "distance": distance.item(),
            "astray": astray.item(),
            **shares(right, kinds),
        }

    @torch.no_grad()
    def validate(self, held: Captions, step: int) -> None:
        """Report the shares of captions and lists that are right word for word."""
        parts = zip(held.features.split(64), held.targets.split(64), strict=True)
        ones = torch.ones(64, SHAPE.num_query_tokens)
        right = torch.cat([losses(self.query(f.float()), t, self.table, ones[: len(t)])[2] for f, t in parts])
        figures = {name: round(value, 4) for name, value in shares(right, held.kinds).items()}
        emit("validation", run="stage0", step=step, **figures)


@torch.no_grad()
def begin_list(query: QueryHalf, features: Tensor) -> None:
    """Where the list's queries are still the caption's, as new ones and those published until 2026-11-30 are, part the halves and aim the names of two things."""
    tokens = query.query_tokens
    halves = tokens[:, :CAPTION], tokens[:, CAPTION:]
    if (halves[0] - halves[1]).norm() > ALIKE * tokens.norm():
        return
    tokens[:, CAPTION:] += torch.randn_like(halves[1]) * halves[1].std() * PARTED
    aim(query, features, FIRST, SECOND)


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
        captions_of(*cached_features(arguments.vision, source, arguments.out, split, count), tokenizer)
        for split, count in (("training", arguments.scenes), ("validation", VALIDATION))
    )
    words = vocabulary(tokenizer)
    data, held = (replace(part, targets=torch.searchsorted(words, part.targets)) for part in (data, held))
    query = QueryHalf(data.features.shape[-1], embedding.shape[1])
    if arguments.begin_with:
        begun = load_file(arguments.begin_with)
        query.load_state_dict({name: begun[name].float() for name in query.state_dict()})
    begin_list(query, data.features[:AIMED].float())
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
            save_file(
                {name: value.contiguous() for name, value in query.state_dict().items()},
                part / "qformer.safetensors",
            )
        lesson.validate(held, step)

    loop.train(
        "stage0", arguments.out / "checkpoints", budget, {"query": query}, optimizer, lesson,
        seed=arguments.seed, resume=arguments.resume, at_checkpoint=publish, factor=lambda p: loop.plateau(p, 0.01, 0.4),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
