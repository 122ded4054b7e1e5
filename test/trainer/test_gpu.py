"""What only GPUs can show: the same curves as on the processor, paged states, four bits, shards over two of them.

Skipped by name where there is none; nothing here stands in for one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from textbind_trainer import stage1, stage2
from two_processes import torchrun

STAGES = {1: stage1, 2: stage2}
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
needs_two = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")


def curve(events: list[dict]) -> list[float]:
    return [event["loss"] for event in events if event["event"] in ("step", "validation")]


def run(stage: int, path: Path, capsys) -> list[dict]:
    capsys.readouterr()
    assert STAGES[stage].main(["--config", str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def on_processor(stage: int, run_file, capsys, monkeypatch, **fields) -> list[dict]:
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        return run(stage, run_file(stage, "processor", **fields), capsys)


@needs_gpu
@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize(("precision", "within"), [("fp32", 1e-3), ("bf16", 0.05)])
def test_a_gpu_follows_the_curve_of_the_processor(stage, precision, within, run_file, capsys, monkeypatch):
    fields = {"learningRate": 1e-3, "samples": {"prompts": [{"text": "Hello"}], "maxTokens": 6}}
    want = on_processor(stage, run_file, capsys, monkeypatch, **fields)
    got = run(stage, run_file(stage, "gpu", precision=precision, **fields), capsys)
    assert got[0]["device"].startswith("cuda") and got[0]["precision"] == precision
    assert curve(got) == pytest.approx(curve(want), abs=within)
    assert [e["event"] for e in got] == [e["event"] for e in want]
    assert next(e for e in got if e["event"] == "step")["memoryBytes"] > 0


@needs_gpu
@pytest.mark.parametrize(
    "fields",
    [
        {"lora": {"rank": 2, "bits": 4}, "activationCheckpointing": True},
        {"optimizer": "pagedAdam"},
        {"optimizer": "pagedAdam8bit"},
        {"optimizer": "adam8bit"},
    ],
)
def test_four_bits_and_small_or_paged_states_learn_and_resume(fields, run_file, tmp_path, capsys):
    common = fields | {"warmupSteps": 9, "learningRate": 1e-3}
    whole = run(2, run_file(2, "whole", steps=4, **common), capsys)
    checks = [event["loss"] for event in whole if event["event"] == "validation"]
    assert checks[-1] < checks[0]
    run(2, run_file(2, "part", steps=2, **common), capsys)
    path = run_file(2, "part", steps=4, **common)
    capsys.readouterr()
    assert stage2.main(["--config", str(path), "--accept-changes"]) == 0
    left, right = (load_file(tmp_path / name / "model" / "qformer.safetensors") for name in ("whole", "part"))
    for name, value in left.items():
        torch.testing.assert_close(right[name], value, atol=1e-4, rtol=1e-3)


@needs_two
@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize(
    "fields", [{"sharding": "none"}, {"sharding": "fsdp"}, {"sharding": "fsdp", "offload": True}]
)
def test_two_gpus_follow_the_curve_of_one(stage, fields, run_file, capsys):
    common = {
        "batchSize": 5,
        "learningRate": 1e-3,
        "samples": {"prompts": [{"text": "Hello"}], "maxTokens": 6},
    }
    one = run(stage, run_file(stage, "one", **common), capsys)
    two = torchrun(run_file(stage, "two", **(common | fields)), stage, gpus=True)
    assert two[0]["processes"] == 2 and [e["event"] for e in two] == [e["event"] for e in one]
    assert curve(two) == pytest.approx(curve(one), abs=1e-3)
