"""Pictures resized by Pillow, for the TypeScript resizer to match.

Called as ``python pictures.py OUT_DIR``; writes ``N.png``, and ``cases.json``: file, target size, kernel, and the
resized pixels in base64.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

CASES = [
    ((640, 480), (224, 224), "bicubic"),
    ((97, 131), (224, 224), "bicubic"),
    ((224, 300), (224, 224), "bicubic"),
    ((500, 224), (224, 224), "bicubic"),
    ((224, 224), (224, 224), "bicubic"),
    ((1, 1), (14, 14), "bicubic"),
    ((3, 200), (28, 14), "bicubic"),
    ((641, 479), (128, 96), "bilinear"),
    ((150, 400), (224, 224), "bicubic"),
    ((1200, 300), (224, 224), "bicubic"),
    ((301, 997), (224, 224), "bicubic"),
]
KERNELS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Noise over a gradient with hard edges: overshoot and rounding both show."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), (x + y) % 256], axis=-1)
    edges = ((x // 7 + y // 5) % 2 * 255)[..., None]
    noise = random.integers(0, 256, (height, width, 3))
    mixed = np.where(random.random((height, width, 1)) < 0.3, noise, np.where(x[..., None] % 3 == 0, edges, smooth))
    return Image.fromarray(mixed.astype(np.uint8), "RGB")


def main() -> None:
    """Write pictures and cases."""
    out = Path(sys.argv[1])
    cases = []
    for index, (size, target, kernel) in enumerate(CASES):
        image = picture(*size, index)
        image.save(out / f"{index}.png")
        pixels = np.asarray(image.resize(target, KERNELS[kernel]))
        data = base64.b64encode(pixels.tobytes()).decode()
        cases.append({"file": f"{index}.png", "width": target[0], "height": target[1], "kernel": kernel, "data": data})
    (out / "cases.json").write_text(json.dumps(cases), encoding="utf8")


if __name__ == "__main__":
    main()
