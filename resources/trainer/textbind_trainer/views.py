"""How a picture's bytes become what the model is given: pixels, or the frozen encoder's features kept on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import parallel, protocol
from .config import RunConfig
from .events import tell
from .images import ImageProcessor, decode_image
from .weights import weight_files

if TYPE_CHECKING:
    from .loop import Run


class View(Protocol):
    """What sources give their pictures to."""

    def look(self, data: bytes) -> Tensor:
        """A picture's tensor. ValueError if the bytes are no picture."""

    def attach(self, run: Run) -> None:
        """The run is built: its vision encoder may be used from now on."""


class Pixels:
    """Pixels [3, size, size]: the encoder sees the picture anew each time."""

    def __init__(self, processor: ImageProcessor):
        self.processor = processor

    def look(self, data: bytes) -> Tensor:
        """Decode, resize, normalise."""
        return self.processor.pixels(decode_image(data))

    def attach(self, run: Run) -> None:
        """Nothing is needed of the run."""


def encoder_key(vision: Path, processor: ImageProcessor, precision: str) -> str:
    """Names the encoder: its weights' bytes, the processor's numbers, the precision."""
    digest = hashlib.sha256(f"{processor} {precision}".encode())
    for file in weight_files(vision):
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]


class KeptFeatures:
    """Features [patches + 1, hidden], computed once a picture and kept in ``folder/ENCODER/aa/PICTURE.safetensors``.

    In bf16 runs they are kept in bf16, else in fp32, so a kept one equals a fresh one.
    """

    def __init__(self, processor: ImageProcessor, folder: Path, vision: Path):
        self.processor, self._root, self._vision = processor, folder, vision
        self._run: Run | None = None
        self._folder = folder

    def attach(self, run: Run) -> None:
        """Find the encoder's folder, and say how much will lie there."""
        self._run = run
        self._folder = self._root / encoder_key(self._vision, self.processor, run.precision)
        self._folder.mkdir(parents=True, exist_ok=True)
        total = run.source.pictures()
        one = self._compute(torch.zeros(3, self.processor.size, self.processor.size))
        done = sum(1 for _ in self._folder.glob("*/*.safetensors"))
        tell(protocol.Caching(done=done, total=total, bytes=total * one.numel() * one.element_size()))

    @torch.no_grad()
    def _compute(self, pixels: Tensor) -> Tensor:
        assert self._run is not None
        run = self._run
        with run.autocast():
            features = run.model.image_features(pixels.unsqueeze(0).to(run.device))[0]
        return features.to(torch.bfloat16 if run.precision == "bf16" else torch.float32).cpu().contiguous()

    def look(self, data: bytes) -> Tensor:
        """From the disk, or computed and put there; a damaged file is written anew."""
        key = hashlib.sha256(data).hexdigest()
        file = self._folder / key[:2] / f"{key}.safetensors"
        try:
            return load_file(file)["features"]
        except (OSError, SafetensorError, KeyError):
            features = self._compute(self.processor.pixels(decode_image(data)))
        file.parent.mkdir(exist_ok=True)
        part = file.with_name(f".{key}.{parallel.world()[0]}.part")
        save_file({"features": features}, part)
        part.replace(file)
        return features


def make_view(config: RunConfig) -> Pixels | KeptFeatures:
    """As the run file wants it."""
    processor = ImageProcessor.load(config.model.processor)
    if config.feature_cache is None:
        return Pixels(processor)
    return KeptFeatures(processor, config.feature_cache, config.model.vision)
