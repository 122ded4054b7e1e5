"""JSON-line events on standard output: the only channel between a run and whoever launched it.

Every line is one object with ``event`` (a name) and ``time`` (Unix seconds). Only rank 0 speaks
when several processes train together. Anything else a library prints belongs on standard error:
``claim_stdout`` sees to it.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from .protocol import Event

_stream: TextIO | None = None
_listeners: list[Callable[[dict[str, Any]], None]] = []


def claim_stdout() -> None:
    """Keep standard output for events: from here on whatever else is printed, by C libraries too, goes to standard error."""
    global _stream
    if _stream is not None:
        return
    sys.stdout.flush()
    _stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def _plain(value: Any) -> Any:
    """JSON has no NaN, no Infinity and no half characters: a reader in another language must be able to parse the line."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def emit(event: str, **fields: Any) -> None:
    """Write one event line at once (flushed), from rank 0 only."""
    if int(os.environ.get("RANK", "0")) != 0:
        return
    line = {"event": event, "time": round(time.time(), 3), **_plain(fields)}
    stream = _stream or sys.stdout
    stream.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    stream.flush()
    for listener in _listeners:
        listener(line)


def listen(listener: Callable[[dict[str, Any]], None]) -> None:
    """Hand every event to ``listener`` too, after it was written (of rank 0)."""
    _listeners.append(listener)


def listen_no_more() -> None:
    """To nobody else from here on."""
    _listeners.clear()


def tell(event: Event) -> None:
    """Write one event of the contract."""
    emit(**event.model_dump(by_alias=True))
