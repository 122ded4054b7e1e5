"""A whole TextBind model of a few hundred kilobytes with random weights, and what its networks compute.

Called as ``python tiny_model.py OUT_DIR``; writes ``vision/``, ``language/``, ``qformer.safetensors``,
``image-decoder/``, ``qformer-config.json`` and ``probe-NAME.safetensors`` for the networks: inputs and the
outputs that ``textbind probe`` must give.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from golden import randomise
from safetensors.torch import save_file
from sdxl import build
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    Blip2QFormerConfig,
    Blip2QFormerModel,
    Blip2VisionConfig,
    Blip2VisionModel,
    LlamaConfig,
    LlamaForCausalLM,
)

QUERIES, SIZES = 4, {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
SPECIAL = ["<unk>", "<s>", "</s>", "<image>", "<start>", "<end>"]


def write_tokenizer(folder: Path) -> int:
    """One token a byte; gives the size of the vocabulary."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in SPECIAL])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf8")
    return len(vocabulary)


@torch.no_grad()
def main() -> None:
    """Write everything."""
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    torch.manual_seed(5)
    size = write_tokenizer(out / "language")
    vision = Blip2VisionModel(Blip2VisionConfig(image_size=28, patch_size=14, **SIZES))
    qformer = Blip2QFormerModel(Blip2QFormerConfig(encoder_hidden_size=32, cross_attention_frequency=2, **SIZES))
    language = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
            bos_token_id=1, eos_token_id=2,
        )
    )  # fmt: skip
    for model in (vision, qformer, language):
        randomise(model)
        model.eval()
    queries, projection = torch.randn(1, QUERIES, 32), torch.nn.Linear(32, 64)
    vision.save_pretrained(out / "vision")
    language.save_pretrained(out / "language")
    tensors = {f"qformer.{name}": tensor for name, tensor in qformer.state_dict().items()}
    tensors |= {f"qformer_projection.{name}": tensor for name, tensor in projection.state_dict().items()}
    tensors["query_tokens"] = queries
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(out / "qformer.safetensors"))
    # A stage 2 checkpoint as the reference saves it: its language model has two rows more than the base's config says.
    fuller = torch.cat([language.model.embed_tokens.weight, torch.randn(2, 64)])
    trained = {f"language_model.{name}": tensor * 1.5 for name, tensor in language.state_dict().items()}
    trained["language_model.model.embed_tokens.weight"] = trained["language_model.lm_head.weight"] = fuller
    torch.save(tensors | trained, out / "stage2.pt")
    sizes = {
        "numQueryTokens": QUERIES, "numHiddenLayers": 2, "numAttentionHeads": 2, "hiddenSize": 32,
        "intermediateSize": 48,
    }  # fmt: skip
    (out / "qformer-config.json").write_text(json.dumps(sizes), encoding="utf8")
    base, _ = build()
    base.save_pretrained(out / "image-decoder")

    def probe(name: str, inputs: dict, outputs: dict) -> None:
        both = {**inputs, **{f"expected.{key}": value for key, value in outputs.items()}}
        save_file({key: value.contiguous() for key, value in both.items()}, str(out / f"probe-{name}.safetensors"))

    pixels = torch.randn(2, 3, 28, 28)
    seen = vision(pixel_values=pixels).last_hidden_state
    probe("vision", {"pixel_values": pixels}, {"last_hidden_state": seen})
    states = qformer(query_embeds=queries.expand(2, -1, -1), encoder_hidden_states=seen).last_hidden_state
    outputs = {"last_hidden_state": states, "image_embeds": projection(states)}
    probe("qformer", {"encoder_hidden_states": seen}, outputs)
    ids = torch.randint(0, size, (2, 9))
    probe("language", {"input_ids": ids}, {"logits": language(input_ids=ids).logits})
    ids = torch.tensor([[512, 5, 300, 17, 513] + [513] * 6])
    first = base.text_encoder(ids, output_hidden_states=True)
    second = base.text_encoder_2(ids, output_hidden_states=True)
    outputs = {"hidden_states": first.hidden_states[-2], "pooled": first.pooler_output}
    probe("text_encoder", {"input_ids": ids}, outputs)
    outputs = {"hidden_states": second.hidden_states[-2], "pooled": second.text_embeds}
    probe("text_encoder_2", {"input_ids": ids}, outputs)
    sample = {
        "sample": torch.randn(2, 4, 6, 8), "timestep": torch.tensor(500), "encoder_hidden_states": torch.randn(2, 7, 40),
        "text_embeds": torch.randn(2, 24), "time_ids": torch.tensor([[48.0, 64, 0, 0, 48, 64]] * 2),
    }  # fmt: skip
    added = {"text_embeds": sample["text_embeds"], "time_ids": sample["time_ids"]}
    noise = base.unet(sample["sample"], 500, sample["encoder_hidden_states"], added_cond_kwargs=added).sample
    probe("unet", sample, {"noise_pred": noise})
    latents = torch.randn(1, 4, 5, 6)
    probe("vae_decoder", {"latents": latents}, {"image": base.vae.decode(latents).sample})
    image = torch.rand(1, 3, 32, 40) * 2 - 1
    probe("vae_encoder", {"image": image}, {"latents": base.vae.encode(image).latent_dist.mean})


if __name__ == "__main__":
    main()
