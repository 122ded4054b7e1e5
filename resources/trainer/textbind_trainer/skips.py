"""Rows that cannot be used: counted, the first few told of."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from . import protocol
from .events import tell

SKIPS_SHOWN = 5


class Skips:
    """Called with a reason for each unusable row."""

    def __init__(self) -> None:
        self.count = 0
        self._thread = threading.local()

    def __call__(self, reason: str) -> None:
        held: list[str] | None = getattr(self._thread, "held", None)
        if held is not None:
            held.append(reason)
            return
        self.count += 1
        if self.count <= SKIPS_SHOWN:
            tell(protocol.Skipped(reason=reason, count=self.count))

    @contextlib.contextmanager
    def held(self) -> Iterator[list[str]]:
        """In this thread reasons are listed and not yet counted: a checkpoint must not count rows of steps to come."""
        self._thread.held = []
        try:
            yield self._thread.held
        finally:
            self._thread.held = None
