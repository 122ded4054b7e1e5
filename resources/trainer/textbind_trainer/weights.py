"""Weights on disk: files and folders in Hugging Face's layouts, PyTorch's ``.pt``, and our own quantised blocks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from .faults import TrainerError

if TYPE_CHECKING:
    from transformers import Blip2VisionModel, LlamaForCausalLM

INDEXED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
WHOLE = ("model.safetensors", "qformer.safetensors", "pytorch_model.bin", "pytorch_model.pt")
FUSED = {
    "self_attn.qkv_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj"),
}
"""Matrices that the engine stores as one (src/worker/weights/quantise-model.ts)."""


def weight_files(path: Path) -> list[Path]:
    """The files behind a path: itself, or a folder's shards. TrainerError("config") if there are none."""
    if path.is_file():
        return [path]
    for name in INDEXED:
        if (path / name).is_file():
            shards = json.loads((path / name).read_text(encoding="utf-8"))["weight_map"].values()
            return [path / shard for shard in sorted(set(shards))]
    for name in WHOLE:
        if (path / name).is_file():
            return [path / name]
    raise TrainerError("config", f"{path}: holds no weights ({', '.join([*INDEXED, *WHOLE])})")


def read_state(path: Path) -> dict[str, Tensor]:
    """A flat state dict from ``.safetensors``, PyTorch's ``.pt`` (tensors only, no other pickles) or a folder."""
    state: dict[str, Tensor] = {}
    for file in weight_files(path):
        try:
            read: Any = (
                load_file(file)
                if file.suffix == ".safetensors"
                else torch.load(file, map_location="cpu", weights_only=True)
            )
        except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
            raise TrainerError("config", f"{file}: not a checkpoint: {str(error).splitlines()[0]}") from error
        wrong = (
            [key for key, value in read.items() if not isinstance(value, Tensor)]
            if isinstance(read, dict)
            else [""]
        )
        if wrong:
            raise TrainerError("config", f"{file}: expected a flat state dict, {wrong[0]!r} is no tensor")
        state |= read
    return state


def unpack_blocks(quantised: Tensor, scales: Tensor, zeros: Tensor, bits: int) -> Tensor:
    """A quantised matrix as float [n, blocks * block size].

    quantised: uint8 [n, blocks, bytes of a block]; scales: half [n, blocks]; zeros: uint8, packed like the values.
    Of two 4-bit numbers in a byte the first is the low one (ONNX Runtime's MatMulNBits).
    """

    def spread(packed: Tensor) -> Tensor:
        return packed if bits == 8 else torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2)

    values, zero = spread(quantised).float(), spread(zeros)[:, : scales.shape[1]].float()
    return ((values - zero.unsqueeze(-1)) * scales.float().unsqueeze(-1)).flatten(1)


def dequantised(state: dict[str, Tensor], config: dict[str, Any]) -> dict[str, Tensor]:
    """Plain Llama weights of a folder that ``textbind import --quantize`` wrote."""
    heads, head_dim = config["num_attention_heads"], config.get("head_dim") or 0
    head_dim = head_dim or config["hidden_size"] // heads
    rows = {
        "self_attn.qkv_proj": [heads * head_dim, *[config["num_key_value_heads"] * head_dim] * 2],
        "mlp.gate_up_proj": [config["intermediate_size"]] * 2,
    }
    plain: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith((".weight.scales", ".weight.zeros")):
            continue
        stem, _, stored = name.rpartition(".")
        if stored in ("q4", "q8"):
            value = unpack_blocks(value, state[f"{stem}.scales"], state[f"{stem}.zeros"], int(stored[1]))
            name = stem
        plain |= _apart(name, value, rows)
    return plain


def _apart(name: str, value: Tensor, rows: dict[str, list[int]]) -> dict[str, Tensor]:
    for fused, parts in FUSED.items():
        if fused in name:
            pieces = value.split(rows[fused])
            return {name.replace(fused, part): piece for part, piece in zip(parts, pieces, strict=True)}
    return {name: value}


def load_language(folder: Path) -> LlamaForCausalLM:
    """A Hugging Face causal language model in fp32; one that our engine quantised is put back into plain weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError("config", f"model.languageModel: {folder / 'config.json'}: {error}") from error
    method = (fields.get("quantization_config") or {}).get("quant_method")
    if method is None:
        # With output_loading_info it is a pair, which transformers' own types do not say.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa", output_loading_info=True
        )
        model, report = loaded
        _refuse_missing(folder, report["missing_keys"])
        return _llama(folder, model)
    if method != "textbind-blocks":
        raise TrainerError(
            "config", f"model.languageModel: {folder} is quantised ({method}), which cannot be trained"
        )
    config = AutoConfig.from_pretrained(folder)
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="sdpa")
    state = {
        name: value[: _rows(model, name)] for name, value in dequantised(read_state(folder), fields).items()
    }
    missing = set(model.load_state_dict(state, strict=False).missing_keys)
    _refuse_missing(folder, missing - ({"lm_head.weight"} if config.tie_word_embeddings else set()))
    model.tie_weights()
    return _llama(folder, model)


def _llama(folder: Path, model: object) -> LlamaForCausalLM:
    from transformers import LlamaForCausalLM

    if not isinstance(model, LlamaForCausalLM):
        raise TrainerError(
            "config", f"model.languageModel: {folder} is a {type(model).__name__}, expected a Llama"
        )
    return model


def _rows(model: nn.Module, name: str) -> int:
    found = dict(model.named_parameters()).get(name)
    return 0 if found is None else found.shape[0]


def _refuse_missing(folder: Path, missing: Any) -> None:
    names: Iterator[str] = iter(sorted(missing))
    first = next(names, None)
    if first is not None:
        raise TrainerError("config", f"{folder}: the weights lack {first!r} and {len(list(names))} more")


def load_vision(folder: Path) -> Blip2VisionModel:
    """The frozen vision encoder. TrainerError("config") if the folder holds other weights than a Blip2VisionModel's."""
    from transformers import Blip2VisionModel

    loaded: Any = Blip2VisionModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    model, report = loaded
    _refuse_missing(folder, report["missing_keys"])
    model.eval().requires_grad_(False)
    return model
