"""A few real steps of a run before it is started: what a step takes in time and memory, and so the whole.

Run: ``python -m textbind_trainer.preflight --config RUN.json [--steps N]``; nothing is saved. The last line on standard
output is an event ``preflight``, or an ``error``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from . import loop, parallel, stage1, stage2
from .config import RunConfig, read_config
from .events import claim_stdout, emit
from .machine import most_memory

STATES_OF_ADAM = 2


def memory_total(device: torch.device) -> int | None:
    """Bytes that the device has; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def measure(config: RunConfig, steps: int) -> dict[str, Any]:
    """Build the run and train a little. The first step is left out of the time: it warms up."""
    device = parallel.prepare()
    if config.threads:
        torch.set_num_threads(config.threads)
    stage = stage2 if config.stage == 2 else stage1
    # Features are kept for the run itself, not for a trial of it.
    run = stage.build(replace(config, feature_cache=None), device)
    began = time.monotonic()
    for number in range(steps + 1):
        loop.train_step(run)
        if number == 0:
            began = time.monotonic()
        emit("checking", done=number + 1, total=steps + 1)
    seconds = (time.monotonic() - began) / steps
    trained = sum(parameter.numel() for parameter in run.parameters.values())
    return {
        "device": str(device),
        "precision": run.precision,
        "steps": run.total,
        "secondsPerStep": round(seconds, 4),
        "memoryBytes": most_memory(device),
        "memoryTotal": memory_total(device),
        "checkpointBytes": trained * 4 * (1 + STATES_OF_ADAM),
        "trainedParameters": trained,
        "hours": round(seconds * run.total / 3600, 3),
    }


def main(argv: list[str] | None = None) -> int:
    """Command line: exit codes as a run's."""
    parser = argparse.ArgumentParser(description="Try a few steps of a run")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument("--steps", type=int, default=2)
    arguments = parser.parse_args(argv)

    def build_and_tell() -> None:
        config = read_config(arguments.config)
        emit("preflight", **measure(config, arguments.steps))

    return loop.tell_failure(build_and_tell)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
