"""The evaluation suite: scores by hand, a model that learned its rows by heart, reports kept with the run."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path

import pytest
from textbind_trainer import benchmarks, evaluate, stage1, stage2
from textbind_trainer.faults import TrainerError
from tiny_parts import caption_row, picture_bytes, write_tar


def last(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def write_mme(root: Path) -> Path:
    """One subtask with questions beside its pictures, one in folders of their own, and the tool's folder."""
    for folder in ("existence", "code_reasoning/images", "code_reasoning/questions_answers_YN", "eval_tool"):
        (root / folder).mkdir(parents=True)
    for stem, lines in (("1", "Is it?\tYes\nIs it not?\tNo\n"), ("2", "Is it?\tYes\nIs it red?\tNo\n")):
        (root / "existence" / f"{stem}.txt").write_text(lines)
        (root / "existence" / f"{stem}.jpg").write_bytes(picture_bytes(int(stem)))
    (root / "code_reasoning" / "images" / "a.png").write_bytes(picture_bytes(3))
    (root / "code_reasoning" / "questions_answers_YN" / "a.txt").write_text("Python?\tYes\nC?\tNo\n")
    return root


def write_mmbench(path: Path, answers: bool = True) -> Path:
    rows = [
        {"index": 1, "question": "What?", "hint": "", "A": "cat", "B": "dog", "C": "", "category": "x", "l2-category": "p"},
        {"index": 2, "question": "Where?", "hint": "Look.", "A": "left", "B": "right", "C": "up", "category": "y", "l2-category": "p"},
    ]  # fmt: skip
    for number, row in enumerate(rows):
        row["image"] = base64.b64encode(picture_bytes(number)).decode()
        if answers:
            row["answer"] = "AB"[number]
    with path.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_mme_scores(tmp_path):
    asked: list[str] = []

    def ask(questions, tokens):
        assert tokens == 4
        asked.extend(question for question, _ in questions)
        # code_reasoning both right; existence: first picture both right, second one of two.
        return ["yes.", "No", "Yes, it is", "no", "Yes", "it is yes"]

    found = benchmarks.run_mme(write_mme(tmp_path), ask, tmp_path / "mme.tsv", None)
    assert asked[0] == "<image> Python?"
    assert found == {
        "subtasks": [
            {
                "name": "code_reasoning",
                "questions": 2,
                "accuracy": 100.0,
                "accuracyPlus": 100.0,
                "score": 200.0,
            },
            {"name": "existence", "questions": 4, "accuracy": 75.0, "accuracyPlus": 50.0, "score": 125.0},
        ],
        "perception": 125.0,
        "cognition": 200.0,
    }
    lines = (tmp_path / "mme.tsv").read_text().splitlines()
    assert lines[1] == "code_reasoning\ta.png\tPython?\tYes\tyes."
    with pytest.raises(TrainerError, match="no questions of MME"):
        benchmarks.read_mme(tmp_path / "eval_tool")


def test_mmbench_scores(tmp_path):
    file = write_mmbench(tmp_path / "m.tsv")
    asked: list[str] = []

    def ask(questions, _):
        asked.extend(question for question, _ in questions)
        return ["A. cat", "It is up there"]

    found = benchmarks.run_mmbench(file, ask, tmp_path / "out.tsv", None)
    assert asked == [
        "<image> What? There are several options:\nA. cat\nB. dog\n",
        "<image> Look. Where? There are several options:\nA. left\nB. right\nC. up\n",
    ]
    assert (found["accuracy"], found["questions"]) == (50.0, 2)
    assert found["categories"] == [
        {"name": "x", "questions": 1, "accuracy": 100.0}, {"name": "y", "questions": 1, "accuracy": 0.0}
    ]  # fmt: skip
    assert (tmp_path / "out.tsv").read_text().splitlines()[2].split("\t")[4] == "C"
    assert (
        benchmarks.run_mmbench(write_mmbench(file, False), ask, tmp_path / "o.tsv", None)["accuracy"] is None
    )


@pytest.mark.parametrize(
    ("said", "letter"),
    [
        ("B", "B"),
        ("(A)", "A"),
        ("The answer is B.", "B"),
        ("cat", "A"),
        ("a dog", "B"),
        ("cat or dog", None),
        ("Bad", None),
    ],
)
def test_letters(said, letter):
    assert benchmarks.chosen_letter(said, {"A": "cat", "B": "dog", "C": ""}) == letter


def test_rouge():
    assert evaluate.rouge_l("a red cat", "A cat") == pytest.approx(0.8)
    assert evaluate.rouge_l("", "a cat") == 0 and evaluate.rouge_l("x", "x") == 1


@pytest.mark.parametrize("stage", [1, 2])
def test_a_report_is_kept_with_the_run(stage, run_file, parts, tmp_path, capsys):
    """One row by heart: its caption is written word by word. A benchmark's questions are answered by the same model."""
    write_tar(tmp_path / "one.tar", [caption_row(1)])
    turns = [
        {"role": "user", "content": "Draw", "image_list": [], "caption_list": []},
        {
            "role": "assistant",
            "content": "<image>",
            "image_list": ["a.png"],
            "caption_list": ["a cat number 1"],
        },
    ]
    (tmp_path / "one.json").write_text(json.dumps([{"conversation": turns}]))
    data = {
        1: {"tars": str(tmp_path / "one.tar"), "validationTars": str(tmp_path / "one.tar")},
        2: {
            "conversations": str(tmp_path / "one.json"),
            "validation": str(tmp_path / "one.json"),
            "images": str(parts / "images"),
        },
    }[stage]
    fields = {
        "batchSize": 4,
        "microBatchSize": 4,
        "steps": 60,
        "warmupSteps": 2,
        "checkpointEvery": 60,
        "validateEvery": 60,
    }
    path = run_file(stage, data=data, **fields, logEvery=60)
    assert (stage1 if stage == 1 else stage2).main(["--config", str(path)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    loss = [event["loss"] for event in events if event["event"] == "validation"][-1]
    more = ["--mme", str(write_mme(tmp_path / "mme")), "--mmbench", str(write_mmbench(tmp_path / "b.tsv"))]
    assert evaluate.main(["--config", str(path), *more]) == 0
    told = last(capsys)
    folder = Path(told["folder"])
    assert folder == tmp_path / "run" / "evaluations" / "step-00000060"
    report = json.loads((folder / "report.json").read_text())
    assert report == told["report"] and report["validationLoss"] == pytest.approx(loss, abs=1e-4)
    assert report["mme"]["subtasks"][1]["questions"] == 4 and report["mmbench"]["questions"] == 2
    assert sorted(file.name for file in folder.iterdir()) == [
        "captions.tsv",
        "mmbench.tsv",
        "mme.tsv",
        "report.json",
    ]
    assert report["captions"]["captions"] == 1
    if stage == 2:
        # The language model learned it; in stage 1 it is random and frozen.
        assert report["captions"] == {"captions": 1, "exact": 100.0, "rougeL": 1.0}
        assert (
            folder / "captions.tsv"
        ).read_text() == "caption\tprediction\na cat number 1\ta cat number 1\n"


def test_without_a_checkpoint_it_says_so(run_file, capsys):
    assert evaluate.main(["--config", str(run_file(1))]) == 1
    assert "has not saved one yet" in last(capsys)["message"]
