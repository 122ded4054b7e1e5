"""Ways to fit and to hurry do not change what is learnt: shards, recomputed activations, kept features, bf16."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from textbind_trainer import loop, precision, stage1, stage2
from textbind_trainer.checkpoint import load_checkpoint, newest_checkpoint
from textbind_trainer.config import read_config
from two_processes import torchrun

STAGES = {1: stage1, 2: stage2}


def curve(events: list[dict]) -> list[float]:
    """Every loss that a run tells of."""
    return [event["loss"] for event in events if event["event"] in ("step", "validation")]


def run(stage: int, path: Path, capsys) -> list[dict]:
    capsys.readouterr()
    assert STAGES[stage].main(["--config", str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def trained(output: Path) -> dict[str, torch.Tensor]:
    state = load_file(output / "model" / "qformer.safetensors")
    language = output / "model" / "language" / "model.safetensors"
    return state | (load_file(language) if language.exists() else {})


@pytest.mark.parametrize(
    ("stage", "fields"),
    [
        (1, {"sharding": "none"}),
        (1, {"sharding": "fsdp"}),
        (2, {"sharding": "none"}),
        (2, {"sharding": "fsdp"}),
        (2, {"sharding": "fsdp", "activationCheckpointing": True, "lora": {"rank": 2}}),
    ],
)
def test_two_processes_follow_the_curve_of_one(stage, fields, run_file, tmp_path, capsys):
    """Of five samples a step one process has three, the other two: in other micro-batches, some without pictures."""
    common = {"batchSize": 5, "learningRate": 1e-3, "lora": fields.get("lora")}
    one = run(stage, run_file(stage, "one", **common), capsys)
    two = torchrun(run_file(stage, "two", **(common | fields)), stage)
    assert two[0]["processes"] == 2 and [e["event"] for e in two] == [e["event"] for e in one]
    assert curve(two) == pytest.approx(curve(one), abs=1e-4)
    left, right = trained(tmp_path / "one"), trained(tmp_path / "two")
    assert {name: value.shape for name, value in left.items()} == {n: v.shape for n, v in right.items()}
    # Where a gradient is next to nothing Adam's step is a matter of rounding: at most a step and a half in all.
    assert max((left[name] - right[name]).abs().max().item() for name in left) < 5e-3


def test_one_process_goes_on_where_two_with_shards_were(run_file, tmp_path, capsys):
    fields = {"learningRate": 1e-3}
    whole = run(2, run_file(2, "whole", **fields), capsys)
    torchrun(run_file(2, "part", **fields, sharding="fsdp", keepCheckpoints=9), 2)
    folder = newest_checkpoint(tmp_path / "part" / "checkpoints")
    tensors, optimizer, _ = load_checkpoint(folder)
    assert all(type(value) is torch.Tensor for value in tensors.values())
    assert all(type(v) is torch.Tensor for s in optimizer["state"].values() for v in s.values())
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    again = run(2, run_file(2, "part", **fields), capsys)
    assert again[0]["resumed"] and again[0]["step"] == 2
    assert curve(again)[-1] == pytest.approx(curve(whole)[-1], abs=1e-4)


@pytest.mark.parametrize("stage", [1, 2])
def test_rows_packed_together_have_the_loss_and_gradients_of_rows_alone(stage, run_file):
    """One row at a time, a few, all at once in whatever order: what a row adds does not hang on its neighbours."""
    built = STAGES[stage].build(read_config(run_file(stage)), torch.device("cpu"))
    samples = [built.source.sample(position) for position in range(9)]
    assert len({len(sample.example.ids) for sample in samples}) > (2 if stage == 2 else 0)

    def passed(size: int, order: list) -> tuple[float, dict[str, torch.Tensor]]:
        built.config = replace(built.config, micro_batch_size=size)
        built.optimizer.zero_grad(set_to_none=True)
        loss = loop.add_gradients(built, order, 100.0).item()
        return loss, {n: p.grad.clone() for n, p in built.parameters.items() if p.grad is not None}

    loss, alone = passed(1, samples)
    for size, order in ((4, samples), (9, samples), (9, samples[::-1])):
        other, together = passed(size, order)
        assert other == pytest.approx(loss, rel=1e-5)
        assert set(together) == set(alone)
        for name, gradient in alone.items():
            scale = gradient.abs().max().item()
            assert (together[name] - gradient).abs().max().item() <= 1e-5 * max(scale, 1), name


@pytest.mark.parametrize("stage", [1, 2])
def test_recomputed_activations_give_the_same_bits(stage, run_file, tmp_path, capsys):
    run(stage, run_file(stage, "plain"), capsys)
    run(stage, run_file(stage, "recomputed", activationCheckpointing=True), capsys)
    plain, recomputed = trained(tmp_path / "plain"), trained(tmp_path / "recomputed")
    assert all(torch.equal(plain[name], recomputed[name]) for name in plain)


@pytest.mark.parametrize("stage", [1, 2])
def test_kept_features_follow_the_curve_and_are_computed_once(stage, run_file, tmp_path, capsys, monkeypatch):
    from textbind_trainer.model import TextBindModel

    plain = run(stage, run_file(stage, "plain"), capsys)
    seen: list[int] = []
    real = TextBindModel.image_features

    def counted(self, pixels):
        seen.append(pixels.shape[0])
        return real(self, pixels)

    monkeypatch.setattr(TextBindModel, "image_features", counted)
    cache = tmp_path / "features"
    kept = run(stage, run_file(stage, "kept", featureCache=str(cache)), capsys)
    files = sorted(cache.glob("*/*/*.safetensors"))
    assert sum(seen) == 1 + len(files)  # one to learn the size
    caching = next(event for event in kept if event["event"] == "caching")
    size = load_file(files[0])["features"]
    assert caching["bytes"] == caching["total"] * size.numel() * 4 and caching["total"] >= len(files)
    assert curve(kept) == pytest.approx(curve(plain), abs=1e-4)
    # A second run computes nothing, a damaged file is written anew, and another encoder has features of its own.
    files[0].write_bytes(b"cut")
    seen.clear()
    again = run(stage, run_file(stage, "again", featureCache=str(cache)), capsys)
    assert sum(seen) == 2 and curve(again) == curve(kept)
    assert load_file(files[0])["features"].shape == size.shape


def test_another_encoder_has_another_key(parts, tmp_path):
    import shutil

    from textbind_trainer.images import ImageProcessor
    from textbind_trainer.views import encoder_key

    processor = ImageProcessor.load(parts / "vision")
    shutil.copytree(parts / "vision", tmp_path / "vision")
    same = encoder_key(tmp_path / "vision", processor, "fp32")
    assert same == encoder_key(parts / "vision", processor, "fp32")
    assert same != encoder_key(parts / "vision", processor, "bf16")
    weights = tmp_path / "vision" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert same != encoder_key(tmp_path / "vision", processor, "fp32")


@pytest.mark.parametrize("stage", [1, 2])
def test_bf16_keeps_fp32_masters(stage, run_file, tmp_path, capsys):
    """The curve is that of fp32 but for bf16's rounding; what is trained and kept is fp32."""
    plain = run(stage, run_file(stage, "plain"), capsys)
    half = run(stage, run_file(stage, "half", precision="bf16"), capsys)
    assert half[0]["precision"] == "bf16" and plain[0]["precision"] == "fp32"
    assert curve(half) == pytest.approx(curve(plain), abs=0.05) and curve(half) != curve(plain)
    tensors, optimizer, state = load_checkpoint(newest_checkpoint(tmp_path / "half" / "checkpoints"))
    assert {value.dtype for value in tensors.values()} == {torch.float32}
    assert {s["exp_avg"].dtype for s in optimizer["state"].values()} == {torch.float32}
    assert state["precision"] == "bf16"


def test_auto_takes_bf16_only_where_the_probe_is_clear(monkeypatch):
    cpu = torch.device("cpu")
    for half, want in ((0.4, "bf16"), (0.6, "fp32"), (2.0, "fp32")):
        monkeypatch.setattr(
            precision, "probe_seconds", lambda dtype, h=half: 1.0 if dtype == torch.float32 else h
        )
        assert precision.choose_precision("auto", cpu) == want
    assert (
        precision.choose_precision("fp32", cpu) == "fp32"
        and precision.choose_precision("bf16", cpu) == "bf16"
    )
    monkeypatch.undo()
    assert 0 < precision.probe_seconds(torch.bfloat16, 16, 16, 1) < 1
