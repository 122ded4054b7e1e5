"""Loss and every gradient of both stages equal an independent implementation (independent.py), in fp32 to 1e-5."""

from __future__ import annotations

import json

import pytest
import torch
from independent import Losses
from textbind_trainer import loop, stage1, stage2
from textbind_trainer.captions import TEMPLATES
from textbind_trainer.config import read_config
from textbind_trainer.images import ImageProcessor, decode_image
from textbind_trainer.prompt import encode_text
from tiny_parts import SHAPE, conversations

CPU = torch.device("cpu")
TURN = lambda role, content, images=(), captions=(): {
    "role": role, "content": content, "image_list": list(images), "caption_list": list(captions),
}  # fmt: skip
ROWS = {
    "zero": [conversations()[0], conversations()[2]],
    "one": [{"conversation": [TURN("user", "Draw <image> anew", ["a.png"]), TURN("assistant", "<image>", ["b.png"], ["a cat"])]}],
    "several": [
        conversations()[1],
        {"conversation": [TURN("user", "Two"), TURN("assistant", "<image><image>", ["a.png", "b.png"], ["a", "a blue dog"])]},
    ],
}  # fmt: skip
ROWS["all"] = [row for rows in ROWS.values() for row in rows]


def leaves(run: loop.Run) -> dict[str, torch.Tensor]:
    """Every weight of the model by its name, those that are trained with a gradient of their own."""
    state = {name: value.detach().clone() for name, value in run.model.state_dict().items()}
    for name in run.parameters:
        state[name].requires_grad_(True)
    return state


def losses(run: loop.Run, state: dict[str, torch.Tensor]) -> Losses:
    tokenizer = run.source.tokens.tokenizer
    config = run.model.language_model.config.to_dict()
    return Losses(
        state,
        config,
        SHAPE,
        lambda text: encode_text(tokenizer, text),
        run.image_id,
        run.source.tokens.start_id,
    )


def shown(run: loop.Run, parts, data: bytes) -> torch.Tensor:
    pixels = ImageProcessor.load(parts / "vision").pixels(decode_image(data))
    return run.model.image_features(pixels[None])[0]


def compare(run: loop.Run, total: torch.Tensor, check: Losses, state: dict[str, torch.Tensor]) -> None:
    samples = loop.next_samples(run)
    scored = sum(sample.example.scored for sample in samples)
    assert scored == check.scored
    got = loop.add_gradients(run, samples, scored).item() / scored
    (total / scored).backward()
    assert got == pytest.approx((total / scored).item(), abs=1e-5)
    worst = {
        n: (p.grad - state[n].grad).abs().max().item()
        for n, p in run.parameters.items()
        if p.grad is not None
    }
    # A weight that neither touched has no gradient on either side.
    assert all(state[n].grad is None for n in set(run.parameters) - set(worst))
    name = max(worst, key=worst.__getitem__)
    assert worst[name] <= 1e-5, f"{name}: {worst[name]}"
    assert max(p.grad.abs().max().item() for p in run.parameters.values() if p.grad is not None) > 1e-3


@pytest.mark.parametrize("micro", [1, 3])
@pytest.mark.parametrize("pictures", [*ROWS])
def test_stage_2(pictures, micro, run_file, parts, tmp_path):
    (tmp_path / "rows.json").write_text(json.dumps(ROWS[pictures]))
    data = {"conversations": str(tmp_path / "rows.json"), "images": str(parts / "images")}
    path = run_file(2, data=data, batchSize=len(ROWS[pictures]), microBatchSize=micro, maxLength=400)
    run = stage2.build(read_config(path), CPU)
    state = leaves(run)
    check, total = losses(run, state), torch.zeros(())
    tokenizer = run.source.tokens.tokenizer
    for row in ROWS[pictures]:
        turns = row["conversation"]
        pairs = [(u["content"], a["content"]) for u, a in zip(turns[::2], turns[1::2], strict=True)]
        names = [name for turn in turns for name in turn["image_list"]]
        captions = [caption for turn in turns[1::2] for caption in turn["caption_list"]]
        seen = [shown(run, parts, (parts / "images" / name).read_bytes()) for name in names]
        total = total + check.conversation(pairs, seen, captions, tokenizer.bos_token, tokenizer.eos_token)
    compare(run, total, check, state)


def test_stage_1(run_file, parts):
    """The frozen language model has no gradient; each sample's template is one of the twenty."""
    run = stage1.build(read_config(run_file(1, batchSize=6, microBatchSize=4)), CPU)
    state = leaves(run)
    check, total = losses(run, state), torch.zeros(())
    tokenizer = run.source.tokens.tokenizer
    for position in range(6):
        row = run.source.sequence[position]
        caption, picture = row.load()
        ids = run.source.sample(position).example.ids
        sides = (tokenizer.bos_token, tokenizer.eos_token)
        alike = [t for t in TEMPLATES if _prompt(tokenizer, t, caption, sides) == ids]
        assert len(alike) == 1
        total = total + check.conversation([(alike[0], caption)], [shown(run, parts, picture)], [], *sides)
    assert not any(name.startswith("language_model.") for name in run.parameters)
    compare(run, total, check, state)


def _prompt(tokenizer, template: str, caption: str, sides: tuple[str, str]) -> list[int]:
    asked = template.replace("<image>", "<image>" * SHAPE["numQueryTokens"])
    return encode_text(tokenizer, f"{sides[0]}[INST] {asked} [/INST]") + encode_text(
        tokenizer, f"{caption} {sides[1]}"
    )
