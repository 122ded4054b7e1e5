"""The recipe's first step: pictures seen once, kept whole through kills, put into the same clusters; real eyes on real scenes."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from textbind_trainer import clusters, recipe_pictures
from textbind_trainer.eyes import open_eyes
from textbind_trainer.faults import TrainerError

ROOT = Path(__file__).parents[2]
MINI = ROOT / "models" / "textbind-mini"
SCENES = ROOT / "test" / "fixtures" / "scenes"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 held-out scenes with their captions beside them, and what cannot be used: a twin, a torn file, no caption."""
    folder = tmp_path_factory.mktemp("scenes")
    for scene in json.loads((SCENES / "scenes.json").read_text())["scenes"][:40]:
        (folder / scene["file"]).write_bytes((SCENES / scene["file"]).read_bytes())
        (folder / scene["file"]).with_suffix(".txt").write_text(scene["caption"])
    (folder / "200.jpg").write_bytes((SCENES / "000.jpg").read_bytes())
    (folder / "200.txt").write_text("a twin")
    (folder / "201.jpg").write_bytes(b"no picture")
    (folder / "201.txt").write_text("torn")
    (folder / "202.jpg").write_bytes((SCENES / "050.jpg").read_bytes())
    return folder


def see(data: Path, out: Path, eyes: Path = MINI) -> dict:
    return recipe_pictures.see(data, None, None, out, eyes)


@pytest.fixture(scope="module")
def seen(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("seen")
    assert see(scenes, out) == {
        "pictures": 40,
        "skipped": 3,
        "width": 288,
        "reads": True,
    }
    return out


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]


def test_pictures_are_whole_squares_with_white_beside_them(tmp_path):
    wide = Image.new("RGB", (400, 100), (200, 30, 30))
    fitted = recipe_pictures.fitted(wide)
    assert fitted.size == (512, 512)
    assert fitted.getpixel((256, 5)) == (255, 255, 255)
    assert fitted.getpixel((256, 256)) == (200, 30, 30)


def test_the_models_own_eyes_tell_which_caption_is_a_pictures_own(seen):
    told = lines(seen)
    pictures = torch.from_numpy(clusters.read_vectors(seen))
    assert torch.allclose(pictures.norm(dim=1), torch.ones(40), atol=1e-5)
    captions = open_eyes(MINI).read([line["caption"] for line in told])
    likeness = pictures @ captions.T
    own = likeness.diagonal()
    assert np.allclose(own, [line["likeness"] for line in told], atol=1e-4)
    # Of 40 captions, one's own is ahead of nine in ten others.
    assert float((likeness < own[:, None]).float().mean()) > 0.9


def test_a_kill_anywhere_ends_in_the_same_files(scenes, seen, tmp_path):
    chance = random.Random(3)
    for times in range(2):
        out = tmp_path / str(times)
        see(scenes, out)
        # As a kill leaves it: a line and a vector cut anywhere, one of them further than the other.
        for name in ("pictures.jsonl", "features.f32"):
            os.truncate(out / name, chance.randrange((out / name).stat().st_size))
        see(scenes, out)
        for name in ("pictures.jsonl", "features.f32"):
            assert (out / name).read_bytes() == (seen / name).read_bytes()


def test_other_eyes_begin_anew(scenes, seen, tmp_path, parts):
    model = tmp_path / "model"
    model.mkdir()
    shape = {
        "numQueryTokens": 4,
        "numHiddenLayers": 2,
        "numAttentionHeads": 2,
        "hiddenSize": 16,
        "intermediateSize": 32,
    }
    manifest = {
        "name": "t", "visionModel": str(parts / "vision"), "languageModel": str(parts / "language"),
        "processor": str(parts / "vision"), "qformerConfig": shape, "maxSequenceLength": 64,
    }  # fmt: skip
    (model / "textbind.json").write_text(json.dumps(manifest))
    out = tmp_path / "out"
    see(scenes, out)
    # A model without a space for both sees, and cannot compare.
    assert see(scenes, out, model)["reads"] is False
    assert {line["likeness"] for line in lines(out)} == {None}
    assert len(lines(out)) == 40


CLIP_VISION = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 16,
}  # fmt: skip
COLOURS = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]


def with_processor(folder: Path) -> Path:
    processor = {
        "size": {"shortest_edge": 32},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A whole CLIP with random weights."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    text = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": 1844,
        "eos_token_id": 1843,
    }
    folder = tmp_path / "clip"
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config=CLIP_VISION, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    CLIPTokenizer.from_pretrained(MINI / "image-decoder" / "tokenizer_2").save_pretrained(folder)
    return with_processor(folder)


def test_a_clip_sees_and_reads(clip):
    eyes = open_eyes(clip)
    pictures = eyes.see(COLOURS)
    captions = eyes.read(["a fox", "a hot dog on a red background"])
    assert eyes.reads and pictures.shape == captions.shape == (2, 8)
    assert torch.allclose(captions.norm(dim=1), torch.ones(2), atol=1e-5)


def test_a_clips_vision_part_sees_as_the_whole_does_and_reads_nothing(clip, scenes, tmp_path):
    from transformers import CLIPModel, CLIPVisionModel, CLIPVisionModelWithProjection

    part, bare = tmp_path / "part", tmp_path / "bare"
    config = CLIPModel.from_pretrained(clip).config
    config.vision_config.projection_dim = config.projection_dim
    CLIPVisionModelWithProjection.from_pretrained(clip, config=config.vision_config).save_pretrained(part)
    CLIPVisionModel.from_pretrained(clip).save_pretrained(bare)
    whole = open_eyes(clip)
    eyes = open_eyes(with_processor(part))
    assert torch.allclose(eyes.see(COLOURS), whole.see(COLOURS), atol=1e-6)
    assert not eyes.reads
    with pytest.raises(ValueError, match="reads no captions"):
        eyes.read(["a fox"])
    # Without a projection the class position itself: the same each time, nothing drawn at random.
    seen = open_eyes(with_processor(bare)).see(COLOURS)
    assert seen.shape == (2, 16) and torch.equal(seen, open_eyes(bare).see(COLOURS))
    assert see(scenes, tmp_path / "out", part) == {"pictures": 40, "skipped": 3, "width": 8, "reads": False}


def test_a_clip_that_is_not_whole_is_named(clip):
    state = load_file(clip / "model.safetensors")
    gone = "vision_model.post_layernorm.weight"
    save_file(
        {name: v for name, v in state.items() if name != gone}, clip / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(TrainerError, match=f"lacks {gone}"):
        open_eyes(clip)
    (clip / "model.safetensors").unlink()
    with pytest.raises(TrainerError, match="the CLIP cannot be read"):
        open_eyes(clip)


def test_clusters_are_those_of_what_is_alike_and_the_same_each_time():
    chance = np.random.default_rng(1)
    centres = np.eye(8, dtype=np.float32)[:3]
    truth = [0] * 20 + [1] * 12 + [2] * 6
    vectors = centres[truth] + chance.normal(0, 0.05, (38, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert clusters.clusters(vectors, 3, seed=5) == truth
    assert clusters.clusters(vectors, 3, seed=5) == clusters.clusters(vectors, 3, seed=5)
    assert set(clusters.clusters(vectors, 0, seed=0)) == {0, 1, 2}
    with pytest.raises(TrainerError, match="more clusters than pictures"):
        clusters.clusters(vectors, 39, seed=0)


def test_nothing_to_see_is_said(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no")
    (tmp_path / "a.txt").write_text("torn")
    with pytest.raises(TrainerError, match="no picture with a caption that can be used"):
        see(tmp_path, tmp_path / "out")
    with pytest.raises(TrainerError, match="neither a model nor a CLIP"):
        open_eyes(tmp_path)
