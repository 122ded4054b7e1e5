"""Tiny random parts in real file formats: a tokenizer, a vision encoder, a language model, data."""

from __future__ import annotations

import io
import json
import random
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image

QUERIES = 4
SHAPE = {
    "numQueryTokens": QUERIES,
    "numHiddenLayers": 2,
    "numAttentionHeads": 2,
    "hiddenSize": 16,
    "intermediateSize": 32,
}


SENTENCES = ("a cat on a blue background", "What is this? [INST] draw me")


def make_tokenizer(folder: Path, texts: tuple[str, ...] = SENTENCES, size: int = 300) -> None:
    """Byte-level BPE over a few sentences, with begin, end and the three TextBind tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<unk>", "<|begin|>", "<|finish|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([*texts] * 4, trainer)
    tokenizer.add_special_tokens(["<image>", "<start>", "<end>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin|>", "eos_token": "<|finish|>",
        "unk_token": "<unk>", "pad_token": "<|finish|>", "additional_special_tokens": ["<image>", "<start>", "<end>"],
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def make_parts(root: Path, texts: tuple[str, ...] = SENTENCES, size: int = 300) -> None:
    """``language/`` and ``vision/`` as Hugging Face folders."""
    from transformers import AutoTokenizer, Blip2VisionConfig, Blip2VisionModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(5)
    language, vision = root / "language", root / "vision"
    language.mkdir()
    vision.mkdir()
    make_tokenizer(language, texts, size)
    rows = len(AutoTokenizer.from_pretrained(language))
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=rows, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, max_position_embeddings=512,
        )
    ).save_pretrained(language)  # fmt: skip
    Blip2VisionModel(
        Blip2VisionConfig(
            hidden_size=24,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
            initializer_range=0.1,  # transformers' own is 1e-10: every picture would look alike
        )
    ).save_pretrained(vision)
    processor = {
        "size": {"height": 16, "width": 16},
        "image_mean": [0.48, 0.46, 0.41],
        "image_std": [0.27, 0.26, 0.28],
    }
    (vision / "preprocessor_config.json").write_text(json.dumps(processor))


def picture_bytes(seed: int) -> bytes:
    """A small PNG of one random colour."""
    random_ = random.Random(seed)
    buffer = io.BytesIO()
    Image.new("RGB", (20, 18), tuple(random_.randrange(256) for _ in range(3))).save(buffer, "PNG")
    return buffer.getvalue()


def write_tar(path: Path, rows: list[dict[str, bytes]]) -> None:
    """A WebDataset tar."""
    with tarfile.open(path, "w") as archive:
        for number, parts in enumerate(rows):
            for ending, data in parts.items():
                member = tarfile.TarInfo(f"{number:05d}.{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def caption_row(number: int) -> dict[str, bytes]:
    """One good stage 1 row."""
    return {"png": picture_bytes(number), "txt": f"a cat number {number}".encode(), "json": b"{}"}


def conversations() -> list[dict]:
    """Good rows: user's pictures, drawn pictures, words only."""
    turn = lambda role, content, images=(), captions=(): {
        "role": role, "content": content, "image_list": list(images), "caption_list": list(captions),
    }  # fmt: skip
    return [
        {
            "conversation": [
                turn("user", "<image> What is this?", ["a.png"]),
                turn("assistant", "It is a cat."),
            ]
        },
        {
            "conversation": [
                turn("user", "Draw a cat."),
                turn("assistant", "Here: <image> Nice?", ["b.png"], ["a cat on a blue background"]),
                turn("user", "And again <image>", ["a.png"]),
                turn("assistant", "Look <image> and <image>", ["c.png", "a.png"], ["a dog", "a red cat"]),
            ]
        },
        {"conversation": [turn("user", "Hello"), turn("assistant", "Good day.")]},
    ]


def make_all(root: Path) -> None:
    """language/, vision/, cc/*.tar, train.json and images/."""
    make_parts(root)
    (root / "cc").mkdir()
    for number in range(3):
        write_tar(root / "cc" / f"{number:05d}.tar", [caption_row(number * 5 + row) for row in range(5)])
    (root / "images").mkdir()
    for number, name in enumerate("abc"):
        (root / "images" / f"{name}.png").write_bytes(picture_bytes(number))
    (root / "train.json").write_text(json.dumps(conversations() * 3))


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of ``make_all``."""
    root = tmp_path_factory.mktemp("parts")
    make_all(root)
    return root


@pytest.fixture
def run_file(parts: Path, tmp_path: Path):
    """Writes a RUN.json for either stage and returns its path; keyword arguments replace fields."""

    def write(stage: int, name: str = "run", **fields) -> Path:
        data = {
            1: {
                "tars": str(parts / "cc" / "{00000..00001}.tar"),
                "validationTars": str(parts / "cc" / "00002.tar"),
            },
            2: {
                "conversations": str(parts / "train.json"),
                "images": str(parts / "images"),
                "validation": str(parts / "train.json"),
            },
        }[stage]
        model = {
            name: str(parts / folder)
            for name, folder in (
                ("visionModel", "vision"),
                ("processor", "vision"),
                ("languageModel", "language"),
            )
        }
        content = {
            "stage": stage, "model": model | {"qformerConfig": SHAPE}, "data": data, "output": str(tmp_path / name),
            "steps": 4, "batchSize": 4, "microBatchSize": 2, "learningRate": 0.01, "warmupSteps": 2, "maxLength": 200,
            "checkpointEvery": 2, "validateEvery": 2, "logEvery": 1, "seed": 3, "threads": 1, "precision": "fp32",
        } | fields  # fmt: skip
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    return write
