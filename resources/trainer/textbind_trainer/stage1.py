"""Stage 1, multimodal alignment: queries, Q-Former and projection learn to speak the frozen language model's embeddings.

Run: ``python -m textbind_trainer.stage1 --config RUN.json`` (or under torchrun). Exports
``model/qformer.safetensors`` with the keys ``query_tokens``, ``qformer.*``, ``qformer_projection.*``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from .building import load_parts, load_tokens, make_run
from .captions import Captions
from .config import RunConfig
from .events import claim_stdout
from .export import export_run
from .loop import Run, command
from .skips import Skips
from .views import make_view


def build(config: RunConfig, device: torch.device) -> Run:
    """Model, data and optimizer of a stage 1 run."""
    tokens, skips = load_tokens(config), Skips()
    source = Captions(config.data, tokens, make_view(config), config.seed, skips)
    model = load_parts(config, tokens)
    model.language_model.requires_grad_(False)
    run = make_run(config, device, model, source, tokens, skips)
    source.processor.attach(run)
    return run


def export(run: Run, target: Path) -> None:
    """The trained keys, as safetensors and, if asked for, as the reference's flat ``.pt``."""
    export_run(run, target, with_language=False)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return command(1, build, export, argv)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
