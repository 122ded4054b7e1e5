"""A model out of any checkpoint of a run, finished or not.

Run: ``python -m textbind_trainer.publish --config RUN.json --out DIR [--checkpoint DIR]``; the last line on standard
output is an event ``published`` with ``step`` and ``model``, or an ``error``. The run itself is left as it is.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from . import stage1, stage2
from .checkpoint import load_checkpoint, newest_usable
from .config import RunConfig, read_config
from .events import claim_stdout, emit, tell
from .faults import TrainerError
from .loop import tell_failure
from .protocol import Damaged
from .resume import lay_over
from .train import stage_of


def newest_or(config: RunConfig, wanted: Path | None) -> Path:
    """The checkpoint that is wanted, else the newest whole one. TrainerError("checkpoint") where there is none."""
    if wanted is not None:
        return wanted
    folder = newest_usable(
        config.output / "checkpoints", lambda path, reason: tell(Damaged(path=str(path), reason=reason))
    )
    if folder is None:
        raise TrainerError("checkpoint", f"{config.output / 'checkpoints'}: the run has not saved one yet")
    return folder


def publish(config_file: Path, out: Path, wanted: Path | None) -> int:
    """Write the model; gives the checkpoint's step."""
    config = read_config(config_file)
    if config.sharding != "none":
        raise TrainerError("config", "sharding: a model is written by one process; take the line out")
    if config.threads:
        torch.set_num_threads(config.threads)
    stage = stage2 if stage_of(config_file) == 2 else stage1
    folder = newest_or(config, wanted)
    # On the CPU: a GPU may be busy with the very run.
    trained, _, state = load_checkpoint(folder)
    precision = state.get("precision", config.precision)
    run = stage.build(replace(config, precision=precision), torch.device("cpu"))
    lay_over(run, trained, folder)
    stage.export(run, out)
    return int(state["step"])


def main(argv: list[str] | None = None) -> int:
    """Command line: 0; 1 failed; 2 bad input."""
    parser = argparse.ArgumentParser(description="Make a model of a checkpoint")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument("--checkpoint", type=Path, help="its folder; the newest whole one if absent")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)

    def work() -> None:
        step = publish(arguments.config, arguments.out, arguments.checkpoint)
        emit("published", step=step, model=str(arguments.out))

    return tell_failure(work)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
