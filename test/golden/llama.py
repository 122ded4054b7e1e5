"""Small random Llama checkpoints, their logits and greedy continuations, from transformers.

Usage: llama.py OUT_DIR CASES_JSON, where CASES_JSON is an object of cases by name; a case holds
fields of LlamaConfig and `length` (prompt), `new_tokens`, `seed`, and `store` ("float32", "float16"
or "bfloat16"). Writes OUT_DIR/NAME/model (a Hugging Face folder) and OUT_DIR/NAME/reference.safetensors.
All cases in one process: importing the libraries takes longer than everything else.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM


def write_case(out: Path, fields: dict[str, Any]) -> None:
    """Writes one checkpoint and its reference values."""
    length, new_tokens = fields.pop("length"), fields.pop("new_tokens")
    store = getattr(torch, fields.pop("store"))
    torch.manual_seed(fields.pop("seed"))
    model = LlamaForCausalLM(LlamaConfig(**fields))
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            # Large enough that logits differ clearly; norms and biases away from their defaults.
            scale = 0.3 if tensor.dim() == 1 else 1.5 / tensor.shape[-1] ** 0.5
            tensor.copy_(torch.randn_like(tensor) * scale + ("norm" in name) * 1.0)
    model = model.to(store).eval()
    model.save_pretrained(out / "model")
    # Not model.float(): the rotary frequencies would keep the rounding of the storage type.
    model = LlamaForCausalLM.from_pretrained(out / "model", dtype=torch.float32).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, length))
    pair = torch.randint(0, model.config.vocab_size, (2, length))
    with torch.no_grad():
        # The picture's case: rows that no token has, in the middle of a sequence.
        embeds = torch.randn(1, length, model.config.hidden_size) * 0.5
        # Not generate(): its logits processors may overrule the likeliest token.
        tokens = ids
        for _ in range(new_tokens):
            best = model(tokens).logits[:, -1].argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, best], dim=1)
        reference = {
            "ids": ids,
            "pair": pair,
            "logits": model(ids).logits,
            "pair_logits": model(pair).logits,
            "embeds": embeds,
            "embeds_logits": model(inputs_embeds=embeds).logits,
            "tokens": tokens[:, length:],
            "token_embeds": model.get_input_embeddings()(ids),
        }
    save_file({name: value.contiguous() for name, value in reference.items()}, out / "reference.safetensors")


def main() -> None:
    """Writes all cases."""
    torch.set_num_threads(1)
    for name, fields in json.loads(sys.argv[2]).items():
        write_case(Path(sys.argv[1]) / name, fields)


if __name__ == "__main__":
    main()
