"""What the preflight counts and proposes, against real models and real steps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from textbind_trainer import fit, preflight, stage1, stage2
from textbind_trainer.config import read_config
from textbind_trainer.fit import Estimator, Machine, Measured, Setting, Sizes, Work

STAGES = {1: stage1, 2: stage2}
GIB = 2**30
# Llama-2-7b with BLIP-2's parts: rounded.
LLAMA = Sizes(1_000_000_000, 105_000_000, 6_738_000_000, 32, 4096, 4096, 11008, 32003, False)
WORK = Work(2, "bf16", 768, 0.5)


def event(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def on(free_gib: float, gpus: int = 1, device: str = "cuda:0") -> Machine:
    return Machine(device, 0, int(free_gib * GIB), gpus, True)


@pytest.mark.parametrize(("stage", "lora"), [(1, None), (2, None), (2, {"rank": 4})])
def test_counts_of_parameters_are_those_of_the_built_run(stage, lora, run_file):
    config = read_config(run_file(stage, lora=lora))
    run = STAGES[stage].build(config, torch.device("cpu"))
    real = sum(parameter.numel() for parameter in run.parameters.values())
    sizes = fit.sizes_of(config)
    assert fit.trained_parameters(sizes, fit.setting_of(config), stage) == real
    every = sum(p.numel() for p in [*run.model.parameters(), *run.model.vision.parameters()])
    adapters = real - sizes.qformer if lora else 0
    assert sizes.frozen + sizes.qformer + sizes.language + adapters == every


def test_saved_tensors_of_a_layer_are_what_the_formula_says(run_file):
    """Bytes that autograd keeps for one sample of a real model, by hooks: within a third, with and without recomputing."""
    for checkpointing in (False, True):
        config = read_config(
            run_file(2, precision="fp32", activationCheckpointing=checkpointing, microBatchSize=1)
        )
        run = stage2.build(config, torch.device("cpu"))
        ids = torch.randint(0, 250, (1, 192))
        held: dict[int, int] = {}

        def pack(tensor: torch.Tensor, held: dict[int, int] = held) -> torch.Tensor:
            if not isinstance(tensor, torch.nn.Parameter) and tensor.is_floating_point():
                storage = tensor.untyped_storage()
                held[storage.data_ptr()] = storage.nbytes()
            return tensor

        own = {p.untyped_storage().data_ptr() for p in run.model.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            output = run.model.language_model.model(
                inputs_embeds=run.model.embed_tokens(ids), use_cache=False
            )
        kept = sum(size for place, size in held.items() if place not in own)
        sizes = fit.sizes_of(config)
        # The layer that is computed anew is not there yet, and no logits are.
        formula = fit.kept_bytes(sizes, fit.setting_of(config), Work(2, "fp32", 192, 0))
        if checkpointing:
            formula -= 192 * 4 * (7 * sizes.hidden + 2 * sizes.key_value + 4 * sizes.intermediate)
        assert output.last_hidden_state.requires_grad
        assert kept == pytest.approx(formula, rel=0.34)


def test_the_paper_s_size_fits_where_it_is_known_to():
    """Full training of 7 B parameters needs over 100 GB on one GPU; QLoRA does with 16 of them."""
    asked = Setting(1)
    for free, wanted in ((16, "qlora"), (24, "loraCheckpointing"), (28, "lora"), (160, "asked")):
        options = Estimator(LLAMA, WORK, on(free), asked, None).options(lambda _setting: None)
        first = next(option["name"] for option in options if option["fits"] and option["needs"] is None)
        assert first == wanted, (free, [(o["name"], o["memoryBytes"] / GIB) for o in options])


def test_what_a_setting_needs_is_said():
    named = lambda machine: {
        option["name"]: option["needs"]
        for option in Estimator(LLAMA, WORK, machine, Setting(1), None).options(lambda _setting: None)
    }
    assert named(on(16, 0, "cpu")) | {"lora": 0} == named(on(16, 0, "cpu")) | {"lora": 0}
    assert (named(on(16, 0, "cpu"))["qlora"], named(on(16, 0, "cpu"))["offload"]) == ("cuda", "cuda")
    assert (named(on(16))["qlora"], named(on(16))["offload"]) == (None, "gpus")
    assert named(on(16, 4))["offload"] is None
    assert named(replace(on(16), has_four_bits=False))["qlora"] == "bitsandbytes"


def test_a_measured_step_corrects_the_others_and_the_largest_batch_that_fits_is_taken():
    asked = Setting(16)
    formula = fit.held_bytes(LLAMA, asked, WORK) + fit.kept_bytes(LLAMA, asked, WORK)
    peak = int(formula + fit.kept_bytes(LLAMA, asked, WORK))  # twice as much is kept as the formula says
    estimator = Estimator(LLAMA, WORK, on(formula / GIB), asked, Measured(peak, 2.0))
    assert estimator.bytes_of(asked) == peak
    half = estimator.bytes_of(replace(asked, micro_batch_size=8))
    assert half == pytest.approx(formula, rel=1e-6)
    options = {option["name"]: option for option in estimator.options(lambda _setting: 1.0)}
    assert options["asked"]["isMeasured"]
    assert options["asked"]["fits"] is False
    micro = options["micro"]
    assert micro["fits"]
    assert micro["microBatchSize"] in (1, 2, 4)
    assert not estimator.fits(Setting(micro["microBatchSize"] * 2))


def test_on_a_processor_nothing_takes_less_than_reading_the_parts():
    sizes = replace(LLAMA, loading=45 * GIB)
    for device, least in (("cpu", 45), ("cuda:0", 0)):
        estimator = Estimator(sizes, WORK, on(500, device=device), Setting(1), None)
        lora = estimator.bytes_of(Setting(1, lora_rank=16)) / GIB
        assert lora == pytest.approx(max(22.9, least), rel=0.02)
    # A peak that reading made corrects nothing.
    measured = Measured(45 * GIB, 1.0)
    told = Estimator(sizes, WORK, on(500, device="cpu"), Setting(1, lora_rank=16), measured)
    assert told.bytes_of(Setting(8, lora_rank=16)) == Estimator(
        sizes, WORK, on(500, device="cpu"), Setting(1), None
    ).bytes_of(Setting(8, lora_rank=16))


@pytest.mark.parametrize("stage", [1, 2])
def test_a_preflight_measures_real_steps_and_says_what_is_free(stage, run_file, tmp_path, capsys):
    path = run_file(stage)
    assert preflight.main(["--config", str(path)]) == 0
    found = event(capsys)
    assert (found["event"], found["steps"]) == ("preflight", 4)
    assert found["secondsPerStep"] > 0
    assert found["memoryTotal"] > found["memoryFree"] > found["memoryBytes"] > 50_000_000
    asked = found["options"][0]
    assert (asked["name"], asked["isMeasured"], asked["memoryBytes"]) == ("asked", True, found["memoryBytes"])
    names = {option["name"] for option in found["options"]}
    assert ("qlora" in names) == (stage == 2)
    assert not (tmp_path / "run").exists()


def test_what_cannot_fit_is_not_tried_but_counted(run_file, capsys, monkeypatch):
    monkeypatch.setattr(fit, "free_bytes", lambda _device: 1000)
    monkeypatch.setattr(fit, "own_bytes", lambda _device: 0)
    built: list[object] = []
    monkeypatch.setattr(stage2, "build", lambda *given: built.append(given))
    assert preflight.main(["--config", str(run_file(2))]) == 0
    found = event(capsys)
    assert (found["secondsPerStep"], found["memoryBytes"], found["hours"], built) == (None, None, None, [])
    assert all(option["fits"] is False for option in found["options"])


def test_a_gpu_that_runs_out_of_memory_is_an_answer(run_file, capsys, monkeypatch):
    def full(_run: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(preflight.loop, "train_step", full)
    assert preflight.main(["--config", str(run_file(2))]) == 0
    found = event(capsys)
    assert (found["event"], found["memoryBytes"]) == ("preflight", None)
    assert len(found["options"]) > 3
