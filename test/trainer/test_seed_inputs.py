"""What the reference's scripts start from starts a training here: BLIP-2's keys, its ``.pt``, a checkpoint in textbind.json."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from textbind_trainer import stage1, stage2
from textbind_trainer.config import read_config
from textbind_trainer.faults import TrainerError
from textbind_trainer.generate import reply
from textbind_trainer.model import QformerShape, load_model, qformer_state
from textbind_trainer.prompt import Pair
from textbind_trainer.tokenizer import load_tokenizer
from textbind_trainer.weights import load_language, load_vision, unpack_blocks
from tiny_parts import SHAPE
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

FIXTURES = Path(__file__).parents[1] / "fixtures"
MINI = Path(__file__).parents[2] / "models" / "textbind-mini"


def events(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="session")
def llama(tmp_path_factory) -> Path:
    """A Llama base without TextBind's three tokens: 450 words, a slow tokenizer's files, an untied head."""
    folder = tmp_path_factory.mktemp("llama")
    torch.manual_seed(7)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=450, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=False, max_position_embeddings=512,
        )
    ).save_pretrained(folder)  # fmt: skip
    shutil.copy(FIXTURES / "llama-tokens" / "tokenizer.model", folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "LlamaTokenizer", "legacy": False})
    )
    return folder


@pytest.fixture
def model_fields(parts, llama):
    """``model`` of a run file over that base."""
    return {
        "visionModel": str(parts / "vision"), "processor": str(parts / "vision"), "languageModel": str(llama),
        "qformerConfig": SHAPE,
    }  # fmt: skip


def keys_of(parts: Path, language: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(11)
    return qformer_state(load_model(parts / "vision", language, QformerShape.from_json(SHAPE), None))


def test_stage_1_starts_from_blip2_keys(parts, llama, model_fields, run_file, tmp_path):
    """``query_tokens`` and ``qformer.*`` alone: the projection is initialised, by the run's seed."""
    state = {name: value for name, value in keys_of(parts, llama).items() if "projection" not in name}
    save_file(state, tmp_path / "blip2.safetensors")
    fields = model_fields | {"qformer": str(tmp_path / "blip2.safetensors")}
    for name in ("one", "two"):
        path = run_file(1, name, model=fields, steps=1, learningRate=1e-9, warmupSteps=0)
        assert stage1.main(["--config", str(path)]) == 0
    one, two = (load_file(tmp_path / name / "model" / "qformer.safetensors") for name in ("one", "two"))
    assert set(one) == set(keys_of(parts, llama))
    for name, value in state.items():
        torch.testing.assert_close(one[name], value, atol=1e-6, rtol=0)
    assert one["qformer_projection.weight"].std() > 0
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_half_a_projection_is_refused(parts, llama, model_fields, run_file, tmp_path, capsys):
    state = keys_of(parts, llama)
    del state["qformer_projection.bias"]
    save_file(state, tmp_path / "half.safetensors")
    path = run_file(1, model=model_fields | {"qformer": str(tmp_path / "half.safetensors")})
    assert stage1.main(["--config", str(path)]) == 2
    assert "has no 'qformer_projection.bias'" in events(capsys)[-1]["message"]


@pytest.mark.parametrize("lora", [None, {"rank": 2}])
def test_stage_2_over_a_base_without_the_tokens(lora, model_fields, run_file, tmp_path, llama):
    """config.json and weights agree, the tokenizer names the tokens, and the ``.pt`` starts the next run."""
    path = run_file(2, model=model_fields, exportPt=True, lora=lora)
    assert stage2.main(["--config", str(path)]) == 0
    language = tmp_path / "run" / "model" / "language"
    config = json.loads((language / "config.json").read_text())
    state = load_file(language / "model.safetensors")
    assert (
        config["vocab_size"]
        == state["model.embed_tokens.weight"].shape[0]
        == state["lm_head.weight"].shape[0]
        == 453
    )
    loaded, report = AutoModelForCausalLM.from_pretrained(language, output_loading_info=True)
    assert not report["missing_keys"] and not report["mismatched_keys"]
    assert loaded.config.vocab_size == 453
    assert load_tokenizer(language).special_ids == load_tokenizer(llama).special_ids
    assert json.loads((language / "added_tokens.json").read_text()) == {
        "<image>": 450,
        "<start>": 451,
        "<end>": 452,
    }
    # The reference's flat keys over the base that has 450 rows.
    flat = tmp_path / "run" / "model" / "pytorch_model.pt"
    again = run_file(2, "again", model=model_fields | {"qformer": str(flat)}, steps=1, learningRate=1e-9)
    assert stage2.main(["--config", str(again)]) == 0
    second = load_file(tmp_path / "again" / "model" / "language" / "model.safetensors")
    for name, value in state.items():
        torch.testing.assert_close(second[name], value, atol=1e-6, rtol=0)


def test_tokens_are_added_to_a_tokenizer_json(model_fields, run_file, tmp_path, llama):
    base = tmp_path / "base"
    shutil.copytree(llama, base)
    (base / "tokenizer.model").unlink()
    definition = json.loads((FIXTURES / "llama-tokens" / "tokenizer.json").read_text())
    definition["added_tokens"] = definition["added_tokens"][:3]
    (base / "tokenizer.json").write_text(json.dumps(definition))
    assert (
        stage2.main(
            ["--config", str(run_file(2, model=model_fields | {"languageModel": str(base)}, steps=1))]
        )
        == 0
    )
    written = json.loads((tmp_path / "run" / "model" / "language" / "tokenizer.json").read_text())
    added = {token["content"]: (token["id"], token["special"]) for token in written["added_tokens"][3:]}
    assert added == {"<image>": (450, True), "<start>": (451, True), "<end>": (452, True)}


def textbind(folder: Path, parts: Path, language: Path, **fields: object) -> Path:
    folder.mkdir()
    manifest = {
        "name": "Tiny", "licence": "MIT", "visionModel": str(parts / "vision"), "processor": str(parts / "vision"),
        "languageModel": str(language), "qformerConfig": SHAPE, "imageDecoder": {"base": "sd", "guidance": 2},
        "maxSequenceLength": 200,
    }  # fmt: skip
    (folder / "textbind.json").write_text(json.dumps(manifest | fields))
    return folder


def test_the_checkpoint_of_textbind_json_is_started_from(parts, llama, run_file, tmp_path, capsys):
    """Q-Former and language model both come from ``checkpoint``; stage 1 leaves the latter beneath its result."""
    state = keys_of(parts, llama)
    base = AutoModelForCausalLM.from_pretrained(llama)
    base.resize_token_embeddings(453)
    language = {f"language_model.{name}": value + 0.25 for name, value in base.state_dict().items()}
    folder = textbind(tmp_path / "model", parts, llama, checkpoint="pytorch_model.pt")
    torch.save(state | language, folder / "pytorch_model.pt")
    fields = {"model": {"textbind": str(folder)}, "steps": 1, "learningRate": 1e-9, "warmupSteps": 0}
    assert stage1.main(["--config", str(run_file(1, **fields))]) == 0
    out = tmp_path / "run" / "model"
    qformer = load_file(out / "qformer.safetensors")
    for name, value in state.items():
        torch.testing.assert_close(qformer[name], value, atol=1e-6, rtol=0)
    written = json.loads((out / "textbind.json").read_text())
    assert written["imageDecoder"] == {"base": str(folder / "sd"), "guidance": 2}
    assert (written["languageModel"], written["maxSequenceLength"]) == (str(llama), 200)
    beneath = load_file(out / written["checkpoint"])
    assert set(beneath) == set(language)
    # The result starts stage 2, whose language model is the checkpoint's.
    second = run_file(2, "second", model={"textbind": str(out)}, steps=1, learningRate=1e-9, warmupSteps=0)
    assert stage2.main(["--config", str(second)]) == 0
    result = load_file(tmp_path / "second" / "model" / "language" / "model.safetensors")
    for name, value in language.items():
        torch.testing.assert_close(result[name.removeprefix("language_model.")], value, atol=1e-5, rtol=0)
    capsys.readouterr()
    fresh = run_file(1, "fresh", **(fields | {"model": {"textbind": str(folder), "fresh": True}}))
    assert stage1.main(["--config", str(fresh)]) == 0
    fresh_state = load_file(tmp_path / "fresh" / "model" / "qformer.safetensors")
    assert not torch.allclose(fresh_state["query_tokens"], state["query_tokens"], atol=1e-3)


def test_a_textbind_json_without_any_qformer_is_refused(parts, llama, run_file, tmp_path, capsys):
    folder = textbind(tmp_path / "model", parts, llama)
    assert stage1.main(["--config", str(run_file(1, model={"textbind": str(folder)}))]) == 2
    assert 'names neither "qformer" nor "checkpoint"' in events(capsys)[-1]["message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state | {"language_model.model.layers.9.x.weight": torch.ones(1)}, "has no such weight"),
        (lambda state: state | {"language_model.model.norm.weight": torch.ones(7)}, r"checkpoint has \[7\]"),
        (lambda state: {k: v for k, v in state.items() if k != "query_tokens"}, "has no 'query_tokens'"),
        (lambda state: {"epoch": 3} | state, "'epoch' is no tensor"),
    ],
)  # fmt: skip
def test_checkpoints_that_do_not_fit_are_named(change, message, parts, llama, tmp_path):
    torch.save(change(keys_of(parts, llama)), tmp_path / "x.pt")
    with pytest.raises(TrainerError, match=message):
        load_model(parts / "vision", llama, QformerShape.from_json(SHAPE), tmp_path / "x.pt")


def test_weights_of_another_network_are_refused(parts, tmp_path):
    shutil.copytree(parts / "vision", tmp_path / "vision")
    save_file({"qformer.x": torch.ones(2)}, tmp_path / "vision" / "model.safetensors")
    with pytest.raises(TrainerError, match="the weights lack"):
        load_vision(tmp_path / "vision")


def test_blocks_are_unpacked_as_the_engine_packs_them():
    """(q - zero) * scale; of two 4-bit numbers in a byte the first is the low one."""
    quantised = torch.tensor([[[0x10, 0x32], [0xFE, 0xDC]]], dtype=torch.uint8)
    scales, zeros = torch.tensor([[0.5, 2.0]], dtype=torch.float16), torch.tensor([[0x8F]], dtype=torch.uint8)
    want = torch.tensor([[-7.5, -7.0, -6.5, -6.0, 12.0, 14.0, 8.0, 10.0]])
    assert torch.equal(unpack_blocks(quantised, scales, zeros, 4), want)
    eight = unpack_blocks(
        torch.tensor([[[1, 255]]], dtype=torch.uint8), torch.tensor([[0.5]]), torch.tensor([[128]]), 8
    )
    assert torch.equal(eight, torch.tensor([[-63.5, 63.5]]))


def test_the_embedded_model_can_be_trained_from():
    """Its language model lies in blocks of 4 bits; put back, it knows what it knew."""
    model = load_language(MINI / "language").eval()
    tokenizer = load_tokenizer(MINI / "language")
    shape = QformerShape.from_json(json.loads((MINI / "textbind.json").read_text())["qformerConfig"])
    whole = load_model(
        None, MINI / "language", shape, MINI / "qformer" / "model.safetensors", vision_hidden=192
    )
    assert torch.equal(whole.language_model.model.norm.weight, model.model.norm.weight)
    answer = reply(whole.eval(), tokenizer, [Pair("What is the capital of France?", None)], None, None, 16)
    assert "Paris" in answer.text


def test_parts_without_a_shape_get_the_papers_q_former(run_file):
    """As the window's form names them."""
    path = run_file(1)
    fields = json.loads(path.read_text())
    del fields["model"]["qformerConfig"]
    path.write_text(json.dumps(fields))
    shape = read_config(path).model.shape.to_json()
    assert list(shape.values()) == [32, 12, 12, 768, 3072]
