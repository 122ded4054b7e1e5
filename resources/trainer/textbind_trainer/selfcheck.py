"""Does this Python train? One real step of stage 1 on a made-up picture, with the versions and devices it ran on.

Run: ``python -m textbind_trainer.selfcheck --model DIR [--requirements FILE]``; the last line on standard output is an event ``verified``, or
an ``error``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import json
import platform
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

from . import loop, parallel, stage1
from .config import read_config
from .events import claim_stdout, emit


def write_data(path: Path) -> None:
    """A tar of one red square with its caption."""
    picture = io.BytesIO()
    Image.new("RGB", (32, 32), (200, 30, 30)).save(picture, "PNG")
    with tarfile.open(path, "w") as archive:
        for name, data in (("0.png", picture.getvalue()), ("0.txt", b"a red square"), ("0.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def gpus() -> list[dict[str, str | int]]:
    """The GPUs that PyTorch can use."""
    found: list[dict[str, str | int]] = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        found.append(
            {"name": torch.cuda.get_device_name(number), "totalBytes": int(total), "freeBytes": int(free)}
        )
    return found


def lacks(requirements: Path) -> list[str]:
    """Packages of a requirements.txt that are wanted on this system and not installed, in any version."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (line.partition("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line]
    installed = {canonicalize_name(found.metadata["Name"]) for found in importlib.metadata.distributions()}
    return [
        each.name
        for each in wanted
        if (each.marker is None or each.marker.evaluate()) and canonicalize_name(each.name) not in installed
    ]


def step(model: Path, folder: Path) -> float:
    """Train one step; gives its seconds."""
    # One thread: a machine that is busy with something else should answer too.
    torch.set_num_threads(1)
    write_data(folder / "one.tar")
    fields = {
        "stage": 1, "model": {"textbind": str(model.resolve())}, "data": {"tars": "one.tar"}, "output": "out",
        "steps": 1, "batchSize": 1, "microBatchSize": 1, "warmupSteps": 0, "maxLength": 128, "precision": "fp32",
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(fields), encoding="utf-8")
    config = read_config(folder / "run.json", 1)
    run = stage1.build(config, parallel.prepare())
    began = time.monotonic()
    loop.train_step(run)
    return time.monotonic() - began


def main(argv: list[str] | None = None) -> int:
    """Command line: 0; 1 where it does not train."""
    parser = argparse.ArgumentParser(description="Train one step, to see that it works here")
    parser.add_argument("--model", type=Path, required=True, help="folder with textbind.json")
    parser.add_argument("--requirements", type=Path, help="what should be installed")
    given = parser.parse_args(argv)

    def verify() -> None:
        with tempfile.TemporaryDirectory() as folder:
            seconds = step(given.model, Path(folder))
        emit(
            "verified",
            python=platform.python_version(),
            torch=torch.__version__,
            device="cuda" if torch.cuda.is_available() else "cpu",
            gpus=gpus(),
            seconds=round(seconds, 2),
            lacks=lacks(given.requirements) if given.requirements else [],
        )

    return loop.tell_failure(verify)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
