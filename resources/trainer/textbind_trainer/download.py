"""The pictures of the released data: its rows name them (``image_list``) and say where they are to be had (``url_list``).

Run: ``python -m textbind_trainer.download TRAIN.json --images DIR [--complete OUT.json] [--workers N]``. Nothing else in
the trainer reaches out of the machine. Each picture is fitted into 512 x 512 on white and saved under its name, as the
paper's recipe does; one that is there and readable is left alone, so the command goes on where it was. The last line on
standard output is an event ``downloaded``: ``pictures``, ``fetched``, ``kept``, ``failed`` (``{picture, url, reason}``),
``rows``, ``completeRows``. Exit code 0; 1 where pictures are missing; 2 where the file is none.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from . import protocol
from .datafiles import RawRow, raw_rows
from .events import claim_stdout, emit, tell
from .faults import TrainerError
from .files import write_json
from .images import decode_image
from .pairs import picture_in
from .pictures import picture_problem

SIDE = 512
TRIES = 5
WAIT_SECONDS = 0.5
TIMEOUT_SECONDS = 30
MOST_BYTES = 50_000_000
TOLD_EVERY = 100
AGENT = "Mozilla/5.0 (compatible; textbind-trainer)"


def fit(image: Image.Image) -> Image.Image:
    """The whole picture in the middle of a white square."""
    small = image.convert("RGB")
    scale = SIDE / max(small.size)
    size = (max(1, round(small.width * scale)), max(1, round(small.height * scale)))
    square = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))
    square.paste(small.resize(size, Image.Resampling.LANCZOS), ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return square


def fetch(url: str) -> bytes:
    """The bytes at an address. ValueError for one that is not of the web or for more than 50 MB; OSError if it fails."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("not an address of the web")
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        data: bytes = answer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return data


def _lasting(error: Exception) -> bool:
    """Whether another try would meet the same: what is not there, and what is no picture."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code not in (408, 425, 429)
    return isinstance(error, ValueError)


def get(url: str, target: Path) -> str | None:
    """Fetch, fit, save. Why it failed, or None."""
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(WAIT_SECONDS * 2 ** (attempt - 1))
        try:
            picture = fit(decode_image(fetch(url)))
            part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
            target.parent.mkdir(parents=True, exist_ok=True)
            picture.save(part, "PNG")
            part.replace(target)
        except (OSError, ValueError) as error:
            reason = str(error)
            if _lasting(error):
                break
        else:
            return None
    return reason


def wanted(rows: list[RawRow]) -> tuple[dict[str, str], list[set[str]]]:
    """(address by picture, pictures by row). TrainerError("data") where rows lack their addresses."""
    urls: dict[str, str] = {}
    by_row: list[set[str]] = []
    for raw in rows:
        own: set[str] = set()
        turns = raw.value.get("conversation") if isinstance(raw.value, dict) else None
        for turn in turns if isinstance(turns, list) else []:
            names, places = _lists(turn)
            if len(names) != len(places):
                said = f"{len(names)} pictures, {len(places)} addresses in url_list"
                raise TrainerError("data", f"row {raw.number}: {said}")
            own |= set(names)
            urls |= dict(zip(names, places, strict=True))
        by_row.append(own)
    return urls, by_row


def _lists(turn: Any) -> tuple[list[str], list[str]]:
    held = (
        [turn.get(name) or [] for name in ("image_list", "url_list")] if isinstance(turn, dict) else [[], []]
    )
    texts = [
        [item for item in items if isinstance(item, str)] if isinstance(items, list) else [] for items in held
    ]
    return texts[0], texts[1]


def download(urls: dict[str, str], folder: Path, workers: int) -> tuple[int, int, list[dict[str, str]]]:
    """(fetched, kept, failed) of pictures by name."""
    targets = {name: picture_in(folder, name) for name in urls}
    missing = [
        n for n, target in targets.items() if not target.is_file() or picture_problem(target) is not None
    ]
    failed: list[dict[str, str]] = []
    with ThreadPoolExecutor(workers) as pool:
        jobs = {pool.submit(get, urls[name], targets[name]): name for name in missing}
        for done, job in enumerate(as_completed(jobs), 1):
            reason, name = job.result(), jobs[job]
            if reason is not None:
                failed.append({"picture": name, "url": urls[name], "reason": reason})
            if done % TOLD_EVERY == 0:
                tell(protocol.Checking(done=done, total=len(missing)))
    return (
        len(missing) - len(failed),
        len(urls) - len(missing),
        sorted(failed, key=lambda each: each["picture"]),
    )


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Fetches the pictures that released data names by address")
    parser.add_argument("--images", type=Path, required=True, help="folder for the pictures")
    parser.add_argument(
        "--complete", type=Path, help="write the rows whose pictures are all there into this file"
    )
    parser.add_argument("--workers", type=int, default=16, help="addresses asked at once")
    parser.add_argument("path", type=Path, help="train.json of the release")
    given = parser.parse_args(argv)
    try:
        rows = raw_rows(given.path)
        urls, by_row = wanted(rows)
        fetched, kept, failed = download(urls, given.images, max(1, given.workers))
    except (TrainerError, ValueError) as error:
        emit("error", kind="data", message=f"{given.path}: {error}")
        return 2
    gone = {each["picture"] for each in failed}
    complete = [raw.value for raw, own in zip(rows, by_row, strict=True) if not own & gone]
    if given.complete:
        write_json(given.complete, complete)
    emit(
        "downloaded", pictures=len(urls), fetched=fetched, kept=kept, failed=failed, rows=len(rows),
        completeRows=len(complete),
    )  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
