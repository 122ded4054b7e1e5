"""Data in the formats that people have: found out, every planted fault named as its file has it, trained on."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textbind_trainer import look, stage1, stage2, validate
from textbind_trainer.conversation import read_conversations
from textbind_trainer.formats import FORMATS, recognise
from tiny_parts import caption_row, conversations, picture_bytes, write_tar


def faults(capsys, *arguments: object) -> tuple[int, dict]:
    code = validate.main([str(argument) for argument in arguments])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def pictures(folder: Path) -> Path:
    """a, b, c, and one that is no picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate("abc"):
        (folder / f"{name}.jpg").write_bytes(picture_bytes(number))
    (folder / "junk.jpg").write_bytes(b"\xff\xd8 junk")
    return folder


def write_folder(root: Path) -> Path:
    folder = pictures(root / "pictures")
    for name, text in (("a", "a cat"), ("b", "a dog"), ("junk", "what")):
        (folder / f"{name}.txt").write_text(text)
    (folder / "below").mkdir()
    (folder / "below" / "d.png").write_bytes(picture_bytes(5))
    (folder / "below" / "d.txt").write_bytes(b"\xff")
    return folder


def write_table(root: Path, name: str = "metadata.csv") -> Path:
    folder = pictures(root / "table")
    rows = [
        ("a.jpg", "a cat, sitting"), ("z.jpg", "gone"), ("b.jpg", ""), ("../a.jpg", "outside"), ("c.jpg", "x <end>"),
        ("", "no name"), ("junk.jpg", "junk"),
    ]  # fmt: skip
    with (folder / name).open("w", newline="") as opened:
        writer = csv.writer(opened, delimiter="\t" if name.endswith("tsv") else ",")
        writer.writerows([("file_name", "text"), *rows, ("b.jpg",)])
    return folder / name


TABLE_FAULTS = {
    (1, "file_name", "missing"), (2, "text", "text"), (3, "file_name", "path"), (4, "text", "unsafe"),
    (5, "file_name", "missing"), (6, "file_name", "picture"), (7, "", "shape"),
}  # fmt: skip


def write_lines(root: Path) -> Path:
    folder = pictures(root / "lines")
    rows = [
        {"image": "a.jpg", "caption": "a cat"},
        {"image": "a.jpg"},
        3,
        {"image": "b.jpg", "caption": ["x", "y"]},
    ]
    text = "\n".join(json.dumps(row) for row in rows) + '\n{"image":\n'
    (folder / "pairs.jsonl").write_text(text)
    return folder / "pairs.jsonl"


LLAVA = [
    {"id": "1", "image": "a.jpg", "conversations": [
        {"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A cat."},
        {"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "Yes."}]},
    {"id": "2", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
    {"id": "3", "image": "z.jpg", "conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "x"}]},
    {"id": "4", "image": "a.jpg", "conversations": [{"from": "human", "value": "none"}, {"from": "gpt", "value": "x"}]},
    {"id": "5", "conversations": [{"from": "bot", "value": "none"}, {"from": "gpt", "value": "x"}]},
    {"id": "6", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "[INST]"}]},
    {"id": "7", "image": ["a.jpg", "b.jpg"], "conversations": [
        {"from": "human", "value": "<image> or <image>"}, {"from": "gpt", "value": "x"}]},
    {"id": "8", "image": "junk.jpg", "conversations": [
        {"from": "human", "value": "<image>"}, {"from": "gpt", "value": "x"}]},
    {"id": "9", "conversations": [{"from": "human", "value": "alone"}]},
]  # fmt: skip
LLAVA_FAULTS = {
    (2, "image", "missing"), (3, "image", "count"), (4, "conversations[0].from", "role"),
    (5, "conversations[1].value", "unsafe"), (7, "image", "picture"), (8, "conversations", "turns"),
}  # fmt: skip


def write_llava(root: Path) -> Path:
    pictures(root / "llava" / "images")
    (root / "llava" / "llava.json").write_text(json.dumps(LLAVA))
    return root / "llava" / "llava.json"


def write_minigpt4(root: Path) -> Path:
    pictures(root / "align" / "image")
    rows = [{"image_id": "a", "caption": "A cat."}, {"image_id": "9", "caption": "Gone."}, {"image_id": "b"}]
    (root / "align" / "filter_cap.json").write_text(json.dumps({"annotations": rows}))
    return root / "align"


def write_shikra(root: Path) -> Path:
    pictures(root / "shikra" / "images")
    rows = [
        {
            "img_path": "a.jpg",
            "question": "Is <ph_st> it <ph_ed> red ?",
            "cot_with_ans": "Yes <ph_st><ph_ed> .",
        },
        {"img_path": "q.jpg", "question": "Is it?", "cot_with_ans": ""},
    ]
    (root / "shikra" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return root / "shikra" / "train.jsonl"


def write_m3it(root: Path) -> Path:
    code = lambda data: base64.b64encode(data).decode()
    row = {"instruction": "Say what it is.", "inputs": "In a word.", "outputs": "Cat"}
    rows = [
        row | {"image_base64_str": [code(picture_bytes(1))]}, row | {"image_base64_str": code(picture_bytes(2))},
        row | {"image_base64_str": ["%%%"]}, row | {"image_base64_str": [code(b"junk")]}, {"instruction": "x"},
    ]  # fmt: skip
    (root / "m3it.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return root / "m3it.jsonl"


def write_multi_instruct(root: Path) -> Path:
    pictures(root / "multi" / "images")
    rows = [
        {"image_path": "a.jpg", "prompt": "What?", "target": "cat"},
        {"image_path": "a.jpg", "target": "cat"},
    ]
    (root / "multi" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return root / "multi" / "train.jsonl"


def write_alpaca(root: Path) -> Path:
    rows = [
        {"instruction": "Add", "input": "1 <image> 1", "output": "2"}, {"instruction": "Hi", "input": "", "output": "Yo"},
        {"instruction": 3, "output": "x"},
    ]  # fmt: skip
    (root / "alpaca.json").write_text(json.dumps(rows))
    return root / "alpaca.json"


def write_parquet(path: Path, columns: dict[str, list]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow to read parquet files")
    files = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_table(pyarrow.table(columns), path, row_group_size=2)
    return path


def write_hub_captions(root: Path) -> Path:
    cell = lambda data: {"bytes": data, "path": None}
    shown = [cell(picture_bytes(1)), cell(picture_bytes(2)), cell(b"junk"), None, cell(picture_bytes(3))]
    texts = ["a cat", "a dog", "x", "y", None]
    write_parquet(root / "hub" / "data" / "train-0.parquet", {"image": shown, "text": texts})
    return root / "hub"


def write_hub_talk(root: Path) -> Path:
    cell = lambda data: {"bytes": data, "path": "x.png"}
    say = lambda user, answer: [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    talk = [say("<image> What?", "A cat."), say("Look", "Yes."), say("Hi", "Yo"), say("<image>", "x")]
    shown = [[cell(picture_bytes(1))], [cell(picture_bytes(2)), cell(picture_bytes(3))], [], [cell(b"junk")]]
    return write_parquet(root / "talk.parquet", {"messages": talk, "images": shown})


STAGE1: list[tuple[Callable[[Path], Path], str, int, set]] = [
    (write_folder, "folder", 5, {(2, "txt", "text"), (3, "txt", "missing"), (4, "picture", "picture")}),
    (write_table, "table", 8, TABLE_FAULTS),
    (lambda root: write_table(root, "x.tsv"), "table", 8, TABLE_FAULTS),
    (lambda root: write_table(root).parent, "folder", 8, TABLE_FAULTS),
    (write_lines, "table", 5, {(1, "text", "missing"), (2, "", "shape"), (4, "", "json")}),
    (write_llava, "llava", 9, {
        (1, "image", "missing"), (2, "image", "missing"), (4, "image", "missing"), (5, "image", "missing"),
        (5, "conversations", "unsafe"), (6, "image", "missing"), (7, "image", "picture"), (8, "image", "missing"),
        (8, "conversations", "missing")}),
    (write_minigpt4, "minigpt4", 3, {(1, "image_id", "missing"), (2, "caption", "missing")}),
    (write_hub_captions, "parquet", 5, {(2, "image", "picture"), (3, "image", "picture"), (4, "text", "missing")}),
]  # fmt: skip
STAGE2: list[tuple[Callable[[Path], Path], str, int, set]] = [
    (write_llava, "llava", 9, LLAVA_FAULTS),
    (write_minigpt4, "minigpt4", 3, {(1, "image_id", "missing"), (2, "caption", "missing")}),
    (write_shikra, "shikra", 2, {(1, "img_path", "missing"), (1, "cot_with_ans", "text")}),
    (write_m3it, "m3it", 5, {
        (2, "image_base64_str", "picture"), (3, "image_base64_str", "picture"), (4, "outputs", "missing")}),
    (write_multi_instruct, "multi-instruct", 2, {(1, "prompt", "missing")}),
    (write_alpaca, "alpaca", 3, {(2, "instruction", "text")}),
    (write_hub_talk, "parquet", 4, {(3, "conversation[0].image_list", "picture")}),
]  # fmt: skip
ALL = [(1, *case) for case in STAGE1] + [(2, *case) for case in STAGE2]
NAMES = [f"{stage}-{name}-{number}" for number, (stage, _, name, _, _) in enumerate(ALL)]


def test_every_format_has_a_case():
    assert {name for stage, _, name, _, _ in ALL} | {"tars", "textbind"} == {*FORMATS[1], *FORMATS[2]}


@pytest.mark.parametrize(("stage", "write", "name", "rows", "planted"), ALL, ids=NAMES)
def test_every_planted_fault_is_found_and_nothing_else(stage, write, name, rows, planted, tmp_path, capsys):
    path = write(tmp_path)
    assert recognise(stage, path) == name
    code, found = faults(capsys, "--stage", stage, path)
    assert (code, found["rows"], found["format"]) == (1, rows, name)
    assert {(fault["row"], fault["field"], fault["kind"]) for fault in found["faults"]} == planted
    assert all(fault["message"] and Path(fault["file"]).exists() for fault in found["faults"])


@pytest.mark.parametrize(("stage", "write", "name", "rows", "planted"), ALL, ids=NAMES)
def test_it_is_trained_on_and_shown(stage, write, name, rows, planted, tmp_path, run_file, capsys, parts):
    path = write(tmp_path)
    part = [{"path": str(path), "format": name}]
    data = {"pairs": part} if stage == 1 else {"conversations": part, "badRows": "skip"}
    file = run_file(stage, data=data, batchSize=8, steps=2)
    assert (stage1 if stage == 1 else stage2).main(["--config", str(file)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    bad = {row for row, _, _ in planted}
    assert events[-1]["event"] == "finished" and events[-1]["skipped"] >= len(bad)
    started = next(event for event in events if event["event"] == "started")
    assert started["samplesPerEpoch"] == (rows if stage == 1 else rows - len(bad))
    assert look.main(["--stage", str(stage), str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["statistics"]["rows"] == rows


def content(path: Path, row: int) -> tuple[list[tuple[str, str]], list[str]]:
    """What a row says in the TextBind schema, and its pictures' names."""
    found = list(read_conversations(path, None, ()))[row]
    assert not isinstance(found, Exception), found
    names = [getattr(picture, "name", "held") for picture in found.images]
    return [(pair.user, pair.assistant) for pair in found.pairs], names


def test_rows_say_what_the_released_code_makes_of_them(tmp_path):
    """Texts by hand from process_instruction_data.py."""
    assert content(write_llava(tmp_path), 0) == (
        [("<image>\nWhat?", "A cat."), ("Sure?", "Yes.")], ["a.jpg"]
    )  # fmt: skip
    assert content(write_llava(tmp_path), 6)[1] == ["a.jpg", "b.jpg"]
    asked = (
        "<image>\nDescribe this image in detail. Give as many details as possible. Say everything you see."
    )
    assert content(write_minigpt4(tmp_path), 0) == ([(asked, "A cat.")], ["a.jpg"])
    # "Is <ph_st> it <ph_ed> red ?" loses the marks, then double spaces, as there.
    assert content(write_shikra(tmp_path), 0) == ([("<image>\nIsitred ?", "Yes.")], ["a.jpg"])
    assert content(write_m3it(tmp_path), 0) == ([("<image>\nSay what it is.\nIn a word.", "Cat")], ["held"])
    assert content(write_multi_instruct(tmp_path), 0) == ([("<image>\nWhat?", "cat")], ["a.jpg"])
    (user, answer), *_ = content(write_alpaca(tmp_path), 0)[0]
    assert user.endswith("### Instruction:\nAdd\n\n### Input:\n1  1\n\n### Response:") and answer == "2"
    assert content(write_hub_talk(tmp_path), 0) == ([("<image> What?", "A cat.")], ["held"])
    assert content(write_hub_talk(tmp_path), 1) == ([("<image>\n<image>\nLook", "Yes.")], ["held"] * 2)


def test_a_blend_passes_each_part_by_its_weight(tmp_path):
    from textbind_trainer.blend import ShuffledRows, blended

    parts = [[f"a{n}" for n in range(10)], [f"b{n}" for n in range(4)], [f"c{n}" for n in range(3)]]
    blend = blended([0.5, 1, 2], 7, lambda part, seed: ShuffledRows(parts[part], seed))
    assert blend.samples_per_epoch == 5 + 4 + 6
    first, second = ([blend[n] for n in range(start, start + 15)] for start in (0, 15))
    for epoch in (first, second):
        assert sorted(row for row in epoch if row[0] == "b") == parts[1]
        assert sorted(row for row in epoch if row[0] == "c") == sorted(parts[2] * 2)
    halves = [[row for row in epoch if row[0] == "a"] for epoch in (first, second)]
    assert sorted(halves[0] + halves[1]) == parts[0] and first != second
    # A function of the position: read backwards by another reader it is the same.
    again = blended([0.5, 1, 2], 7, lambda part, seed: ShuffledRows(parts[part], seed))
    assert [again[n] for n in reversed(range(30))] == [*reversed(first + second)]
    assert "".join(row[0] for row in first) not in ("a" * 5 + "b" * 4 + "c" * 6,)


def test_a_run_on_a_blend_resumes_to_the_same_bits(tmp_path, run_file, parts, capsys):
    """Stage 2 on three formats, stage 1 on tars and pairs; two steps and two are four."""
    from safetensors.torch import load_file

    (tmp_path / "own.json").write_text(json.dumps(conversations()[2:]))
    blend = [
        {"path": str(parts / "train.json"), "images": str(parts / "images"), "weight": 0.5},
        {"path": str(write_llava(tmp_path)), "weight": 2.0}, {"path": str(tmp_path / "own.json")},
    ]  # fmt: skip
    write_tar(tmp_path / "x.tar", [caption_row(number) for number in range(3)])
    pairs = {"tars": str(tmp_path / "x.tar"), "pairs": [{"path": str(write_lines(tmp_path)), "weight": 1.5}]}
    for stage, module, data in ((2, stage2, {"conversations": blend, "badRows": "skip"}), (1, stage1, pairs)):
        for name, steps in (("whole", (4,)), ("part", (2, 4))):
            for each in steps:
                file = run_file(stage, f"{name}{stage}", data=data, steps=each, warmupSteps=9)
                assert module.main(["--config", str(file), "--accept-changes"]) == 0
        left, right = (
            load_file(tmp_path / f"{n}{stage}/model/qformer.safetensors") for n in ("whole", "part")
        )
        # The schedule knows the run's length; at warm-up both climb alike.
        assert all(left[name].equal(right[name]) for name in left)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"conversations": [{"path": "x.json", "weight": 0}]}, "weight"), ({"conversations": []}, "conversations"),
        ({"conversations": [{"path": "nowhere.json"}]}, "does not exist"),
        ({"conversations": [{"path": "x", "colour": 1}]}, "unknown field 'colour'"),
    ],
)  # fmt: skip
def test_wrong_parts_are_refused_by_name(data, message, run_file, capsys):
    assert stage2.main(["--config", str(run_file(2, data=data))]) == 2
    assert message in json.loads(capsys.readouterr().out.splitlines()[-1])["message"]


def test_a_format_of_the_other_stage_is_refused(tmp_path, capsys):
    assert faults(capsys, "--stage", 1, "--format", "shikra", write_shikra(tmp_path))[0] == 2
