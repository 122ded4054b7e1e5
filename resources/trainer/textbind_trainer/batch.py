"""Examples and packed batches: labels, restarted positions and the attention mask of appended captions.

One example is a dialogue followed by the captions of its assistant pictures. A caption stands where its
picture does: its position ids begin at the picture's first position, and it sees the dialogue before the
picture and itself, nothing else. So one forward pass teaches what to draw, when, and how to go on after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .prompt import Segment

IGNORED = -100


@dataclass(frozen=True)
class Caption:
    """An assistant picture's caption: its tokens, and where in the dialogue its picture begins."""

    ids: list[int]
    cut: int


@dataclass(frozen=True)
class Example:
    """One sequence ready to be packed. ``blocks``: 0 for the dialogue, n for the n-th appended caption."""

    ids: list[int]
    labels: list[int]
    positions: list[int]
    blocks: list[int]
    cuts: list[int] = field(default_factory=list)
    images: list[int] = field(default_factory=list)

    @property
    def scored(self) -> int:
        """How many tokens this example is scored on (the first label of a sequence predicts nothing)."""
        return sum(label != IGNORED for label in self.labels[1:])


def _cut_length(length: int, starts: Sequence[int], sizes: dict[int, int], queries: int, limit: int) -> int:
    """The longest dialogue that fits ``limit`` together with the captions of the pictures it keeps whole."""
    keep = min(length, limit)
    while keep > 0:
        for start in starts:
            if start < keep < start + queries:
                keep = start
        total = keep + sum(sizes.get(start, 0) for start in starts if start + queries <= keep)
        if total <= limit:
            return keep
        keep -= 1
    return 0


def build_example(
    segments: Sequence[Segment],
    captions: Sequence[list[int]],
    *,
    image_id: int,
    start_id: int,
    queries: int,
    limit: int,
) -> Example:
    """Labels, positions and appended captions of one conversation.

    captions: token ids of ``<start> caption <end>``, one for each assistant picture in order. Every picture
    takes ``queries`` places. A truncated dialogue loses whole pictures and their captions, never part of one.
    Raises ValueError when captions and assistant pictures do not match.
    """
    ids: list[int] = []
    labels: list[int] = []
    for segment in segments:
        ids.extend(segment.ids)
        labels.extend(segment.ids if segment.by_assistant else [IGNORED] * len(segment.ids))
    places = [index for index, token in enumerate(ids) if token == image_id]
    starts = places[::queries]
    drawn = [start for start in starts if labels[start] != IGNORED]
    if len(drawn) != len(captions):
        raise ValueError(f"{len(drawn)} assistant pictures but {len(captions)} captions")
    for start in drawn:
        labels[start : start + queries] = [start_id] + [IGNORED] * (queries - 1)
    sizes = {start: len(caption) for start, caption in zip(drawn, captions, strict=True)}
    length = _cut_length(len(ids), starts, sizes, queries, limit)
    ids, labels = ids[:length], labels[:length]
    positions, blocks, cuts = list(range(length)), [0] * length, []
    for start, caption in zip(drawn, captions, strict=True):
        if start + queries > length:
            break
        cuts.append(start)
        ids = ids + caption
        labels = labels + [IGNORED, *caption[1:]]
        positions.extend(range(start, start + len(caption)))
        blocks.extend([len(cuts)] * len(caption))
    kept = [index for index, start in enumerate(starts) if start + queries <= length]
    return Example(ids, labels, positions, blocks, cuts, kept)


def attention_mask(example: Example) -> Tensor:
    """Bool [length, length], True where row i may look at column j."""
    length = len(example.ids)
    block = torch.tensor(example.blocks)
    order = torch.arange(length)
    before_or_self = order[None, :] <= order[:, None]
    same_block = block[None, :] == block[:, None]
    cut = torch.tensor([0, *example.cuts])[block]
    sees_dialogue = (block[:, None] > 0) & (block[None, :] == 0) & (order[None, :] < cut[:, None])
    return (before_or_self & same_block) | sees_dialogue


@dataclass(frozen=True)
class Batch:
    """Padded tensors: ids, labels, positions [batch, length]; places bool.

    Dialogues stand in front, padded to the longest, the appended captions behind them. Dialogues need no mask: they are
    causal, padding lies behind them and nothing is scored there, so the fast kernels of attention take them. ``mask``:
    what the captions' rows see, bool [batch, captions, length]; None where there is no caption.
    """

    ids: Tensor
    labels: Tensor
    positions: Tensor
    mask: Tensor | None
    places: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        mask = None if self.mask is None else self.mask.to(device)
        return Batch(
            self.ids.to(device),
            self.labels.to(device),
            self.positions.to(device),
            mask,
            self.places.to(device),
        )


def caption_mask(example: Example, dialogues: int, captions: int) -> Tensor:
    """Bool [captions, dialogues + captions]: the rows of ``attention_mask`` that are captions, columns moved behind the
    longest dialogue of the batch. Padding sees only itself (a row that sees nothing would become NaN).
    """
    own = example.blocks.count(0)
    size = len(example.ids) - own
    mask = torch.zeros(captions, dialogues + captions, dtype=torch.bool)
    if size:
        seen = attention_mask(example)[own:]
        mask[:size, :own] = seen[:, :own]
        mask[:size, dialogues : dialogues + size] = seen[:, own:]
    rest = torch.arange(size, captions)
    mask[rest, dialogues + rest] = True
    return mask


def pack(examples: Sequence[Example], image_id: int, pad_id: int) -> Batch:
    """Pad examples to one length."""
    rows = len(examples)
    owns = [example.blocks.count(0) for example in examples]
    dialogues = max(owns)
    captions = max(len(example.ids) - own for example, own in zip(examples, owns, strict=True))
    ids = torch.full((rows, dialogues + captions), pad_id)
    labels = torch.full((rows, dialogues + captions), IGNORED)
    # Padding goes on counting: positions that jump back would be taken for several sequences packed into one.
    positions = torch.arange(dialogues + captions).repeat(rows, 1)
    for row, (example, own) in enumerate(zip(examples, owns, strict=True)):
        size = len(example.ids) - own
        for place, part in (
            (slice(0, own), slice(0, own)),
            (slice(dialogues, dialogues + size), slice(own, None)),
        ):
            ids[row, place] = torch.tensor(example.ids[part], dtype=torch.long)
            labels[row, place] = torch.tensor(example.labels[part], dtype=torch.long)
            positions[row, place] = torch.tensor(example.positions[part], dtype=torch.long)
    mask = (
        torch.stack([caption_mask(example, dialogues, captions) for example in examples])
        if captions
        else None
    )
    return Batch(ids, labels, positions, mask, ids == image_id)
