"""QLoRA and small optimizers by bitsandbytes, on the processor; figures for TensorBoard and Weights & Biases."""

from __future__ import annotations

import json
import sys
import types

import pytest
import torch
from safetensors.torch import load_file
from textbind_trainer import stage2
from textbind_trainer.model import QformerShape, language_state, load_model
from tiny_parts import SHAPE

needs_library = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("bitsandbytes") is None, reason="needs bitsandbytes"
)


def last(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@needs_library
def test_adapters_over_four_bits_merge_to_what_they_compute(parts):
    from textbind_trainer.lora import add_lora, keep_in_four_bits
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = load_model(None, parts / "language", QformerShape.from_json(SHAPE), None, vision_hidden=24)
    plain = AutoModelForCausalLM.from_pretrained(parts / "language")
    add_lora(model.language_model, 3, 6, 3)
    keep_in_four_bits(model.language_model, torch.device("cpu"), torch.float32)
    for parameter in model.language_model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    layer = model.language_model.model.layers[0].self_attn.q_proj
    assert layer.base.weight.dtype == torch.uint8 and layer.base.weight.numel() == 32 * 32 // 2
    state = language_state(model)
    assert all(value.dtype == torch.float32 for value in state.values())
    before = plain.model.layers[0].mlp.up_proj.weight.detach().clone()
    assert set(plain.load_state_dict(state, strict=False).missing_keys) <= {"lm_head.weight"}
    assert not torch.equal(before, plain.model.layers[0].mlp.up_proj.weight)
    ids = torch.randint(0, 250, (2, 9))
    with torch.no_grad():
        got, want = model.language_model(input_ids=ids).logits, plain(ids).logits
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)


@needs_library
@pytest.mark.parametrize("fields", [{"lora": {"rank": 2, "bits": 4}}, {"optimizer": "adam8bit"}])
def test_a_run_learns_and_resumes_to_the_same_bits(fields, run_file, tmp_path, capsys):
    # At warm-up both climb alike, however long the run is said to be.
    common = fields | {"warmupSteps": 9, "learningRate": 1e-3}
    for name, steps in (("whole", (4,)), ("part", (2, 4))):
        for each in steps:
            assert (
                stage2.main(["--config", str(run_file(2, name, steps=each, **common)), "--accept-changes"])
                == 0
            )
    losses = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    checks = [event["loss"] for event in losses if event["event"] == "validation"]
    assert checks[-1] < checks[0]
    for file in ("qformer.safetensors", "language/model.safetensors"):
        left, right = (load_file(tmp_path / name / "model" / file) for name in ("whole", "part"))
        assert all(left[name].equal(right[name]) for name in left)


@pytest.mark.parametrize("fields", [{"lora": {"rank": 2, "bits": 4}}, {"optimizer": "adam8bit"}])
def test_without_the_package_it_says_what_to_install(fields, run_file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert stage2.main(["--config", str(run_file(2, **fields))]) == 2
    assert "pip install bitsandbytes==" in last(capsys)["message"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_paged_states_need_a_gpu(run_file, capsys):
    assert stage2.main(["--config", str(run_file(2, optimizer="pagedAdam8bit"))]) == 2
    assert "there is no GPU" in last(capsys)["message"]


@pytest.mark.parametrize("fields", [{"lora": {"bits": 4}}, {"optimizer": "adam8bit"}])
def test_shards_are_not_in_four_bits(fields, run_file, capsys):
    assert stage2.main(["--config", str(run_file(2, sharding="fsdp", **fields))]) == 2
    assert '"sharding": "none"' in last(capsys)["message"]


@pytest.mark.parametrize("tool", ["tensorboard", "wandb"])
def test_without_a_tool_that_is_asked_for_the_run_says_so(tool, run_file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard" if tool == "tensorboard" else tool, None)
    assert stage2.main(["--config", str(run_file(2, reports=[tool]))]) == 2
    assert f"pip install {tool}" in last(capsys)["message"]


def test_figures_go_to_weights_and_biases_where_asked(run_file, tmp_path, capsys, monkeypatch):
    """A stand-in of the package's own three calls: what would be told it, and that it is left offline."""
    told: list = []
    run = types.SimpleNamespace(
        log=lambda figures, step: told.append((step, figures)), finish=lambda: told.append("end")
    )
    module = types.SimpleNamespace(init=lambda **given: told.append(given) or run)
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert stage2.main(["--config", str(run_file(2, reports=["wandb"]))]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0]["mode"] == "offline" and told[0]["dir"] == str(tmp_path / "run") and told[-1] == "end"
    losses = {event["step"]: event["loss"] for event in events if event["event"] == "step"}
    assert {step: figures["train/loss"] for step, figures in told[1:-1] if "train/loss" in figures} == losses
    # A run that does not ask has nothing to do with it.
    told.clear()
    assert stage2.main(["--config", str(run_file(2, "other"))]) == 0 and told == []


def test_figures_go_to_tensorboard_where_asked(run_file, tmp_path, capsys):
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert stage2.main(["--config", str(run_file(2, reports=["tensorboard"]))]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    read = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    read.Reload()
    losses = [event["loss"] for event in events if event["event"] == "step"]
    assert [point.value for point in read.Scalars("train/loss")] == pytest.approx(losses)
    assert len(read.Scalars("validation/loss")) == len([e for e in events if e["event"] == "validation"])
