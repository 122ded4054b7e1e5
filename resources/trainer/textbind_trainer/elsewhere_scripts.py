"""The scripts of a folder that goes to another machine."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from .elsewhere_files import Listed

RUN = """#!/bin/bash
# Trains {name}. Starting it again goes on where it stopped; a file named stop beside it makes the run save and leave.
# Needs a Python 3.11 or newer with the packages of trainer/requirements.txt: PYTHON names it.
#   NODES, GPUS   machines, and processes on each ({nodes}, {gpus})
#   RENDEZVOUS    for several machines: --rdzv-backend=c10d --rdzv-endpoint=HOST:29500 --rdzv-id=NAME, on each of them
set -euo pipefail
cd "$(dirname "$0")"
export PYTHONPATH="$PWD/trainer" PYTHON="${{PYTHON:-python3}}"
if [ "${{SLURM_NODEID:-0}}" = 0 ]; then "$PYTHON" -m textbind_trainer.elsewhere check .; fi
exec "$PYTHON" -m torch.distributed.run --nnodes "${{NODES:-{nodes}}}" --nproc-per-node "${{GPUS:-{gpus}}}" \\
  ${{RENDEZVOUS:---standalone}} -m textbind_trainer.train --config run.json "$@" >>events.jsonl 2>>log.txt
"""

SLURM = """#!/bin/bash
#SBATCH --job-name={job}
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={gpus}
#SBATCH --cpus-per-task={cpus}
#SBATCH --time=24:00:00
#SBATCH --output=slurm-%j.log
# Five minutes before its time is over the run is told to save and leave; sbatch run.slurm again goes on.
#SBATCH --signal=B:TERM@300
cd "$SLURM_SUBMIT_DIR"
trap 'touch stop' TERM
export NODES={nodes} GPUS={gpus}
if [ {nodes} -gt 1 ]; then
  head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
  export RENDEZVOUS="--rdzv-backend=c10d --rdzv-endpoint=$head:29500 --rdzv-id=$SLURM_JOB_ID"
fi
srun --kill-on-bad-exit=1 bash run.sh "$@" &
wait $!
code=$?
# The trap ends the first wait; the run is still saving.
wait
exit $code
"""

GATHER = """#!/bin/bash
# Puts the files of manifest.json into this folder, on the machine that has them.
set -euo pipefail
cd "$(dirname "$0")"
put() { mkdir -p "$(dirname "$2")" && { ln "$1" "$2" 2>/dev/null || cp "$1" "$2"; }; }
"""

CPUS_PER_GPU = 8


def write_scripts(folder: Path, name: str, files: list[Listed], nodes: int, gpus: int) -> None:
    """``run.sh``, ``run.slurm`` and ``gather.sh``."""
    told = re.sub(r"[^\w.-]+", "-", name) or "textbind"
    sizes = {"nodes": nodes, "gpus": gpus, "cpus": CPUS_PER_GPU * gpus}
    puts = "".join(
        f"put {shlex.quote(str(source.resolve()))} {shlex.quote(target)}\n" for target, source in files
    )
    texts = {
        "run.sh": RUN.format(name=told, **sizes), "run.slurm": SLURM.format(job=told, **sizes), "gather.sh": GATHER + puts
    }  # fmt: skip
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        (folder / file).chmod(0o755)
