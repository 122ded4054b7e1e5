"""Puts the trained parts together as a StableDiffusionXLPipeline folder that diffusers itself loads."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from diffusers import AutoencoderKL, StableDiffusionXLPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from textbind_trainer.events import emit
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from . import loop
from .unet import build as build_unet
from .unet import build_scheduler
from .vae import build as build_vae

FOLDER = "image-decoder"


def publish_image_decoder(out: Path) -> Path:
    """Write OUT/hf/image-decoder from OUT/{text,vae,unet}; parts not trained yet keep random weights."""
    text = out / "text"
    vae = AutoencoderKL.from_pretrained(out / "vae") if (out / "vae").is_dir() else build_vae()
    unet = UNet2DConditionModel.from_pretrained(out / "unet") if (out / "unet").is_dir() else build_unet()
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel.from_pretrained(text / "text_encoder"),
        text_encoder_2=CLIPTextModelWithProjection.from_pretrained(text / "text_encoder_2"),
        tokenizer=CLIPTokenizer.from_pretrained(text / "tokenizer"),
        tokenizer_2=CLIPTokenizer.from_pretrained(text / "tokenizer_2"),
        unet=unet,
        scheduler=build_scheduler(),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )
    scratch = out / "hf" / f".{FOLDER}"
    shutil.rmtree(scratch, ignore_errors=True)
    pipeline.save_pretrained(scratch, safe_serialization=True)
    for name in ("tokenizer", "tokenizer_2"):
        # Newer tokenizer libraries save tokenizer.json alone; other readers want CLIP's own files.
        for file in (text / name).iterdir():
            if not (scratch / name / file.name).exists():
                shutil.copy(file, scratch / name)
    halve(scratch)
    loop.replace_folder(scratch, out / "hf" / FOLDER)
    counts = {
        name: sum(weight.numel() for weight in part.parameters())
        for name, part in pipeline.components.items()
        if hasattr(part, "parameters")
    }
    emit("published", run=FOLDER, parameters=counts, total=sum(counts.values()))
    return out / "hf" / FOLDER


def halve(folder: Path) -> None:
    """Rewrite the weights under a folder in half precision; their configurations stay."""
    for path in folder.rglob("*.safetensors"):
        save_file({name: value.half() for name, value in load_file(path).items()}, path, {"format": "pt"})


def main(argv: list[str] | None = None) -> int:
    """Publish what is trained so far; --final marks it READY."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".cache/mini"))
    parser.add_argument("--final", action="store_true")
    arguments = parser.parse_args(argv)
    folder = publish_image_decoder(arguments.out)
    (folder / "READY-CONFIG").write_text("configurations are final\n")
    if arguments.final:
        (folder / "READY").write_text(json.dumps({"final": True}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
