"""Converters give data that is clean and says the same; the released data's pictures are fetched from their addresses."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from test_formats import ALL, NAMES, faults
from textbind_trainer import convert, download
from textbind_trainer.conversation import Conversation, read_conversations
from textbind_trainer.formats import shards
from tiny_parts import picture_bytes


def last(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(("stage", "write", "name", "rows", "planted"), ALL, ids=NAMES)
def test_what_is_converted_is_clean_and_says_the_same(stage, write, name, rows, planted, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    path, out = write(tmp_path / "in"), tmp_path / "out"
    call = ["--stage", str(stage), str(path), "--out", str(out)]
    assert convert.main(call) == 1
    stopped = last(capsys)
    assert stopped["path"] is None and not out.exists()
    assert {(fault["row"], fault["field"], fault["kind"]) for fault in stopped["faults"]} == planted
    assert convert.main([*call, "--skip-bad-rows"]) == 0
    done = last(capsys)
    bad = {row for row, _, _ in planted}
    assert (done["rows"], done["skipped"], done["format"]) == (rows - len(bad), len(bad), name)
    code, found = faults(capsys, "--stage", stage, out)
    assert (code, found["rows"], found["format"]) == (
        0,
        rows - len(bad),
        "tars" if stage == 1 else "textbind",
    )
    if stage == 1:
        was = [row for shard in shards(path) for row in shard.rows() if row.row not in bad]
        now = [row for shard in shards(out) for row in shard.rows()]
        assert [row.load() for row in now] == [row.load() for row in was]
    else:
        said = lambda place: [
            row for row in read_conversations(place, None, ()) if isinstance(row, Conversation)
        ]
        was, now = [row for row in said(path) if row.row not in bad], said(out)
        assert [row.pairs for row in now] == [row.pairs for row in was]
        shown = lambda row: [picture.read_bytes() for picture in row.images]
        assert [shown(row) for row in now] == [shown(row) for row in was]
    assert convert.main([*call, "--skip-bad-rows"]) == 2  # it is there already


def test_safe_mends_are_made_if_asked(tmp_path, capsys):
    turn = lambda role, content, **more: {"role": role, "content": content} | more
    row = {"conversation": [
        turn("user", "Draw"), turn("assistant", "<image>", image_list=["a.png"], caption_list=["<img0>a cat</img0> "]),
        turn("user", "Thanks"),
    ]}  # fmt: skip
    (tmp_path / "a.png").write_bytes(picture_bytes(1))
    (tmp_path / "raw.json").write_text(json.dumps([row]))
    call = ["--stage", "2", str(tmp_path / "raw.json"), "--out", str(tmp_path / "out")]
    assert convert.main(call) == 1
    assert convert.main([*call, "--mend"]) == 0
    (written,) = json.loads((tmp_path / "out" / "train.json").read_text())
    assert [turn["role"] for turn in written["conversation"]] == ["user", "assistant"]
    assert written["conversation"][1]["caption_list"] == ["a cat"]
    capsys.readouterr()


@pytest.fixture
def server():
    """A loopback server: pictures by name, some trouble, and how often each was asked for."""
    asked: Counter[str] = Counter()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            if self.path == "/gone" or (self.path == "/twice" and asked[self.path] < 3):
                self.send_error(404 if self.path == "/gone" else 503)
                return
            buffer = io.BytesIO()
            Image.new("RGB", (100, 50), (200, 0, 0)).save(buffer, "JPEG")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>" if self.path == "/junk" else buffer.getvalue())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}", asked
        running.shutdown()
        thread.join()


def test_released_pictures_are_fetched_renamed_and_gone_on_with(server, tmp_path, capsys, monkeypatch):
    home, asked = server
    monkeypatch.setattr(download, "WAIT_SECONDS", 0)
    turn = lambda role, names, urls: {
        "role": role, "content": "<image>" * len(names) or "x", "image_list": names, "url_list": urls,
        "caption_list": ["c"] * len(names),
    }  # fmt: skip
    rows = [
        [turn("user", ["490272.png"], [f"{home}/one"]), turn("assistant", ["2.png"], [f"{home}/twice"])],
        [turn("user", ["3.png"], [f"{home}/gone"]), turn("assistant", [], [])],
        [turn("user", ["4.png", "5.png"], [f"{home}/junk", "file:///etc/passwd"]), turn("assistant", [], [])],
        [turn("user", [], []), turn("assistant", ["490272.png"], [f"{home}/one"])],
    ]
    file, images = tmp_path / "train.json", tmp_path / "images"
    file.write_text(json.dumps([{"conversation": turns} for turns in rows]))
    call = [str(file), "--images", str(images), "--complete", str(tmp_path / "complete.json")]
    assert download.main(call) == 1
    done = last(capsys)
    assert (done["pictures"], done["fetched"], done["kept"], done["completeRows"]) == (5, 2, 0, 2)
    assert [each["picture"] for each in done["failed"]] == ["3.png", "4.png", "5.png"]
    assert "404" in done["failed"][0]["reason"] and "address" in done["failed"][2]["reason"]
    assert asked == {"/one": 1, "/twice": 3, "/gone": 1, "/junk": 1}
    picture = Image.open(images / "490272.png")
    assert picture.size == (512, 512) and picture.getpixel((256, 10)) == (255, 255, 255)
    assert picture.getpixel((256, 256))[0] > 190 and picture.getpixel((5, 256))[1] < 20
    assert json.loads((tmp_path / "complete.json").read_text()) == [{"conversation": rows[n]} for n in (0, 3)]
    code, found = faults(capsys, "--stage", 2, "--images", images, tmp_path / "complete.json")
    assert (code, found["rows"]) == (0, 2)
    # A second time only what is missing is asked for; a damaged file is fetched anew.
    (images / "2.png").write_bytes(b"cut")
    assert download.main(call) == 1
    assert last(capsys)["kept"] == 1 and asked["/one"] == 1 and asked["/twice"] == 4


def test_rows_without_addresses_are_refused(tmp_path, capsys):
    Path(tmp_path / "t.json").write_text(json.dumps([{"conversation": [{"image_list": ["a.png"]}]}]))
    assert download.main([str(tmp_path / "t.json"), "--images", str(tmp_path / "i")]) == 2
    assert "row 0: 1 pictures, 0 addresses" in last(capsys)["message"]
