"""Stage 1, then stage 2 of a tiny model on generated data: the loss on rows that were held back falls by 30 % in each."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from textbind_trainer import stage1, stage2
from textbind_trainer.captions import TEMPLATES
from textbind_trainer.prompt import encode_text
from textbind_trainer.tokenizer import load_tokenizer
from textbind_trainer.weights import load_language
from tiny_parts import QUERIES, SHAPE, write_tar

COLOURS = {
    "red": (220, 30, 30), "green": (30, 170, 60), "blue": (30, 60, 220), "white": (250, 250, 250),
    "black": (10, 10, 10), "orange": (250, 150, 20),
}  # fmt: skip
SCENES = list(COLOURS)
caption_of = lambda scene: f"a {scene} square"


def picture(scene: str, random_: random.Random) -> bytes:
    """A square of a colour somewhere, never twice the same."""
    image = Image.new("RGB", (16, 16), (128, 128, 128))
    start = random_.randrange(4)
    shade = tuple(max(0, min(255, part + random_.randrange(-8, 9))) for part in COLOURS[scene])
    ImageDraw.Draw(image).rectangle((start, 2, start + 11, 13), fill=shade)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def teach_words(language: Path) -> None:
    """The tiny model learns the texts beforehand, with the colour's word where its picture would be: like a language
    model that can write and has never seen. Else stage 1 would have nothing to speak to.
    """
    torch.manual_seed(0)
    model, tokenizer = load_language(language), load_tokenizer(language)
    random_, optimizer = random.Random(0), torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(450):
        rows = []
        for _ in range(16):
            scene = random_.choice(SCENES)
            words = encode_text(tokenizer, f" {scene}")[:1] * QUERIES
            text = random_.choice(TEMPLATES).replace("<image>", "<image>" * QUERIES)
            ids = encode_text(tokenizer, f"{tokenizer.bos_token}[INST] {text} [/INST]")
            queue = list(words)
            ids = [queue.pop(0) if token == tokenizer.special_ids["<image>"] else token for token in ids]
            told = encode_text(tokenizer, f"{caption_of(scene)} {tokenizer.eos_token}")
            rows.append((ids + told, [-100] * len(ids) + told))
        longest = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in rows])
        labels = torch.tensor([labels + [-100] * (longest - len(labels)) for _, labels in rows])
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
    model.save_pretrained(language)


def conversations(folder: Path, random_: random.Random, count: int) -> list[dict]:
    """A person shows a picture and asks, then asks for another one."""
    rows = []
    for number in range(count):
        shown, drawn = random_.choice(SCENES), random_.choice(SCENES)
        names = [f"{number}-{part}-{folder.name}.png" for part in ("shown", "drawn")]
        for name, scene in zip(names, (shown, drawn), strict=True):
            (folder / name).write_bytes(picture(scene, random_))
        turn = lambda role, content, images=(), captions=(): {
            "role": role, "content": content, "image_list": list(images), "caption_list": list(captions),
        }  # fmt: skip
        rows.append({"conversation": [
            turn("user", "<image> What is this?", names[:1]), turn("assistant", caption_of(shown)),
            turn("user", f"draw me {caption_of(drawn)}"), turn("assistant", "<image>", names[1:], [caption_of(drawn)]),
        ]})  # fmt: skip
    return rows


def validation(capsys) -> list[float]:
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "finished", events[-1]
    return [event["loss"] for event in events if event["event"] == "validation"]


def test_both_stages_learn(tmp_path, capsys):
    import tiny_parts

    parts = tmp_path / "parts"
    parts.mkdir()
    texts = tuple(map(caption_of, SCENES)) + tuple(t.replace("<image>", "") for t in TEMPLATES)
    tiny_parts.make_parts(parts, texts, 600)
    teach_words(parts / "language")
    random_ = random.Random(4)
    for name, count in (("train", 240), ("held", 36)):
        scenes = [random_.choice(SCENES) for _ in range(count)]
        rows = [
            {"png": picture(scene, random_), "txt": caption_of(scene).encode(), "json": b"{}"}
            for scene in scenes
        ]
        write_tar(tmp_path / f"{name}.tar", rows)
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.json").write_text(
            json.dumps(conversations(tmp_path / name, random_, count // 2))
        )
    common = {
        "warmupSteps": 10, "threads": 1, "precision": "fp32", "seed": 1, "maxLength": 200, "logEvery": 100,
        "validateEvery": 100_000, "checkpointEvery": 100_000,
    }  # fmt: skip
    model = {"visionModel": "parts/vision", "processor": "parts/vision", "languageModel": "parts/language"}
    first = common | {
        "stage": 1, "model": model | {"qformerConfig": SHAPE}, "output": "one", "steps": 150, "batchSize": 16,
        "microBatchSize": 16, "learningRate": 0.003, "data": {"tars": "train.tar", "validationTars": "held.tar"},
    }  # fmt: skip
    (tmp_path / "one.json").write_text(json.dumps(first))
    assert stage1.main(["--config", str(tmp_path / "one.json")]) == 0
    before, after = validation(capsys)
    assert after < 0.7 * before, f"stage 1: {before} -> {after}"
    parts_of = {"path": "train.json", "images": "train"}
    second = common | {
        "stage": 2, "model": {"textbind": "one/model"}, "output": "two", "steps": 80, "batchSize": 16,
        "microBatchSize": 8, "learningRate": 0.003,
        "data": {"conversations": [parts_of], "validation": [{"path": "held.json", "images": "held"}]},
    }  # fmt: skip
    (tmp_path / "two.json").write_text(json.dumps(second))
    assert stage2.main(["--config", str(tmp_path / "two.json")]) == 0
    start, end = validation(capsys)
    assert end < 0.7 * start, f"stage 2: {start} -> {end}"
    with capsys.disabled():
        print(f"validation loss: stage 1 {before} -> {after}, stage 2 {start} -> {end}")
