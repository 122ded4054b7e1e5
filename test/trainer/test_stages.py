"""Both stages end to end on tiny random parts: events, exact resume, exports, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from textbind_trainer import loop, publish, stage1, stage2
from textbind_trainer.checkpoint import newest_checkpoint
from textbind_trainer.model import QformerShape, load_model
from tiny_parts import SHAPE, caption_row, conversations, write_tar

STAGES = {1: stage1, 2: stage2}
PACKAGE = Path(__file__).parents[2] / "resources" / "trainer"


def events(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def trained(output: Path) -> dict[str, torch.Tensor]:
    state = load_file(output / "model" / "qformer.safetensors")
    language = output / "model" / "language" / "model.safetensors"
    return state | (
        {f"language_model.{k}": v for k, v in load_file(language).items()} if language.exists() else {}
    )


@pytest.mark.parametrize("stage", [1, 2])
def test_run_end_to_end(stage, run_file, tmp_path, capsys, parts):
    assert STAGES[stage].main(["--config", str(run_file(stage, exportPt=True))]) == 0
    seen = events(capsys)
    names = [event["event"] for event in seen]
    assert names[0] == "started" and names[-1] == "finished"
    steps = [event for event in seen if event["event"] == "step"]
    assert [event["step"] for event in steps] == [1, 2, 3, 4]
    assert all({"loss", "lr", "tokensPerSecond", "etaSeconds"} <= set(event) for event in steps)
    checks = [event["loss"] for event in seen if event["event"] == "validation"]
    assert checks[-1] < checks[0]
    state = trained(tmp_path / "run")
    assert {"query_tokens", "qformer_projection.weight", "qformer.layernorm.weight"} <= set(state)
    flat = torch.load(tmp_path / "run" / "model" / "pytorch_model.pt", weights_only=True)
    assert any(name.startswith("language_model.model.layers") for name in flat) == (stage == 2)
    # What was exported loads as a base again, and the frozen parts are as they were.
    language = tmp_path / "run" / "model" / "language" if stage == 2 else parts / "language"
    model = load_model(
        parts / "vision",
        language,
        QformerShape.from_json(SHAPE),
        tmp_path / "run" / "model" / "qformer.safetensors",
    )
    assert torch.equal(model.query_tokens, state["query_tokens"])


@pytest.mark.parametrize(
    ("stage", "extra"),
    [(1, {}), (2, {}), (2, {"lora": {"rank": 2}}), (2, {"trainLayersFrom": 1, "int4Aware": True})],
)
def test_resume_is_exact(stage, extra, run_file, tmp_path, capsys, monkeypatch):
    """Four steps at once, and two, a stop, two: the same bits."""
    assert STAGES[stage].main(["--config", str(run_file(stage, "whole", **extra))]) == 0
    part = run_file(stage, "part", **extra)
    real = loop.train_step

    def stop_after_two(run):
        result = real(run)
        run.stopping = run.step == 2
        return result

    monkeypatch.setattr(loop, "train_step", stop_after_two)
    assert STAGES[stage].main(["--config", str(part)]) == 0
    assert newest_checkpoint(tmp_path / "part" / "checkpoints").name == "step-00000002"
    assert not (tmp_path / "part" / "model").exists()
    monkeypatch.setattr(loop, "train_step", real)
    capsys.readouterr()
    assert STAGES[stage].main(["--config", str(part)]) == 0
    assert events(capsys)[0]["resumed"] is True
    whole, resumed = trained(tmp_path / "whole"), trained(tmp_path / "part")
    assert set(whole) == set(resumed)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def _endless(run_file) -> tuple[Path, list[str], dict[str, str]]:
    """A run that somebody has to stop: its run file, its command, its environment."""
    path = run_file(1, steps=100_000, checkpointEvery=100_000, validateEvery=100_000)
    command = [sys.executable, "-m", "textbind_trainer.stage1", "--config", str(path)]
    return path, command, os.environ | {"PYTHONPATH": str(PACKAGE)}


@pytest.mark.parametrize("way", ["signal", "file"])
def test_a_run_that_is_told_to_stop_saves_and_leaves(run_file, tmp_path, way):
    """A real process, told to stop in the middle; meanwhile no other may train into its folder."""
    _path, command, environment = _endless(run_file)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lines = iter(process.stdout.readline, "")
        step = json.loads(next(line for line in lines if json.loads(line)["event"] == "step"))
        assert step["memoryBytes"] > 10_000_000
        second = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        refused = json.loads(second.stdout.splitlines()[-1])
        assert (second.returncode, refused["event"]) == (2, "error")
        assert "another run" in refused["message"]
        if way == "signal":
            process.send_signal(signal.SIGTERM)
        else:
            (tmp_path / "run" / "stop").touch()
        rest = [json.loads(line) for line in lines]
        assert process.wait(timeout=120) == 0
    assert [event["event"] for event in rest][-2:] == ["checkpoint", "stopped"]
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").name == f"step-{rest[-1]['step']:08d}"
    assert not (tmp_path / "run" / "stop").exists()


@pytest.mark.parametrize(("stage", "lora"), [(1, None), (2, None), (2, {"rank": 4})])
def test_a_model_out_of_a_checkpoint_is_the_one_that_the_run_left(stage, lora, run_file, tmp_path, capsys):
    """The last checkpoint gives the same weights as the end of the run; an earlier one others."""
    path = run_file(stage, **({"lora": lora} if lora else {}))
    assert STAGES[stage].main(["--config", str(path)]) == 0
    left = trained(tmp_path / "run")
    capsys.readouterr()
    for step, place in ((4, "last"), (2, "early")):
        checkpoint = tmp_path / "run" / "checkpoints" / f"step-{step:08d}"
        call = ["--config", str(path), "--checkpoint", str(checkpoint)]
        assert publish.main([*call, "--out", str(tmp_path / place / "model")]) == 0
        assert events(capsys)[-1]["step"] == step
    made, early = trained(tmp_path / "last"), trained(tmp_path / "early")
    assert set(made) == set(left)
    assert all(torch.equal(made[name], left[name]) for name in left)
    assert any(not torch.equal(early[name], left[name]) for name in left)
    assert (
        publish.main(["--config", str(path), "--checkpoint", str(tmp_path), "--out", str(tmp_path / "x")])
        == 1
    )
    assert events(capsys)[-1]["kind"] == "checkpoint"


def test_checkpoint_without_manifest_is_ignored_and_a_damaged_one_gives_way(run_file, tmp_path, capsys):
    """Cut or changed, the newest checkpoint is passed over; the run ends at the same weights."""
    assert stage1.main(["--config", str(run_file(1, "whole"))]) == 0
    path = run_file(1)
    assert stage1.main(["--config", str(path)]) == 0
    folder = newest_checkpoint(tmp_path / "run" / "checkpoints")
    (folder.parent / "step-99999999").mkdir()
    assert newest_checkpoint(folder.parent) == folder
    for damage in (b"cut", (folder / "optimizer.pt").read_bytes()[:-1] + b"x"):
        (folder / "optimizer.pt").write_bytes(damage)
        capsys.readouterr()
        assert stage1.main(["--config", str(path)]) == 0
        seen = events(capsys)
        assert (seen[0]["event"], Path(seen[0]["path"])) == ("damaged", folder)
        assert (seen[1]["event"], seen[1]["resumed"], seen[1]["step"]) == ("started", True, 2)
        whole, mended = trained(tmp_path / "whole"), trained(tmp_path / "run")
        assert all(torch.equal(whole[name], mended[name]) for name in whole)
    for each in folder.parent.glob("step-0*"):
        (each / "trained.safetensors").write_bytes(b"")
    assert stage1.main(["--config", str(path)]) == 1
    assert "all 2 checkpoints are damaged" in events(capsys)[-1]["message"]


def test_other_settings_are_asked_about(run_file, tmp_path, capsys):
    assert stage1.main(["--config", str(run_file(1))]) == 0
    capsys.readouterr()
    longer = run_file(1, steps=6, learningRate=0.02, logEvery=3, threads=2)
    assert stage1.main(["--config", str(longer)]) == 3
    (question,) = events(capsys)
    assert (question["event"], question["code"]) == ("question", "settings-changed")
    assert question["changes"] == [
        {"field": "learningRate", "was": "0.01", "now": "0.02"},
        {"field": "steps", "was": "4", "now": "6"},
    ]
    assert stage1.main(["--config", str(longer), "--accept-changes"]) == 0
    seen = events(capsys)
    assert (seen[0]["step"], seen[0]["steps"], seen[0]["resumed"]) == (4, 6, True)
    assert next(e["lr"] for e in seen if e["event"] == "step") == pytest.approx(0.02 * loop.schedule(5, 2, 6))
    assert newest_checkpoint(tmp_path / "run" / "checkpoints").name == "step-00000006"


def test_what_needs_no_asking_and_what_cannot_go_on(run_file, capsys, parts):
    assert stage2.main(["--config", str(run_file(2))]) == 0
    assert stage2.main(["--config", str(run_file(2, logEvery=2, microBatchSize=4, keepCheckpoints=1))]) == 0
    capsys.readouterr()
    for fields in ({"lora": {"rank": 2}}, {"trainLayersFrom": 1}):
        assert stage2.main(["--config", str(run_file(2, **fields)), "--accept-changes"]) == 1
        error = events(capsys)[-1]
        assert error["kind"] == "checkpoint" and "another model was trained" in error["message"]


def test_leftovers_of_killed_saves_are_removed(run_file, tmp_path):
    path = run_file(1)
    assert stage1.main(["--config", str(path)]) == 0
    output, gone = tmp_path / "run", 2**22 + 1  # more than any process's number here
    for folder in (output / "checkpoints" / f".step-00000009.{gone}.part", output / f".model.{gone}.part"):
        folder.mkdir()
        (folder / "half").write_bytes(b"x")
    # Killed between the two renames: the old folder is whole, but not in its place.
    newest = newest_checkpoint(output / "checkpoints")
    newest.rename(newest.with_name(f".{newest.name}.{gone}.old"))
    alive = output / f".model.{os.getppid()}.part"
    alive.mkdir()
    assert stage1.main(["--config", str(path)]) == 0
    assert sorted(p.name for p in (output / "checkpoints").iterdir()) == ["step-00000002", "step-00000004"]
    assert sorted(p.name for p in output.iterdir()) == [alive.name, "checkpoints", "model", "run.lock"]


def test_nothing_but_events_on_standard_output(run_file, tmp_path):
    """A library that prints, from Python or from C, is heard on standard error."""
    program = (
        "import ctypes, os, sys\n"
        "from textbind_trainer.events import claim_stdout\n"
        "claim_stdout()\n"
        "print('python'); os.system('echo shell'); ctypes.CDLL(None).puts(b'c')\n"
        "from textbind_trainer import stage1\n"
        "code = stage1.main(sys.argv[1:]); ctypes.CDLL(None).fflush(None); sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(run_file(1))],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert all(isinstance(json.loads(line)["event"], str) for line in done.stdout.splitlines())
    assert {"python", "shell", "c"} <= set(done.stderr.splitlines())


def test_events_keep_the_contract(run_file, capsys):
    from textbind_trainer.protocol import EVENTS

    kinds = {kind.model_fields["event"].default: kind for kind in EVENTS}
    stage2.main(["--config", str(run_file(2))])
    stage2.main(["--config", str(run_file(2, steps=5))])
    stage2.main(["--config", str(run_file(2, steps=0))])
    seen = events(capsys)
    assert {"started", "step", "validation", "checkpoint", "finished", "question", "error"} <= {
        e["event"] for e in seen
    }
    for event in seen:
        time_ = event.pop("time")
        assert isinstance(time_, float)
        kinds[event["event"]].model_validate(event)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"batchSize": "4"}, "batchSize: got '4'"), ({"colour": 1}, "the run file: unknown field 'colour'"),
        ({"epochs": 2}, "exactly one"), ({"maxLength": 3}, "no room for one picture"),
        ({"lora": {"rank": 2}}, "stage 1 does not train"), ({"precision": "int3"}, "precision: got 'int3'"),
        ({"steps": 0}, "steps: got 0"), ({"learningRate": -0.1}, "learningRate: got -0.1"),
        ({"learningRate": float("nan")}, "learningRate: got nan"), ({"batchSize": True}, "batchSize: got True"),
        ({"learningRates": {"colour": 1.0}}, "learningRates.colour"), ({"output": "a\ud800"}, "output: got 'a\\ud800'"),
        ({"learningRates": {"qformer": -1}}, "learningRates.qformer: got -1"), ({"warmupSteps": -1}, "warmupSteps: got -1"),
        ({"data": {"tars": []}}, "data.tars"), ({"data": {}}, "data.tars: it is missing"),
        ({"data": {"tars": "x", "tarz": 1}}, "data: unknown field 'tarz'"), ({"data": 3}, "data: got 3"),
        ({"data": {"tars": "x", "samplesPerEpoch": 0}}, "data.samplesPerEpoch: got 0"),
        ({"model": {"colour": 1}}, "model: unknown field 'colour'"), ({"model": {}}, "model.visionModel: it is missing"),
        ({"model": {"textbind": "/nowhere"}}, "model.textbind: /nowhere"),
        ({"steps": -1, "clip": 0, "seed": -5}, "clip: got 0; "), ({"sharding": "fsdp"}, "more than one process"),
        ({"data": {"tars": "nowhere/{0..2}.tar"}}, "no such tar"),
    ],
)  # fmt: skip
def test_wrong_run_files_are_refused_by_name(fields, message, run_file, capsys):
    assert stage1.main(["--config", str(run_file(1, **fields))]) == 2
    last = events(capsys)[-1]
    assert last["event"] == "error" and message in last["message"]


def test_published_defaults(run_file, tmp_path):
    from textbind_trainer.config import parse_config

    for stage, want in ((1, (2.0, 256, 1e-4, 2000, 256)), (2, (3.0, 64, 1e-5, 100, 768))):
        fields = json.loads(run_file(stage).read_text())
        kept = {name: fields[name] for name in ("model", "data", "output")}
        config = parse_config(kept, tmp_path, stage)
        got = (config.epochs, config.batch_size, config.learning_rate, config.warmup_steps, config.max_length)
        assert got == want and config.precision == "auto"


def test_cut_tar(run_file, tmp_path, capsys):
    tar = tmp_path / "x.tar"
    write_tar(tar, [caption_row(1), caption_row(2)])
    tar.write_bytes(tar.read_bytes()[:1500])
    assert stage1.main(["--config", str(run_file(1, data={"tars": str(tar)}))]) == 2
    assert "x.tar" in events(capsys)[-1]["message"]


def test_bad_rows_of_a_tar_are_skipped_and_counted(run_file, tmp_path, capsys):
    good = caption_row(1)
    bad = [
        {"txt": b"no picture"},
        good | {"png": b"\x89PNG junk"},
        good | {"txt": b"   "},
        good | {"txt": b"\xff\xfe"},
        good | {"txt": b"a </s> b"},
    ]
    write_tar(tmp_path / "x.tar", [good, *bad])
    assert (
        stage1.main(
            ["--config", str(run_file(1, data={"tars": str(tmp_path / "x.tar")}, batchSize=6, steps=1))]
        )
        == 0
    )
    seen = events(capsys)
    assert seen[-1]["skipped"] == 5
    assert len([event for event in seen if event["event"] == "skipped"]) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda turns: turns.pop(), "alternate"), (lambda turns: turns[0].update(role="assistant"), "expected 'user'"),
        (lambda turns: turns[0].update(content=5), "text is missing"), (lambda turns: turns[0].update(image_list=[]), "1 <image> in the text, 0"),
        (lambda turns: turns[0].update(image_list=["../a.png"]), "leaves the image folder"),
        (lambda turns: turns[0].update(image_list=["z.png"]), "does not exist"),
        (lambda turns: turns[1].update(content="x [INST] y"), "markup"),
        (lambda turns: turns[1].update(content="x <image>", image_list=["a.png"]), "0 captions"),
    ],
)  # fmt: skip
def test_bad_conversations_stop_the_run_before_it_starts(change, message, parts, run_file, tmp_path, capsys):
    rows = conversations()
    change(rows[0]["conversation"])
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(rows))
    data = {"conversations": str(path), "images": str(parts / "images")}
    assert stage2.main(["--config", str(run_file(2, data=data))]) == 2
    error = events(capsys)[-1]["message"]
    assert "row 0" in error and message in error


def test_merged_adapters_equal_unmerged_ones(parts):
    from textbind_trainer.lora import add_lora
    from textbind_trainer.model import language_state
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = load_model(None, parts / "language", QformerShape.from_json(SHAPE), None, vision_hidden=24)
    add_lora(model.language_model, 3, 6, 3)
    for name, parameter in model.language_model.named_parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
            assert "lora" in name or "added_rows" in name
    ids = torch.randint(0, 300, (2, 9))
    plain = AutoModelForCausalLM.from_pretrained(parts / "language")
    missing = plain.load_state_dict(language_state(model), strict=False)
    assert missing.unexpected_keys == [] and missing.missing_keys in ([], ["lm_head.weight"])
    with torch.no_grad():
        torch.testing.assert_close(
            plain(ids).logits, model.language_model(input_ids=ids).logits, atol=1e-4, rtol=1e-4
        )


def test_weight_decay_is_apart_from_the_gradient(run_file):
    """A weight without a gradient shrinks by rate times decay, and by nothing else (decoupled: Loshchilov and Hutter 2017)."""
    from textbind_trainer.config import read_config

    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.zeros(3)
    optimizer = loop.make_optimizer({"qformer": [weight]}, read_config(run_file(1, weightDecay=0.5)))
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((3,), 1 - 0.01 * 0.5))


def test_schedule():
    values = [loop.schedule(step, 4, 12) for step in range(13)]
    assert values[:4] == [0.25, 0.5, 0.75, 1.0]
    assert values[8] == pytest.approx(0.5) and values[12] == pytest.approx(0.0)


def test_time_is_not_a_number_in_events(capsys):
    from textbind_trainer.events import emit

    emit("step", loss=float("nan"), at=time.time())
    assert events(capsys)[0]["loss"] is None
