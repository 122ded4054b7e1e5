"""What the golden generators share: lively random weights, storage, and the command line.

Every generator is run as ``python NAME.py OUT JSON``, where JSON is ``{"specs": {name: spec}}``.
For each spec it writes ``OUT/name/model/`` (a Hugging Face folder, or what its docstring says) and
one ``OUT/name/case-N.safetensors`` a case, which holds the inputs and the reference outputs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def run_specs(generate: Callable[[Path, dict[str, Any]], None]) -> None:
    """Call ``generate(folder, spec)`` for every spec of the command line, each from its own seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("specs", type=lambda text: json.loads(text)["specs"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, spec in arguments.specs.items():
        torch.manual_seed(spec.get("seed", 0))
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        generate(folder, spec)


@torch.no_grad()
def randomise(model: torch.nn.Module) -> None:
    """Give every parameter values that matter.

    The libraries' own initialisation leaves biases at zero and norms at one, which would
    hide a forgotten bias; signals are kept near unit size through any depth.
    """
    for name, parameter in model.named_parameters():
        if (
            parameter.dim() >= 2
            and "embedding" not in name
            and "query_tokens" not in name
        ):
            fan_in = parameter[0].numel()
            parameter.copy_(torch.randn_like(parameter) * fan_in**-0.5)
        elif "norm" in name.lower() and name.endswith("weight"):
            parameter.copy_(1.0 + 0.2 * torch.randn_like(parameter))
        elif parameter.dim() >= 2:
            parameter.copy_(torch.randn_like(parameter))
        else:
            parameter.copy_(0.2 * torch.randn_like(parameter))


def store_as(model: torch.nn.Module, dtype: str) -> torch.nn.Module:
    """Round the weights to the stored type, and return the model computing in fp32 with them."""
    return model.to(getattr(torch, dtype)).float().eval()


def save_pretrained(model: Any, folder: Path, dtype: str) -> None:
    """Save a library model with its weights as ``dtype``, and leave it in fp32."""
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    model.float()


def save_cases(
    out: Path,
    cases: Sequence[dict[str, Any]],
    run: Callable[[dict[str, Any]], dict[str, torch.Tensor]],
) -> None:
    """Run each case without gradients and write its tensors."""
    with torch.no_grad():
        for index, case in enumerate(cases):
            tensors = {name: tensor.contiguous() for name, tensor in run(case).items()}
            save_file(tensors, str(out / f"case-{index}.safetensors"))
