"""A few real steps of a run before it is started: what a step takes in time and memory, and so the whole; and which other
settings would fit into what is free (``fit.py``).

Run: ``python -m textbind_trainer.preflight --config RUN.json [--steps N]``; nothing is saved. The last line on standard
output is an event ``preflight``, or an ``error``. ``--steps 0`` only counts: so does a run whose weights alone are more than
is free, and one that ran out of a GPU's memory.
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

from . import fit, loop, parallel, stage1, stage2
from .config import RunConfig, read_config
from .events import claim_stdout, emit
from .machine import most_memory
from .precision import choose_precision

STATES_OF_ADAM = 2
SEEN = 32
"""Samples whose length is looked at."""
SCORED = {1: 0.3, 2: 0.5}
"""The share of a sample that is scored, where none was seen."""


def memory_total(device: torch.device) -> int | None:
    """Bytes that the device has; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _work(run: loop.Run) -> fit.Work:
    """The longest sample that a step would see, and how much of them is scored."""
    positions = range(min(run.config.batch_size, SEEN))
    examples = [found.example for position in positions if (found := run.source.sample(position)) is not None]
    tokens = sum(len(example.ids) for example in examples)
    longest = max((len(example.ids) for example in examples), default=run.config.max_length)
    share = sum(example.scored for example in examples) / tokens if tokens else SCORED[run.config.stage]
    return fit.Work(run.config.stage, run.precision, longest, share)


def _steps(run: loop.Run, steps: int) -> float:
    """Train a little; gives seconds a step. The first is left out of the time: it warms up."""
    began = time.monotonic()
    for number in range(steps + 1):
        loop.train_step(run)
        if number == 0:
            began = time.monotonic()
        emit("checking", done=number + 1, total=steps + 1)
    return (time.monotonic() - began) / steps


def try_out(config: RunConfig, steps: int, device: torch.device) -> tuple[loop.Run, fit.Measured | None]:
    """Build the run and train a little; None where the GPU's memory did not do."""
    stage = stage2 if config.stage == 2 else stage1
    # Features are kept for the run itself, not for a trial of it.
    run = stage.build(replace(config, feature_cache=None), device)
    try:
        seconds = _steps(run, steps)
    except torch.cuda.OutOfMemoryError:
        torch.cuda.empty_cache()
        return run, None
    finally:
        if run.loader is not None:
            run.loader.close()
    peak = most_memory(device)
    return run, fit.Measured(peak or 0, seconds)


def measure(config: RunConfig, steps: int) -> dict[str, Any]:
    """The fields of the event."""
    device = parallel.prepare()
    if config.threads:
        torch.set_num_threads(config.threads)
    machine, asked = fit.machine_of(device), fit.setting_of(config)
    sizes = fit.sizes_of(config)
    work = fit.Work(
        config.stage, choose_precision(config.precision, device), config.max_length, SCORED[config.stage]
    )
    counted = fit.Estimator(sizes, work, machine, asked, None)
    run: loop.Run | None = None
    measured = None
    if steps > 0 and not counted.surely_too_large():
        run, measured = try_out(config, steps, device)
        counted = replace(counted, work=_work(run), measured=measured if measured and measured.peak else None)
    total = run.total if run else config.steps
    trained = (
        sum(parameter.numel() for parameter in run.parameters.values())
        if run
        else fit.trained_parameters(sizes, asked, config.stage)
    )

    def hours(setting: fit.Setting) -> float | None:
        """By passes through the language model; four bits and shards are slower by what nobody measured."""
        if measured is None or total is None or setting.bits != asked.bits or setting.offload_over > 1:
            return None
        share = fit.passes(setting, config.stage) / fit.passes(asked, config.stage)
        return round(measured.seconds * share * total / 3600, 3)

    return {
        "device": str(device),
        "precision": counted.work.precision,
        "steps": total,
        "secondsPerStep": round(measured.seconds, 4) if measured else None,
        "memoryBytes": (measured.peak or None) if measured else None,
        "memoryTotal": memory_total(device),
        "memoryFree": machine.free,
        "checkpointBytes": trained * 4 * (1 + STATES_OF_ADAM),
        "trainedParameters": trained,
        "hours": hours(asked),
        "longest": counted.work.tokens,
        "options": counted.options(hours),
    }


def main(argv: list[str] | None = None) -> int:
    """Command line: exit codes as a run's."""
    parser = argparse.ArgumentParser(description="Try a few steps of a run")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument("--steps", type=int, default=2, help="0: only count")
    arguments = parser.parse_args(argv)

    def build_and_tell() -> None:
        config = read_config(arguments.config)
        emit("preflight", **measure(config, arguments.steps))

    return loop.tell_failure(build_and_tell)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
