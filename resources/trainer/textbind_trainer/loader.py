"""The next step's samples, made ready while the present one is computed: pictures decoded, texts encoded.

One thread, since a source keeps what it shuffled last. Which samples a step sees does not depend on it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from .data import Sample, Source
from .skips import Skips


@dataclass(frozen=True)
class Loaded:
    """Usable samples, and why others were left out."""

    samples: list[Sample] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Loader:
    """Gives the samples at ranges of positions; the range that follows is on its way already."""

    def __init__(self, source: Source, skips: Skips):
        self._source, self._skips = source, skips
        self._pool = ThreadPoolExecutor(1, "loader")
        self._coming: tuple[range, Future[Loaded]] | None = None

    def _load(self, positions: range) -> Loaded:
        with self._skips.held() as reasons:
            found = [self._source.sample(position) for position in positions]
        return Loaded([sample for sample in found if sample is not None], reasons)

    def take(self, positions: range, following: range | None) -> list[Sample]:
        """The samples at ``positions`` without those that cannot be used, which are told of now; ``following`` is begun."""
        if self._coming is not None and self._coming[0] == positions:
            coming = self._coming[1]
        else:
            coming = self._pool.submit(self._load, positions)
        loaded = coming.result()
        self._coming = None if following is None else (following, self._pool.submit(self._load, following))
        for reason in loaded.reasons:
            self._skips(reason)
        return loaded.samples

    def close(self) -> None:
        """Let the thread go."""
        self._pool.shutdown(cancel_futures=True)
