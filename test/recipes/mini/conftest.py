"""The registry pictures, shared by the tests: from the training cache, else fetched once, else skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.mini.pictures import fetch_pictures

RAW = Path(__file__).parents[3] / ".cache" / "mini" / "raw"


@pytest.fixture(scope="session")
def pictures() -> Path:
    try:
        return fetch_pictures(RAW)
    except (RuntimeError, OSError) as error:
        pytest.skip(f"the picture package cannot be fetched: {error}")
