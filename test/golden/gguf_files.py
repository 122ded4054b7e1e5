"""GGUF files and what llama.cpp's own Python package and transformers make of them.

Called as ``python gguf_files.py OUT_DIR``. For every kind of block ``KIND.blocks`` (random bytes with finite scales) and, in
``blocks.safetensors``, the numbers that ``gguf.dequantize`` gives. ``byte-level.gguf`` and ``pieces.gguf`` are small
random Llamas, one with a byte-level vocabulary and blocks of several kinds, one with SentencePiece's (``talking.gguf``
is the first with a longer context); ``logits.safetensors``
has transformers' logits for the dequantised weights (``byte-level``, ``pieces``, for ``ids``), and ``texts.json`` the ids
of texts by the tokenizers that the vocabularies came from.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Kind
from gguf import dequantize, quantize
from golden import randomise
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

#: Where the scales of a block lie, in bytes: they must be finite.
SCALES = {
    Kind.Q4_0: [0], Kind.Q4_1: [0, 2], Kind.Q5_0: [0], Kind.Q5_1: [0, 2], Kind.Q8_0: [0], Kind.Q2_K: [80, 82],
    Kind.Q3_K: [108], Kind.Q4_K: [0, 2], Kind.Q5_K: [0, 2], Kind.Q6_K: [208],
}  # fmt: skip
TEXTS = ["Hello, world 1234!", "the cat  sat\non the mat", "don't stop", "", " a", "äöü 犬 🐕"]
CORPUS = ["the cat sat on the mat and did not stop", "hello world, this is the cat of the world", "a dog and a cat"] * 40


def random_blocks(kind: Kind, count: int, random: np.random.Generator) -> np.ndarray:
    """Bytes of blocks of every code there is."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scales = (random.standard_normal(count) * 0.1).astype(np.float16)
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return blocks


def permute(weights: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp's order of query's and key's rows (convert_hf_to_gguf.py)."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def names(layer: int) -> dict[str, tuple[str, Kind]]:
    """Tensors of a layer: GGUF's name and the kind of block that it is stored in."""
    own, theirs = f"blk.{layer}", f"model.layers.{layer}"
    kinds = {"attn_norm": Kind.F32, "ffn_norm": Kind.F32, "attn_q": Kind.Q8_0, "attn_k": Kind.F16, "attn_v": Kind.Q5_1,
             "attn_output": Kind.Q4_0, "ffn_gate": Kind.Q4_1, "ffn_up": Kind.Q5_0, "ffn_down": Kind.BF16}  # fmt: skip
    hf = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
          "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
          "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}  # fmt: skip
    return {f"{theirs}.{hf[part]}.weight": (f"{own}.{part}.weight", kind) for part, kind in kinds.items()}


def write_model(path: Path, vocabulary: int, tied: bool, add_tokenizer, context: int = 64) -> np.ndarray:
    """A random Llama as a file; the logits of what the file's blocks stand for."""
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=context, tie_word_embeddings=tied, rms_norm_eps=1e-5,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    randomise(model)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_context_length(context)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    add_tokenizer(writer)
    table = {"model.embed_tokens.weight": ("token_embd.weight", Kind.Q8_0), "model.norm.weight": ("output_norm.weight", Kind.F32)}
    if not tied:
        table["lm_head.weight"] = ("output.weight", Kind.F16)
    table |= names(0) | names(1)
    state = model.state_dict()
    for theirs, (own, kind) in table.items():
        heads = {"attn_q": 4, "attn_k": 2}.get(own.split(".")[2] if own.startswith("blk") else "", 0)
        values = state[theirs].numpy()
        stored = quantize(permute(values, heads) if heads else values, kind)
        writer.add_tensor(own, stored, raw_dtype=kind)
        back = dequantize(stored, kind).reshape(values.shape)
        if heads:
            rows = values.shape[0]
            back = back.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
        with torch.no_grad():
            state[theirs].copy_(torch.from_numpy(back.copy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with torch.no_grad():
        return model(torch.tensor([IDS])).logits[0].numpy()


IDS = [3, 1, 41, 59, 26, 5, 35, 8, 97]


def byte_level(out: Path) -> tuple[np.ndarray, list[list[int]]]:
    """A vocabulary like SmolLM2's: single digits, then byte-level pairs."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    spoken = json.loads(tokenizer.to_str())["model"]
    by_id = sorted(spoken["vocab"], key=spoken["vocab"].get)

    def add(writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(by_id)
        writer.add_token_types([3 if index < 3 else 1 for index in range(len(by_id))])
        writer.add_token_merges([" ".join(pair) for pair in spoken["merges"]])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)

    logits = write_model(out / "byte-level.gguf", len(by_id), True, add)
    # One that a conversation fits into.
    write_model(out / "talking.gguf", len(by_id), True, add, context=256)
    return logits, [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]


def pieces(out: Path) -> tuple[np.ndarray, list[list[int]]]:
    """A vocabulary like Llama's own."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_prefix=str(out / "pieces"), vocab_size=320, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_file=str(out / "pieces.model"))
    count = model.get_piece_size()
    kinds = [2 if model.is_unknown(i) else 3 if model.is_control(i) else 6 if model.is_byte(i) else 1 for i in range(count)]

    def add(writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model("llama")
        writer.add_token_list([model.id_to_piece(i) for i in range(count)])
        writer.add_token_scores([model.get_score(i) for i in range(count)])
        writer.add_token_types(kinds)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)

    logits = write_model(out / "pieces.gguf", count, False, add)
    return logits, [model.encode(text) for text in TEXTS]


def main() -> None:
    """Write everything."""
    out = Path(sys.argv[1])
    random = np.random.default_rng(3)
    torch.manual_seed(5)
    torch.set_num_threads(1)
    expected = {}
    for kind in SCALES:
        blocks = random_blocks(kind, 40, random)
        (out / f"{kind.name}.blocks").write_bytes(blocks.tobytes())
        expected[kind.name] = dequantize(blocks, kind).reshape(-1).astype(np.float32)
    save_file(expected, str(out / "blocks.safetensors"))
    logits, texts = byte_level(out)
    other_logits, other_texts = pieces(out)
    save_file({"byte-level": logits, "pieces": other_logits}, str(out / "logits.safetensors"))
    written = {"texts": TEXTS, "ids": IDS, "byte-level": texts, "pieces": other_texts}
    (out / "texts.json").write_text(json.dumps(written), encoding="utf8")


if __name__ == "__main__":
    main()
