"""Replies on the way: what is asked, what is told, and that a run learns the same with them as without."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from textbind_trainer import elsewhere, loop, stage1, stage2
from tiny_parts import SENTENCES, picture_bytes
from two_processes import torchrun

CRAMPED = Path(__file__).with_name("cramped_stage.py")
STAGES = {1: stage1, 2: stage2}


def events(capsys, kind: str | None = None) -> list[dict]:
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [event for event in seen if kind in (None, event["event"])]


def trained(output) -> dict[str, torch.Tensor]:
    return load_file(output / "model" / "qformer.safetensors")


@pytest.fixture
def asked(tmp_path):
    """Prompts with a picture and without, and one held-back row."""
    (tmp_path / "mine.png").write_bytes(picture_bytes(9))
    prompts = [{"text": SENTENCES[0], "images": ["mine.png"]}, {"text": "Hello"}]
    return {"prompts": prompts, "heldBack": 1, "maxTokens": 6}


@pytest.mark.parametrize(
    ("stage", "extra"), [(1, {}), (2, {}), (2, {"lora": {"rank": 2}, "activationCheckpointing": True})]
)
def test_replies_stand_beside_every_validation_and_change_no_weight(
    stage, extra, run_file, asked, tmp_path, capsys
):
    assert STAGES[stage].main(["--config", str(run_file(stage, "plain", **extra))]) == 0
    assert not [event for event in events(capsys) if event["event"] in ("prompts", "replies")]
    assert STAGES[stage].main(["--config", str(run_file(stage, "asking", samples=asked, **extra))]) == 0
    seen = events(capsys)
    names = [event["event"] for event in seen]
    assert names.count("prompts") == 1
    assert names.index("prompts") < names.index("replies")
    replies = [event for event in seen if event["event"] == "replies"]
    assert [event["step"] for event in replies] == [
        event["step"] for event in seen if event["event"] == "validation"
    ]
    prompts = next(event for event in seen if event["event"] == "prompts")["prompts"]
    assert [prompt["text"] for prompt in prompts[:2]] == [f"<image> {SENTENCES[0]}", "Hello"]
    small = prompts[0]["pictures"][0].removeprefix("data:image/jpeg;base64,")
    assert base64.b64decode(small).startswith(b"\xff\xd8")
    assert [prompt["wanted"] is None for prompt in prompts] == [True, True, False]
    assert prompts[2]["wanted"].startswith("a cat number" if stage == 1 else "It is a cat.")
    assert all(len(event["replies"]) == 3 for event in replies)
    before, after = trained(tmp_path / "plain"), trained(tmp_path / "asking")
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("stage", "extra"), [(1, {}), (2, {"lora": {"rank": 2}, "activationCheckpointing": True})]
)
def test_shards_answer_together_what_one_process_answers_and_learn_the_same_bits(
    stage, extra, run_file, asked, tmp_path, capsys
):
    """With room for all layers' weights at once, and without: then fewer tokens, which the event says."""
    capsys.readouterr()
    assert STAGES[stage].main(["--config", str(run_file(stage, "one", samples=asked, **extra))]) == 0
    want = events(capsys, "replies")
    shards = extra | {"sharding": "fsdp"}
    torchrun(run_file(stage, "plain", **shards), stage)
    roomy = torchrun(run_file(stage, "roomy", samples=asked, **shards), stage)
    cramped = torchrun(run_file(stage, "cramped", samples=asked, **shards), stage, CRAMPED)
    of = lambda seen: [event for event in seen if event["event"] == "replies"]
    assert [(e["step"], e["cutAt"], e["replies"]) for e in of(roomy)] == [
        (e["step"], None, e["replies"]) for e in want
    ]
    assert any(len(reply["text"]) > 3 for event in want for reply in event["replies"])
    for full, cut in zip(want, of(cramped), strict=True):
        assert (cut["step"], cut["cutAt"]) == (full["step"], 3)
        for whole, part in zip(full["replies"], cut["replies"], strict=True):
            assert whole["text"].startswith(part["text"].rstrip("\ufffd"))
    plain = trained(tmp_path / "plain")
    for name in ("roomy", "cramped"):
        after = trained(tmp_path / name)
        assert all(torch.equal(plain[key], after[key]) for key in plain)


def test_replies_are_those_of_the_weights_as_they_are_then(run_file, asked, tmp_path, capsys, monkeypatch):
    """A run that goes on says after its last step what the unbroken one says."""
    assert stage2.main(["--config", str(run_file(2, "whole", samples=asked))]) == 0
    whole = events(capsys, "replies")
    assert whole[0]["replies"] != whole[-1]["replies"]
    part, real = run_file(2, "part", samples=asked), loop.train_step

    def stop_after_two(run):
        result = real(run)
        run.stopping = run.step == 2
        return result

    monkeypatch.setattr(loop, "train_step", stop_after_two)
    assert stage2.main(["--config", str(part)]) == 0
    monkeypatch.setattr(loop, "train_step", real)
    first = events(capsys, "replies")
    assert stage2.main(["--config", str(part)]) == 0
    assert [(event["step"], event["replies"]) for event in [*first, *events(capsys, "replies")]] == [
        (event["step"], event["replies"]) for event in whole
    ]


def test_a_run_may_go_on_with_other_prompts_or_none_unasked(run_file, asked, tmp_path, capsys):
    path = run_file(1, samples=asked)
    assert stage1.main(["--config", str(path)]) == 0
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | {"samples": None}))
    capsys.readouterr()
    assert stage1.main(["--config", str(path)]) == 0
    assert "replies" not in {event["event"] for event in events(capsys)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prompts": [{"text": "x", "images": ["gone.png"]}]}, "samples.prompts.0.images.0"),
        ({"prompts": [{"text": "<image> <image>", "images": ["gone.png"]}]}, "2 <image> in the text"),
        ({"prompts": [{"text": "x"}] * 9}, "samples.prompts"),
        ({"prompts": [{"text": "[INST] x"}]}, "markup tag '[INST]'"),
        ({"maxTokens": 0}, "samples.maxTokens"),
    ],
)
def test_prompts_that_cannot_be_asked_are_refused_by_name(change, said, run_file, capsys):
    assert stage1.main(["--config", str(run_file(1, samples=change))]) == 2
    assert said in events(capsys, "error")[-1]["message"]


def test_prompts_travel_with_a_run_and_come_back(run_file, asked, tmp_path, capsys):
    path, out = run_file(2, samples=asked), tmp_path / "away"
    assert elsewhere.main(["pack", "--config", str(path), "--out", str(out), "--copy"]) == 0
    there = json.loads((out / "run.json").read_text())["samples"]["prompts"][0]["images"]
    assert there == ["samples/0-0.png"]
    assert (out / there[0]).read_bytes() == picture_bytes(9)
    assert elsewhere.main(["back", str(out)]) == 0
    back = json.loads((out / "run.json").read_text())["samples"]["prompts"][0]["images"]
    assert back == [str(tmp_path / "mine.png")]
