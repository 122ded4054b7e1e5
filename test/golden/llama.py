"""A small random Llama checkpoint, its logits and a greedy continuation, from transformers.

Usage: llama.py OUT_DIR CONFIG_JSON, where CONFIG_JSON holds fields of LlamaConfig and `length`
(prompt), `new_tokens`, `seed`, and `store` ("float32", "float16" or "bfloat16").
Writes OUT_DIR/model (a Hugging Face folder) and OUT_DIR/reference.safetensors.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM


def main() -> None:
    """Writes the checkpoint and the reference values."""
    out, fields = Path(sys.argv[1]), json.loads(sys.argv[2])
    length, new_tokens = fields.pop("length"), fields.pop("new_tokens")
    store = getattr(torch, fields.pop("store"))
    torch.manual_seed(fields.pop("seed"))
    torch.set_num_threads(1)
    model = LlamaForCausalLM(LlamaConfig(**fields))
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            # Large enough that logits differ clearly; norms and biases away from their defaults.
            scale = 0.3 if tensor.dim() == 1 else 1.5 / tensor.shape[-1] ** 0.5
            tensor.copy_(torch.randn_like(tensor) * scale + ("norm" in name) * 1.0)
    model = model.to(store).eval()
    model.save_pretrained(out / "model")
    model = model.float()
    ids = torch.randint(0, model.config.vocab_size, (1, length))
    pair = torch.randint(0, model.config.vocab_size, (2, length))
    with torch.no_grad():
        # The picture's case: rows that no token has, in the middle of a sequence.
        embeds = torch.randn(1, length, model.config.hidden_size) * 0.5
        tokens = model.generate(
            ids,
            max_new_tokens=new_tokens,
            min_new_tokens=new_tokens,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
        )
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


if __name__ == "__main__":
    main()
