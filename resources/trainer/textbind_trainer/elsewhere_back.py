"""A folder that came back from another machine: what happened there, and this machine's paths put back into it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from .checkpoint import STATE_FILE, check_files, file_entry, folders
from .config import fingerprint_of, read_config
from .faults import TrainerError
from .files import replace_folder, write_json


def read_events(file: Path) -> list[dict[str, Any]]:
    """The lines that are events; a torn one is passed over."""
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            found.append(event)
    return found


def _last(events: list[dict[str, Any]], *names: str) -> dict[str, Any]:
    return next((event for event in reversed(events) if event["event"] in names), {})


ENDS = {"finished": "finished", "stopped": "stopped", "error": "failed", "question": "failed"}


def what_happened(events: list[dict[str, Any]]) -> dict[str, Any]:
    """How far a run came, and how it ended, by its events."""
    started = max((n for n, event in enumerate(events) if event["event"] == "started"), default=None)
    since = events[started:] if started is not None else events
    end = _last(since, *ENDS)
    state = ENDS.get(end.get("event", ""), "never-started" if started is None else "unfinished")
    told = _last(since, "finished", "stopped", "step", "checkpoint", "started")
    return {
        "state": state,
        "step": told.get("step", 0),
        "steps": _last(events, "started").get("steps"),
        "loss": _last(events, "step").get("loss"),
        "validationLoss": _last(events, "validation").get("loss"),
        "message": end.get("message"),
    }


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        here = manifest["here"]
        if not all(isinstance(here[name], dict) for name in ("model", "data", "parts")):
            raise TypeError("here")
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = f"{folder / 'manifest.json'}: no manifest of a run elsewhere: {error!r}"
        raise TrainerError("config", said) from error
    return dict(manifest)


def localise_model(folder: Path, manifest: dict[str, Any]) -> bool:
    """textbind.json of the result names this machine's parts; what was trained lies beside it. False where there is none."""
    file = folder / "model" / "textbind.json"
    if not file.is_file() or not (folder / "model" / "qformer.safetensors").is_file():
        return False
    described = json.loads(file.read_text(encoding="utf-8"))
    for name, here in manifest["here"]["parts"].items():
        if isinstance(described.get(name), str) and os.path.isabs(described[name]):
            described[name] = here
    described["name"] = manifest["name"]
    write_json(file, described)
    return True


def localise_checkpoint(folder: Path, settings: dict[str, Any]) -> None:
    """The checkpoint's own settings name this machine's model and data, as a resume compares them. Only its state is new."""
    manifest = check_files(folder)
    state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    own = state["settings"] | {name: settings[name] for name in ("model", "data", "output")}
    if own == state["settings"]:
        return
    state |= {"settings": own, "fingerprint": fingerprint_of(own)}
    with replace_folder(folder) as part:
        for file in folder.iterdir():
            if file.name not in (STATE_FILE, "manifest.json"):
                _link(file, part / file.name)
        write_json(part / STATE_FILE, state)
        files = manifest["files"] | {STATE_FILE: file_entry(part / STATE_FILE)}
        write_json(part / "manifest.json", manifest | {"files": files, "fingerprint": state["fingerprint"]})


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def returned(folder: Path) -> dict[str, Any]:
    """The event's fields. TrainerError where the folder is none of ours, or its model and data are gone from here."""
    manifest = _manifest(folder)
    fields = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    here = {name: manifest["here"][name] for name in ("model", "data", "samples") if name in manifest["here"]}
    write_json(folder / "run.json", fields | here)
    settings = read_config(folder / "run.json").settings
    steps, damaged = [], []
    for checkpoint in folders(folder / "checkpoints"):
        try:
            localise_checkpoint(checkpoint, settings)
            steps.append(int(checkpoint.name.removeprefix("step-")))
        except TrainerError:
            damaged.append(str(checkpoint))
    model = str(folder / "model") if localise_model(folder, manifest) else None
    told = {
        "folder": str(folder),
        "stage": fields.get("stage"),
        "checkpoints": steps,
        "damaged": damaged,
        "model": model,
    }
    return told | what_happened(read_events(folder / "events.jsonl"))
