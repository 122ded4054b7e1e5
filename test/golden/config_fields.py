"""Every field that a Hugging Face configuration of our networks can have, with its default: config_fields.py OUT."""

import inspect
import json
import sys
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import Blip2QFormerConfig, Blip2VisionConfig, CLIPTextConfig, LlamaConfig


def signature(model) -> dict:
    """diffusers' models are configured by their constructor's parameters."""
    parameters = inspect.signature(model.__init__).parameters
    return {name: field.default for name, field in parameters.items() if name != "self"}


fields = {
    "llama": LlamaConfig().to_dict(),
    "clip-text": CLIPTextConfig().to_dict(),
    "vit": Blip2VisionConfig().to_dict(),
    "qformer": Blip2QFormerConfig().to_dict(),
    "unet": signature(UNet2DConditionModel),
    "vae": signature(AutoencoderKL),
}
Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
(Path(sys.argv[1]) / "fields.json").write_text(json.dumps(fields))
