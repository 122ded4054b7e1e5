"""A run in two processes by torchrun: on the CPU (gloo), or on two GPUs (NCCL)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "resources" / "trainer"


def torchrun(run_file: Path, stage: int, program: Path | None = None, gpus: bool = False) -> list[dict]:
    """Two processes of a stage's program, or of another; their events."""
    hidden = {} if gpus else {"CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    what = [str(program)] if program else ["-m", f"textbind_trainer.stage{stage}"]
    done = subprocess.run(
        [*command, *what, "--config", str(run_file)],
        env=os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"} | hidden,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
