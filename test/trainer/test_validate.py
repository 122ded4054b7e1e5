"""Every planted fault is found, with its file, row and field; a run can go on without the bad rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from textbind_trainer import stage2, validate
from tiny_parts import caption_row, conversations, picture_bytes, write_tar


def faults(capsys, *arguments: object) -> tuple[int, dict]:
    code = validate.main([str(argument) for argument in arguments])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def turn(role: str, content: str, **fields) -> dict:
    return {"role": role, "content": content, "image_list": [], "caption_list": []} | fields


PAIR = [turn("user", "Hi"), turn("assistant", "Yo")]
PLANTED = [
    ("no row", "conversation", "shape"),
    ({"conversation": PAIR[:1]}, "conversation", "turns"),
    ({"conversation": [PAIR[1], PAIR[1]]}, "conversation[0].role", "role"),
    ({"conversation": [{"role": "user"}, PAIR[1]]}, "conversation[0].content", "text"),
    ({"conversation": [PAIR[0], turn("assistant", "<image>", image_list=["a.png"])]}, "conversation[1].caption_list", "count"),
    ({"conversation": [turn("user", "<image>"), PAIR[1]]}, "conversation[0].image_list", "count"),
    ({"conversation": [turn("user", "<image>", image_list=["z.png"]), PAIR[1]]}, "conversation[0].image_list", "missing"),
    ({"conversation": [turn("user", "<image>", image_list=["../a.png"]), PAIR[1]]}, "conversation[0].image_list", "path"),
    ({"conversation": [turn("user", "<image>", image_list=["junk.png"]), PAIR[1]]}, "conversation[0].image_list", "picture"),
    ({"conversation": [turn("user", "<image>", image_list=["cut.png"]), PAIR[1]]}, "conversation[0].image_list", "picture"),
    ({"conversation": [turn("user", "x [INST] y"), PAIR[1]]}, "conversation[0].content", "unsafe"),
    ({"conversation": [turn("user", "half \ud83c"), PAIR[1]]}, "conversation[0].content", "unsafe"),
    ({"conversation": [turn("user", "<image>", image_list=[7]), PAIR[1]]}, "conversation[0].image_list", "shape"),
    ({"conversation": [turn("system", " "), *PAIR]}, "conversation[0].content", "text"),
    ({"conversation": PAIR, "image_dir": 3}, "image_dir", "shape"),
    ({"conversation": [*PAIR, turn("system", "late"), PAIR[1]]}, "conversation[2].role", "role"),
]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file with a good row before, between and after the planted ones, and its pictures."""
    images = tmp_path / "images"
    images.mkdir()
    for number, name in enumerate("abc"):
        (images / f"{name}.png").write_bytes(picture_bytes(number))
    (images / "junk.png").write_bytes(b"\x89PNG junk")
    (images / "cut.png").write_bytes(picture_bytes(9)[:50])
    rows = conversations()[:1]
    for row, *_ in PLANTED:
        rows += [row, {"conversation": [turn("system", "Be kind."), *PAIR]}]
    (tmp_path / "train.json").write_text(json.dumps(rows))
    return tmp_path / "train.json"


def test_every_planted_fault_is_found_and_nothing_else(data, capsys):
    code, found = faults(capsys, "--stage", 2, data)
    assert (code, found["rows"]) == (1, 1 + 2 * len(PLANTED))
    got = {(fault["row"], fault["field"], fault["kind"]) for fault in found["faults"]}
    assert got == {(1 + 2 * n, field, kind) for n, (_, field, kind) in enumerate(PLANTED)}
    assert {fault["file"] for fault in found["faults"]} == {str(data)}
    assert all(fault["message"] for fault in found["faults"])


def test_all_faults_of_one_row_are_named(data, capsys):
    row = {
        "conversation": [turn("assistant", "a </s> [INST] <image>", image_list=["z.png"]), turn("user", "")]
    }
    data.write_text(json.dumps([row]))
    _, found = faults(capsys, "--stage", 2, data)
    kinds = [fault["kind"] for fault in found["faults"]]
    assert sorted(kinds) == ["missing", "role", "role", "text", "unsafe", "unsafe"]


def test_good_data_has_none(data, capsys):
    data.write_text(json.dumps(conversations()))
    assert faults(capsys, "--stage", 2, data.parent) == (0, {
        "event": "validated", "rows": 3, "faults": [], "format": "textbind", "time": pytest.approx(0, abs=1e12),
    })  # fmt: skip


@pytest.mark.parametrize("image_dir", ["./data/mim_images", "absolute", "", None, "../above"])
def test_pictures_are_found_where_released_data_says(image_dir, data, tmp_path, capsys):
    """``./data/mim_images`` is relative to where the scripts were run: a folder above the data file."""
    project = tmp_path / "project"
    file = project / "data" / "textbind" / "train.json"
    file.parent.mkdir(parents=True)
    home = {"./data/mim_images": project / "data" / "mim_images", "absolute": tmp_path / "elsewhere"}
    home |= {"": file.parent / "images", None: file.parent / "images", "../above": project / "data" / "above"}
    shutil.copytree(data.parent / "images", home[image_dir])
    said = str(home["absolute"]) if image_dir == "absolute" else image_dir
    file.write_text(json.dumps([row | {"image_dir": said} for row in conversations()]))
    assert faults(capsys, "--stage", 2, file)[1]["faults"] == []
    # The same rows with the released name, when the pictures were put into a folder of our own.
    file.write_text(json.dumps([row | {"image_dir": "./data/gone"} for row in conversations()]))
    assert faults(capsys, "--stage", 2, file, "--images", home[image_dir])[1]["faults"] == []


def test_tars(tmp_path, capsys):
    good = caption_row(1)
    bad = [
        ({"txt": b"x"}, "picture", "missing"), ({"png": good["png"]}, "txt", "missing"),
        (good | {"png": b"\x89PNG junk"}, "png", "picture"), (good | {"txt": b"  "}, "txt", "text"),
        (good | {"txt": b"\xff"}, "txt", "text"), (good | {"txt": b"a <end>"}, "txt", "unsafe"),
    ]  # fmt: skip
    write_tar(tmp_path / "00000.tar", [good, *(row for row, *_ in bad)])
    write_tar(tmp_path / "00001.tar", [good] * 3)
    cut = tmp_path / "00002.tar"
    cut.write_bytes((tmp_path / "00001.tar").read_bytes()[:700])
    code, found = faults(capsys, "--stage", 1, tmp_path)
    assert (code, found["rows"]) == (1, 10)
    got = [(Path(f["file"]).name, f["row"], f["field"], f["kind"]) for f in found["faults"]]
    assert got == [("00000.tar", n, field, kind) for n, (_, field, kind) in enumerate(bad, 1)] + [
        ("00002.tar", 0, "", "tar")
    ]
    assert faults(capsys, "--stage", 1, tmp_path / "{00001..00001}.tar")[0] == 0


@pytest.mark.parametrize("stage", [1, 2])
def test_nothing_to_look_at_is_no_clean_bill(stage, tmp_path, capsys):
    assert faults(capsys, "--stage", stage, tmp_path / "nowhere")[0] == 2


def test_a_run_stops_with_all_faults_or_goes_on_without_the_rows(data, run_file, capsys):
    fields = {"conversations": str(data), "images": str(data.parent / "images")}
    assert stage2.main(["--config", str(run_file(2, data=fields))]) == 2
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["message"]
    assert f"{len(PLANTED)} of {1 + 2 * len(PLANTED)} rows are unusable" in said
    assert stage2.main(["--config", str(run_file(2, data=fields | {"badRows": "skip"}))]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "finished" and events[-1]["skipped"] == len(PLANTED)
    started = next(event for event in events if event["event"] == "started")
    assert started["samplesPerEpoch"] == 1 + len(PLANTED)


def test_a_system_turn_is_the_system_message(parts):
    from textbind_trainer.conversation import check_conversation
    from textbind_trainer.data import Tokens
    from textbind_trainer.tokenizer import load_tokenizer

    row = {"conversation": [turn("system", " Be kind. "), *PAIR, *PAIR]}
    read = check_conversation(row, 0, "made", None, ())
    assert (read.system, len(read.pairs)) == ("Be kind.", 2)
    tokenizer = load_tokenizer(parts / "language")
    ids = Tokens(tokenizer, 0, 0, 4, 500).example(read.pairs, [], read.system).ids
    assert tokenizer.decode(ids).startswith(
        "<|begin|>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST]Yo <|finish|>"
    )
