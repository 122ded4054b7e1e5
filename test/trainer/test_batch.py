"""Labels, positions and the mask of appended captions, against slow constructions of their own."""

from __future__ import annotations

import random

import pytest
import torch
from textbind_trainer.batch import IGNORED, attention_mask, build_example, pack
from textbind_trainer.model import QformerShape, load_model
from textbind_trainer.prompt import Segment
from tiny_parts import QUERIES

IMAGE, START, END, PAD = 90, 91, 92, 0
PICTURE = [IMAGE] * 3


def example(limit: int = 1000):
    segments = [
        Segment([1, 5, *PICTURE, 6]), Segment([7, 8, *PICTURE, 9, 2], True),
        Segment([1, 10]), Segment([11, *PICTURE, *PICTURE, 2], True),
    ]  # fmt: skip
    captions = [[START, 20, 21, END], [START, 30, END], [START, 40, 41, 42, END]]
    return build_example(segments, captions, image_id=IMAGE, start_id=START, queries=3, limit=limit)


def slow_mask(dialogue: int, captions: list[tuple[int, int, int]], length: int) -> torch.Tensor:
    """Cell by cell, from the rule in words. captions: (first index, size, where its picture begins)."""
    mask = torch.zeros(length, length, dtype=torch.bool)
    for row in range(length):
        for column in range(length):
            if row < dialogue:
                mask[row, column] = column <= row
                continue
            for first, size, cut in captions:
                if first <= row < first + size:
                    mask[row, column] = column < cut or first <= column <= row
    return mask


def test_labels_positions_and_mask():
    built = example()
    i = IGNORED
    dialogue = [i, i, i, i, i, i, 7, 8, START, i, i, 9, 2, i, i, 11, START, i, i, START, i, i, 2]
    assert built.labels == [*dialogue, i, 20, 21, END, i, 30, END, i, 40, 41, 42, END]
    assert built.positions == [*range(23), 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]
    assert built.images == [0, 1, 2, 3]
    want = slow_mask(23, [(23, 4, 8), (27, 3, 16), (30, 5, 19)], 35)
    assert torch.equal(attention_mask(built), want)


def test_a_batch_sees_what_its_examples_see():
    """Cell by cell: dialogues causal without a mask, captions as alone, padding nothing but itself."""
    examples = [example(), example(limit=20), example(limit=8)]
    batch = pack(examples, IMAGE, PAD)
    owns = [built.blocks.count(0) for built in examples]
    dialogues = max(owns)
    assert batch.mask.shape == (3, batch.ids.shape[1] - dialogues, batch.ids.shape[1])
    for row, (built, own) in enumerate(zip(examples, owns, strict=True)):
        whole = attention_mask(built)
        assert torch.equal(whole[:own, :own], torch.ones(own, own, dtype=torch.bool).tril())
        assert not whole[:own, own:].any()
        # Where each of its places lies in the batch.
        at = [*range(own), *range(dialogues, dialogues + len(built.ids) - own)]
        for name in ("ids", "labels", "positions"):
            assert getattr(batch, name)[row, at].tolist() == getattr(built, name)
        rest = sorted(set(range(batch.ids.shape[1])) - set(at))
        assert (batch.labels[row, rest] == IGNORED).all()
        for place, line in zip(at[own:], whole[own:], strict=True):
            seen = torch.zeros(batch.ids.shape[1], dtype=torch.bool)
            seen[at] = line
            assert torch.equal(batch.mask[row, place - dialogues], seen)
        for place in (place for place in rest if place >= dialogues):
            assert batch.mask[row, place - dialogues].nonzero().flatten().tolist() == [place]


def test_without_captions_there_is_no_mask():
    built = build_example(
        [Segment([1, 5]), Segment([6, 7, 2], True)], [], image_id=IMAGE, start_id=START, queries=3, limit=99
    )
    assert pack([built, built], IMAGE, PAD).mask is None


@pytest.mark.parametrize("limit", range(1, 40))
def test_truncation_never_cuts_a_picture(limit):
    built = example(limit)
    assert len(built.ids) <= limit
    places = [token == IMAGE for token in built.ids]
    assert sum(places) == 3 * len(built.images)
    dialogue = built.blocks.count(0)
    assert built.ids[:dialogue] == example().ids[:dialogue]
    kept_drawn = [label for label in built.labels[:dialogue] if label == START]
    assert len(kept_drawn) == len(built.cuts) == len(set(built.blocks) - {0})


def test_caption_count_must_match():
    with pytest.raises(ValueError, match="1 assistant pictures but 0 captions"):
        build_example([Segment(PICTURE, True)], [], image_id=IMAGE, start_id=START, queries=3, limit=99)


def test_one_pass_equals_separate_passes(parts):
    """A caption's logits are those of the plain sequence cut at its picture; the dialogue's are untouched."""
    shape = QformerShape.from_json(
        {
            "numQueryTokens": QUERIES,
            "numHiddenLayers": 2,
            "numAttentionHeads": 2,
            "hiddenSize": 16,
            "intermediateSize": 32,
        }
    )
    model = load_model(parts / "vision", parts / "language", shape, None).eval()
    random_ = random.Random(1)
    words = lambda count: [random_.randrange(3, 250) for _ in range(count)]
    picture = [IMAGE] * QUERIES
    segments = [
        Segment(words(5) + picture + words(4)),
        Segment(words(3) + picture + words(2) + picture + words(1), True),
    ]
    captions = [[START, *words(6), END], [START, *words(3), END]]
    built = build_example(segments, captions, image_id=IMAGE, start_id=START, queries=QUERIES, limit=999)
    pixels = torch.randn(3, 3, 16, 16)
    embeddings = model.embed_features(model.image_features(pixels))

    def logits(ids, positions, mask, pictures):
        ids = torch.tensor([ids])
        hidden = model.hidden_states(
            ids, ids == IMAGE, embeddings[:pictures], mask[None], torch.tensor([positions])
        )
        return model.logits(hidden)[0]

    with torch.no_grad():
        together = logits(built.ids, built.positions, attention_mask(built), 3)
        size = built.blocks.count(0)
        causal = lambda n: torch.ones(n, n, dtype=torch.bool).tril()
        dialogue = logits(built.ids[:size], list(range(size)), causal(size), 3)
        torch.testing.assert_close(together[:size], dialogue, atol=1e-5, rtol=1e-4)
        first = size
        for cut, caption, pictures in zip(built.cuts, captions, (1, 2), strict=True):
            ids = built.ids[:cut] + caption
            alone = logits(ids, list(range(len(ids))), causal(len(ids)), pictures)
            torch.testing.assert_close(
                together[first : first + len(caption)], alone[cut:], atol=1e-5, rtol=1e-4
            )
            first += len(caption)
