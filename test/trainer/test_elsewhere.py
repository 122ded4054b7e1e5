"""A run is packed, trained where its folder lies, and read back: the same bits as here, on this machine's paths again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from test_formats import STAGE1, STAGE2
from textbind_trainer import elsewhere, stage1, stage2
from tiny_parts import SHAPE

STAGES = {1: stage1, 2: stage2}


def last(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def pack(path: Path, out: Path, capsys, *more: str) -> dict:
    assert elsewhere.main(["pack", "--config", str(path), "--out", str(out), *more]) == 0
    return last(capsys)


def start(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """As on a cluster: nothing of this checkout but the folder and a Python."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["bash", str(folder / "run.sh"), *more], env=environment | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300, check=False, cwd="/",
    )  # fmt: skip


def textbind_model(root: Path, parts: Path) -> Path:
    """A folder with textbind.json whose parts lie apart."""
    root.mkdir()
    described = {
        "name": "Tiny", "licence": "none", "visionModel": str(parts / "vision"), "processor": str(parts / "vision"),
        "languageModel": os.path.relpath(parts / "language", root), "qformer": None, "qformerConfig": SHAPE,
        "imageDecoder": {"base": "sd", "guidance": 2}, "maxSequenceLength": 99,
    }  # fmt: skip
    (root / "textbind.json").write_text(json.dumps(described))
    return root


@pytest.mark.parametrize("stage", [1, 2])
def test_the_way_there_and_back(stage, run_file, parts, tmp_path, capsys):
    model = {"textbind": str(textbind_model(tmp_path / "tiny", parts)), "fresh": True}
    assert STAGES[stage].main(["--config", str(run_file(stage, "here", model=model))]) == 0
    capsys.readouterr()
    path = run_file(stage, "there", model=model)
    packed = pack(path, tmp_path / "out", capsys, "--copy")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert packed["files"] == len(manifest["files"]) and packed["bytes"] == sum(
        f["bytes"] for f in manifest["files"]
    )
    text = (tmp_path / "out" / "run.json").read_text()
    assert str(tmp_path) not in text and str(parts) not in text
    far = tmp_path / "scratch" / "me"
    far.parent.mkdir()
    (tmp_path / "out").rename(far)
    # Nothing of this machine is needed there.
    hidden = parts.with_name("hidden")
    parts.rename(hidden)
    try:
        done = start(far)
    finally:
        hidden.rename(parts)
    assert done.returncode == 0, done.stderr + (far / "log.txt").read_text()
    assert elsewhere.main(["back", str(far)]) == 0
    back = last(capsys)
    assert (back["state"], back["stage"], back["step"], back["steps"]) == ("finished", stage, 4, 4)
    assert back["checkpoints"] == [2, 4] and back["damaged"] == [] and back["message"] is None
    assert back["loss"] > 0 and back["validationLoss"] > 0
    left, right = (load_file(home / "model" / "qformer.safetensors") for home in (tmp_path / "here", far))
    assert all(left[name].equal(right[name]) for name in left)
    described = json.loads((far / "model" / "textbind.json").read_text())
    assert described["visionModel"] == str((parts / "vision").resolve()) and described["name"] == "there"
    assert described["languageModel"] == ("language" if stage == 2 else str((parts / "language").resolve()))
    assert described["imageDecoder"]["base"] == str((tmp_path / "tiny" / "sd").resolve())
    # It is a run's folder like any other: nothing to ask about, and longer it goes on.
    before = (far / "checkpoints" / "step-00000004" / "manifest.json").read_bytes()
    assert elsewhere.main(["back", str(far)]) == 0
    assert (far / "checkpoints" / "step-00000004" / "manifest.json").read_bytes() == before
    shutil.copytree(far, tmp_path / "again")
    fields = json.loads((tmp_path / "again" / "run.json").read_text())
    (tmp_path / "again" / "run.json").write_text(json.dumps(fields | {"steps": 5}))
    capsys.readouterr()
    assert STAGES[stage].main(["--config", str(tmp_path / "again" / "run.json")]) == 3
    assert [change["field"] for change in last(capsys)["changes"]] == ["steps"]
    assert STAGES[stage].main(["--config", str(tmp_path / "again" / "run.json"), "--accept-changes"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (events[0]["resumed"], events[0]["step"], events[-1]["event"]) == (True, 4, "finished")


CASES = [(1, *case[:2]) for case in STAGE1] + [(2, *case[:2]) for case in STAGE2]


@pytest.mark.parametrize(
    ("stage", "write", "name"), CASES, ids=[f"{c[0]}-{c[2]}-{n}" for n, c in enumerate(CASES)]
)
def test_data_of_any_format_is_complete_there(stage, write, name, run_file, tmp_path, capsys):
    """Gathered, not copied; read from there it is what it was here, without what is here."""
    from textbind_trainer.config import data_parts, read_config
    from textbind_trainer.conversation import Conversation, read_conversations
    from textbind_trainer.formats import shards
    from textbind_trainer.pictures import picture_problem

    (tmp_path / "in").mkdir()
    part = {"path": str(write(tmp_path / "in")), "weight": 0.5}
    data = {"pairs": [part]} if stage == 1 else {"conversations": [part], "badRows": "skip"}
    out = tmp_path / "out"
    assert not pack(run_file(stage, data=data), out, capsys)["copied"]
    assert elsewhere.main(["check", str(out)]) == 2 and "is missing" in last(capsys)["message"]
    subprocess.run(["bash", str(out / "gather.sh")], check=True)
    assert elsewhere.main(["check", str(out)]) == 0

    def rows(config: Path) -> list:
        (read,) = data_parts(read_config(config).data, "pairs" if stage == 1 else "conversations")
        base = config.parent
        images = base / read.images if read.images else None
        assert read.weight == 0.5
        if stage == 2:
            found = read_conversations(base / read.path, images, (), read.format)
            good = [
                row
                for row in found
                if isinstance(row, Conversation) and not any(map(picture_problem, row.images))
            ]
            return [(row.row, row.pairs, [picture.read_bytes() for picture in row.images]) for row in good]
        listed = [row for shard in shards(base / read.path, images, read.format) for row in shard.rows()]
        return [(row.row, row.load()) for row in listed if not row.faults(())]

    wanted = rows(tmp_path / "run.json")
    shutil.rmtree(tmp_path / "in")
    assert len(wanted) > 0 and [row[1:] for row in rows(out / "run.json")] == [row[1:] for row in wanted]


def test_damage_on_the_way_is_named(run_file, tmp_path, capsys):
    pack(run_file(2), tmp_path / "out", capsys, "--copy")
    file = tmp_path / "out" / "data" / "conversations-0" / "train.json"
    text = file.read_text()
    file.unlink()
    file.write_text(text.replace("cat", "dog", 1))
    done = start(tmp_path / "out")
    assert done.returncode == 2 and "train.json has other bytes" in done.stdout
    assert elsewhere.main(["back", str(tmp_path / "out")]) == 0
    assert last(capsys)["state"] == "never-started"
    assert elsewhere.main(["pack", "--config", str(run_file(2)), "--out", str(tmp_path / "out")]) == 2
    assert "is there already" in last(capsys)["message"]
    assert elsewhere.main(["back", str(tmp_path)]) == 2 and "no manifest" in last(capsys)["message"]


def test_a_stopped_run_comes_back_as_one(run_file, tmp_path, capsys):
    out = tmp_path / "out"
    pack(run_file(1, steps=100_000, checkpointEvery=100_000, validateEvery=100_000), out, capsys, "--copy")
    (out / "stop").touch()
    with subprocess.Popen(
        ["bash", str(out / "run.sh")], env=os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    ) as running:
        while running.poll() is None:
            if (out / "events.jsonl").is_file() and '"event": "step"' in (out / "events.jsonl").read_text():
                (out / "stop").touch()
                break
        assert running.wait(timeout=120) == 0
    assert elsewhere.main(["back", str(out)]) == 0
    back = last(capsys)
    assert back["state"] == "stopped" and back["checkpoints"] == [back["step"]] and back["model"] is None


def test_the_scripts_are_shell(run_file, tmp_path, capsys):
    pack(run_file(1, "a name; rm -rf"), tmp_path / "out", capsys, "--nodes", "2", "--gpus", "8")
    for name in ("run.sh", "run.slurm", "gather.sh"):
        subprocess.run(["bash", "-n", str(tmp_path / "out" / name)], check=True)
    text = (tmp_path / "out" / "run.slurm").read_text()
    assert (
        "#SBATCH --nodes=2\n" in text
        and "--gpus-per-node=8\n" in text
        and "--job-name=a-name-rm--rf\n" in text
    )
