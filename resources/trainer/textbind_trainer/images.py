"""Pictures from bytes to pixels, as BLIP-2's image processor does it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

# A picture beyond this is refused rather than decoded: a few bytes may unpack to gigabytes.
MAX_PIXELS = 64_000_000
MAX_SIDE = 16_384


@dataclass(frozen=True)
class ImageProcessor:
    """Resize (bicubic, aspect not kept), scale by 1/255, normalise."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @staticmethod
    def load(folder: Path) -> ImageProcessor:
        """Read ``preprocessor_config.json``."""
        config = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        size = config["size"]
        side = size if isinstance(size, int) else size.get("height") or size["shortest_edge"]
        return ImageProcessor(side, tuple(config["image_mean"]), tuple(config["image_std"]))

    def pixels(self, image: Image.Image) -> Tensor:
        """Any picture -> float [3, size, size]."""
        resized = image.convert("RGB").resize((self.size, self.size), Image.Resampling.BICUBIC)
        values = np.asarray(resized, np.float32) / 255.0
        normal = (values - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return torch.from_numpy(normal.transpose(2, 0, 1).copy())


def decode_image(data: bytes) -> Image.Image:
    """Decode picture bytes; ValueError says what is wrong (not a picture, truncated, too large)."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS}")
        if max(image.size) > MAX_SIDE:
            raise ValueError(f"a side of {max(image.size)} pixels is more than {MAX_SIDE}")
        return to_rgb(image)
    except ValueError:
        raise
    except Exception as error:  # Pillow raises many kinds on hostile bytes
        raise ValueError(f"not a readable picture: {error}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture's first frame as a person sees it, in RGB, by the rule that the engine decodes by too.

    Turned by its EXIF orientation (one that means nothing is passed over); 16 bits cut to their upper 8; colours on
    white by their opacity, rounded down; CMYK and palettes as Pillow converts them; colour profiles not applied, as
    BLIP-2's processor does not. ``test/fixtures/pixels`` holds the cases for both.
    """
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):
        return Image.fromarray((np.asarray(turned).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    rgba = np.asarray(turned.convert("RGBA")).astype(np.uint32)
    opacity = rgba[..., 3:]
    return Image.fromarray(((rgba[..., :3] * opacity + 255 * (255 - opacity)) // 255).astype(np.uint8))
