"""Pictures become the same pixels as in the engine (test/worker/inputs/pixels.test.ts reads the same cases)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from textbind_trainer.images import decode_image

FOLDER = Path(__file__).parents[1] / "fixtures" / "pixels"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_those_that_the_engine_sees(name: str) -> None:
    """Size and hash of the RGB bytes."""
    image = decode_image((FOLDER / name).read_bytes())
    digest = hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
    assert {"width": image.width, "height": image.height, "sha256": digest} == CASES[name]


def test_a_long_side_is_refused() -> None:
    """As the engine refuses it."""
    png = (FOLDER / "rgb.png").read_bytes()
    # Width in the header; the check sum no longer fits, which Pillow looks at only when it decodes.
    with pytest.raises(ValueError, match=r"side of 20000 pixels|not a readable picture"):
        decode_image(png[:16] + (20000).to_bytes(4, "big") + png[20:])
