"""A GGUF file like the bench's: matrices in Q4_1, the embedding in Q8_0, a norm, and metadata of several types.

Called as ``python gguf_q4_1.py OUT_DIR``: writes ``source.gguf``, whose numbers belong to no network.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter, LlamaFileType
from gguf.quants import quantize


def main() -> None:
    """Write the file."""
    random = np.random.default_rng(0)
    writer = GGUFWriter(str(Path(sys.argv[1]) / "source.gguf"), "llama")
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_1)
    writer.add_block_count(1)
    writer.add_rope_freq_base(100000.0)
    writer.add_add_bos_token(False)
    writer.add_token_list(["<s>", "ä", "the"])
    writer.add_token_types([3, 1, 1])
    shapes = {
        "token_embd.weight": (3, 64),
        "blk.0.attn_q.weight": (48, 64),
        "blk.0.ffn_down.weight": (64, 96),
    }
    for name, shape in shapes.items():
        kind = Kind.Q8_0 if name == "token_embd.weight" else Kind.Q4_1
        numbers = random.standard_normal(shape).astype(np.float32)
        writer.add_tensor(name, quantize(numbers, kind), raw_dtype=kind)
    writer.add_tensor("output_norm.weight", random.standard_normal(64).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
