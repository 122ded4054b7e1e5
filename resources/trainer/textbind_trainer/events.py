"""JSON-line events on standard output: the only channel between a run and whoever launched it.

Every line is one object with ``event`` (a name) and ``time`` (Unix seconds). Only rank 0 speaks
when several processes train together. Anything else a library prints belongs on standard error.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from typing import Any


def _finite(value: Any) -> Any:
    """JSON has no NaN or Infinity: a reader in another language must still be able to parse the line."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def emit(event: str, **fields: Any) -> None:
    """Write one event line at once (flushed), from rank 0 only."""
    if int(os.environ.get("RANK", "0")) != 0:
        return
    line = {"event": event, "time": round(time.time(), 3), **_finite(fields)}
    sys.stdout.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()
