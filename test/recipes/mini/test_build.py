"""The one command: what runs, what is skipped, what a change runs again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from textbind_trainer.config import parse_config

from recipes.mini import build
from recipes.mini.build import Step, run_step, steps, steps_from_published


def noted(name: str, out: Path, text: str = "x", needs: tuple[str, ...] = ()) -> Step:
    """A step that appends a line to a file: Python's own json.tool has a file for input and one for output."""
    (out / f"{name}.in").write_text(json.dumps(text))
    return Step(name, "json.tool", (str(out / f"{name}.in"), str(out / f"{name}.out")), needs)


def test_a_step_runs_once_and_again_after_a_change_before_it(tmp_path, capsys):
    for folder in ("build", "runs"):
        (tmp_path / folder).mkdir()
    first, second = noted("first", tmp_path), noted("second", tmp_path, needs=("first",))

    def run(*plan: Step) -> list[str]:
        done: dict[str, str] = {}
        for step in plan:
            run_step(step, tmp_path, done)
        return [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]

    assert run(first, second) == ["started", "finished"] * 2
    assert run(first, second) == ["skipped"] * 2
    changed = Step("first", first.module, ("--compact", *first.arguments))
    assert run(changed, second) == ["started", "finished"] * 2


def test_a_failed_step_leaves_no_manifest(tmp_path):
    for folder in ("build", "runs"):
        (tmp_path / folder).mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        run_step(Step("bad", "json.tool", (str(tmp_path / "missing"),)), tmp_path, {})
    assert not (tmp_path / "build" / "bad.json").exists()


@pytest.mark.parametrize("published", [False, True])
def test_every_need_stands_before_and_every_run_file_is_valid(tmp_path, monkeypatch, published):
    plan = steps_from_published(tmp_path, tmp_path, 2.0, 1) if published else steps(tmp_path, 2.0, 1)
    seen: set[str] = set()
    monkeypatch.setattr(Path, "exists", lambda self: True)
    for step in plan:
        assert set(step.needs) <= seen
        seen.add(step.name)
        if step.run_file:
            config = parse_config(step.run_file, tmp_path / "runs", step.run_file["stage"])
            assert config.steps > 0 and config.model.shape == build.SHAPE
