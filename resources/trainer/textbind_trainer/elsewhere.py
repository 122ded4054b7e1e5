"""A run on another machine: a folder that holds or names all it needs, and the same folder read when it comes back.

Run: ``python -m textbind_trainer.elsewhere pack --config RUN.json --out DIR [--copy] [--nodes N] [--gpus N]``,
``... check DIR`` (are the files of the manifest there, byte for byte) or ``... back DIR``. The last line on standard output
is an event ``packed``, ``checked`` or ``returned``, or an ``error``. What is in the folder: DESIGN.md, "Run elsewhere".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from . import protocol
from .config import RunConfig, read_config
from .convert import put
from .elsewhere_back import returned
from .elsewhere_files import Listed, data_files, model_files, sample_files
from .elsewhere_scripts import write_scripts
from .events import claim_stdout, emit, tell
from .faults import TrainerError
from .files import replace_folder, write_json
from .loop import tell_failure

FORMAT = 1
PACKAGE = Path(__file__).parent
TOLD_EVERY = 200


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def absolute_fields(fields: Any, base: Path, names: frozenset[str]) -> Any:
    """Fields with the paths in them made absolute. names: the fields that are paths."""
    if isinstance(fields, list):
        return [absolute_fields(each, base, names) for each in fields]
    if not isinstance(fields, dict):
        return fields
    return {
        name: _absolute(value, base) if name in names else absolute_fields(value, base, names)
        for name, value in fields.items()
    }


def _absolute(value: Any, base: Path) -> Any:
    if isinstance(value, str):
        return str(base / value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [str(base / each) for each in value]
    return absolute_fields(value, base, PATHS)


PATHS = frozenset({
    "textbind", "visionModel", "processor", "languageModel", "qformer", "checkpoint", "tars", "validationTars", "pairs",
    "validationPairs", "conversations", "validation", "images", "path",
})  # fmt: skip
"""Fields of a run file's ``model`` and ``data`` that are paths, or lists of parts with paths."""


def packed_fields(
    config: RunConfig, own: dict[str, Any], model: dict[str, Any], data: dict[str, Any], samples: Any
) -> dict[str, Any]:
    """The run file of the folder: the same settings on the folder's own paths."""
    changed = {"stage": config.stage, "model": model, "data": data, "output": "."}
    changed |= {"samples": samples} if samples else {}
    cache = {"featureCache": "features"} if own.get("featureCache") else {}
    return own | changed | cache


def manifest_of(
    name: str, own: dict[str, Any], base: Path, config: RunConfig, files: list[Listed], copied: bool
) -> dict[str, Any]:
    """manifest.json: every file by its digest, and what the run file says on this machine."""
    listed = []
    for number, (target, source) in enumerate(files, 1):
        listed.append(
            {"path": target, "source": str(source), "bytes": source.stat().st_size, "sha256": digest(source)}
        )
        if number % TOLD_EVERY == 0:
            tell(protocol.Checking(done=number, total=len(files)))
    parts = config.model
    here = {
        "model": absolute_fields(own["model"], base, PATHS),
        "data": absolute_fields(own["data"], base, PATHS),
        **({"samples": absolute_fields(own["samples"], base, PATHS)} if own.get("samples") else {}),
        "parts": {
            "visionModel": str(parts.vision.resolve()),
            "processor": str(parts.processor.resolve()),
            "languageModel": str(parts.language.resolve()),
        },
    }
    return {"format": FORMAT, "name": name, "copied": copied, "here": here, "files": listed}


def _copy_package(target: Path) -> None:
    shutil.copytree(PACKAGE, target / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copyfile(PACKAGE.parent / name, target / name)


def pack(path: Path, out: Path, copy: bool, nodes: int, gpus: int) -> dict[str, Any]:
    """Write the folder; gives the event's fields. TrainerError where the run file, its data or the place is wrong."""
    if out.exists():
        raise TrainerError("config", f"{out}: is there already")
    config = read_config(path)
    base = path.resolve().parent
    own: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    model, described, files = model_files(config.model)
    data, listed = data_files(config)
    samples, shown = sample_files(config)
    files = list(dict(files + listed + shown).items())
    name = config.output.resolve().name
    with replace_folder(out) as part:
        write_json(part / "run.json", packed_fields(config, own, model, data, samples))
        if described is not None:
            (part / "model").mkdir()
            write_json(part / "model" / "textbind.json", described)
        write_json(part / "manifest.json", manifest_of(name, own, base, config, files, copy))
        _copy_package(part / "trainer")
        write_scripts(part, name, files, nodes, gpus)
        for target, source in files if copy else []:
            (part / target).parent.mkdir(parents=True, exist_ok=True)
            put(source, part / target)
    size = sum(source.stat().st_size for _, source in files)
    return {"folder": str(out), "files": len(files), "bytes": size, "copied": copy}


def check(folder: Path) -> int:
    """How many files the manifest has. TrainerError("data") names those that are missing or other than they were."""
    try:
        files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainerError("data", f"{folder / 'manifest.json'}: {error!r}") from error
    wrong = []
    for each in files:
        file = folder / each["path"]
        if not file.is_file():
            wrong.append(f"{each['path']} is missing")
        elif file.stat().st_size != each["bytes"] or digest(file) != each["sha256"]:
            wrong.append(f"{each['path']} has other bytes")
    if wrong:
        more = f" (and {len(wrong) - 5} more)" if len(wrong) > 5 else ""
        raise TrainerError("data", "; ".join(wrong[:5]) + more + ". gather.sh puts the files in their places")
    return len(files)


def main(argv: list[str] | None = None) -> int:
    """Command line: exit codes as a run's."""
    parser = argparse.ArgumentParser(description="A run on another machine")
    ways = parser.add_subparsers(dest="way", required=True)
    packing = ways.add_parser("pack", help="write a folder for another machine")
    packing.add_argument("--config", type=Path, required=True, help="RUN.json")
    packing.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    packing.add_argument(
        "--copy", action="store_true", help="put data and model into it, not only their names"
    )
    packing.add_argument("--nodes", type=int, default=1, help="machines of the Slurm job")
    packing.add_argument("--gpus", type=int, default=1, help="GPUs, so processes, of each")
    for way, told in (("check", "are all files there"), ("back", "read a folder that came back")):
        ways.add_parser(way, help=told).add_argument("folder", type=Path)
    given = parser.parse_args(argv)

    def work() -> None:
        if given.way == "pack":
            if min(given.nodes, given.gpus) < 1:
                raise TrainerError("config", "--nodes, --gpus: expected 1 or more")
            emit("packed", **pack(given.config, given.out, given.copy, given.nodes, given.gpus))
        elif given.way == "check":
            emit("checked", files=check(given.folder))
        else:
            emit("returned", **returned(given.folder))

    return tell_failure(work)


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
