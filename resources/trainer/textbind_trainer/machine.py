"""What a run asks of the system: its folder for itself, and how much memory is free and it has taken."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

import torch

from .faults import TrainerError

LOCK_FILE = "run.lock"
_held: list[IO[bytes]] = []
"""Open as long as the run lasts: the system lets go of a lock with the process, however it ends."""


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold_folder(output: Path) -> None:
    """Keep other runs out of an output folder until this process ends.

    TrainerError("config") where one trains there already: two would overwrite each other's checkpoints.
    """
    output.mkdir(parents=True, exist_ok=True)
    file = (output / LOCK_FILE).open("ab")
    try:
        _lock(file)
    except OSError as error:
        file.close()
        raise TrainerError("config", f"{output}: another run is training there") from error
    _held.append(file)


def let_go() -> None:
    """Give the folder back, for a process that goes on after its run."""
    while _held:
        _held.pop().close()


def free_bytes(device: torch.device) -> int | None:
    """What is free now: of the GPU's memory, or of the machine's; None where the system does not tell."""
    if device.type == "cuda":
        # What this process has from the driver and does not use is free to it.
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found) * 1024


def most_memory(device: torch.device) -> int | None:
    """The most bytes held so far: of the GPU's memory where the run is on one, else of this process's."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if os.name != "posix":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kilobytes, macOS in bytes.
    return int(peak if sys.platform == "darwin" else peak * 1024)
