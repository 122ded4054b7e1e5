"""What ships comes back as folders that training reads, to the number that the engine computes with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.weights import load_language, read_state
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from recipes.mini import unship
from recipes.mini.compensate import compensated
from recipes.mini.ship import QUANTISE

ROOT = Path(__file__).parents[3]


def quantised(source: Path, target: Path) -> None:
    """By the product's own quantiser, one layer in 4 bits and one in 8."""
    node = ROOT / "node_modules" / "node" / "bin" / "node"
    command = [
        str(node),
        "--disable-warning=ExperimentalWarning",
        QUANTISE,
        str(source),
        str(target),
        "8",
        "1",
    ]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A tiny folder in the form of models/textbind-mini."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=67, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2,
                         num_key_value_heads=1, tie_word_embeddings=True)  # fmt: skip
    model = LlamaForCausalLM(config)
    for module in model.model.layers[0].modules():
        if isinstance(module, nn.Linear):  # as the recipe's low layers are when they ship
            module.weight.data = compensated(module.weight.data, torch.eye(module.in_features))
    model.save_pretrained(tmp_path / "plain")
    folder = tmp_path / "shipped"
    for name in ("vision", "qformer", "hand"):
        (folder / name).mkdir(parents=True)
        save_file({"weight": torch.randn(3, 5).half()}, folder / name / "model.safetensors")
    quantised(tmp_path / "plain", folder / "language")
    parts = {
        "visionModel": "vision",
        "qformer": "qformer/model.safetensors",
        "languageModel": "language",
        "imageDecoder": {"base": "hand"},
    }
    (folder / "textbind.json").write_text(json.dumps(parts))
    return folder


def test_the_language_model_is_what_the_engine_reads(shipped, tmp_path):
    unship.main(["--model", str(shipped), "--out", str(tmp_path / "out")])
    back = tmp_path / "out" / "published" / "language"
    assert "quantization_config" not in json.loads((back / "config.json").read_text())
    was, now = load_language(shipped / "language").state_dict(), load_language(back).state_dict()
    assert was.keys() == now.keys() and all(torch.equal(was[name], now[name]) for name in was)
    plain = load_file(tmp_path / "plain" / "model.safetensors")["model.embed_tokens.weight"]
    assert now["model.embed_tokens.weight"].shape == plain.shape
    assert (now["model.embed_tokens.weight"] - plain).abs().max() < 1e-3


def test_layers_in_4_bits_ship_again_as_they_are(shipped, tmp_path):
    unship.main(["--model", str(shipped), "--out", str(tmp_path / "out")])
    quantised(tmp_path / "out" / "published" / "language", tmp_path / "again")
    was, now = read_state(shipped / "language"), read_state(tmp_path / "again")
    assert was.keys() == now.keys()
    low = [name for name in was if name.startswith("model.layers.0.")]
    assert low and all(torch.equal(was[name], now[name]) for name in low)


def test_the_eyes_and_the_q_former_come_back_in_single_precision(shipped, tmp_path):
    unship.main(["--model", str(shipped), "--out", str(tmp_path / "out")])
    out = tmp_path / "out"
    for name, path in (
        ("vision", "published/vision/model.safetensors"),
        ("qformer", "published/qformer.safetensors"),
    ):
        value = load_file(out / path)["weight"]
        assert value.dtype == torch.float32
        assert torch.equal(value, load_file(shipped / name / "model.safetensors")["weight"].float())
    assert (out / "hf" / "image-decoder" / "model.safetensors").is_file()
