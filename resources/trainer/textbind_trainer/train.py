"""A run of either stage, as its run file says: what ``textbind train`` starts.

Run: ``python -m textbind_trainer.train --config RUN.json [--accept-changes]`` (or under torchrun).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import stage1, stage2
from .events import claim_stdout
from .loop import run_stage


def main(argv: list[str] | None = None) -> int:
    """Command line: exit codes as the stages'."""
    parser = argparse.ArgumentParser(description="Train as a run file says")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument("--accept-changes", action="store_true")
    arguments = parser.parse_args(argv)
    stage = stage2 if stage_of(arguments.config) == 2 else stage1
    return run_stage(None, stage.build, stage.export, arguments.config, arguments.accept_changes)


def stage_of(config: Path) -> object:
    """The file's ``stage``; None where it cannot be read: reading it in earnest says why."""
    try:
        fields = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return fields.get("stage") if isinstance(fields, dict) else None


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
