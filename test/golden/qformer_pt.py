"""The embedded model's Q-Former as the reference saves it: one flat state dict in a .pt.

Run: ``python qformer_pt.py OUT_DIR``; writes OUT_DIR/pytorch_model.pt.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

MODEL = Path(__file__).parents[2] / "models" / "textbind-mini" / "qformer" / "model.safetensors"


def main(out: Path) -> None:
    """Half precision, as the released checkpoints are."""
    state = {name: value.to(torch.float16) for name, value in load_file(MODEL).items()}
    torch.save(state, out / "pytorch_model.pt")


main(Path(sys.argv[1]))
