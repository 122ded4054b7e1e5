"""The TextBind model: frozen vision encoder, Q-Former with learned queries, projection, language model.

Only the vision encoder, the Q-Former and the language model are transformers' own classes; what joins
them is here. Keys of a checkpoint are the reference's: ``query_tokens``, ``qformer.*``,
``qformer_projection.*`` and, after stage 2, ``language_model.*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from .lora import merged_weight

INITIAL_QUERY_STD = 0.02


@dataclass(frozen=True)
class QformerShape:
    """textbind.json's ``qformerConfig``."""

    num_query_tokens: int
    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    intermediate_size: int
    cross_attention_frequency: int = 2

    @staticmethod
    def from_json(fields: dict) -> QformerShape:
        """Read the camelCase object; a missing field raises ValueError naming it."""
        names = ("numQueryTokens", "numHiddenLayers", "numAttentionHeads", "hiddenSize", "intermediateSize")
        for name in names:
            if not isinstance(fields.get(name), int) or fields[name] <= 0:
                raise ValueError(
                    f"qformerConfig.{name}: expected a positive integer, got {fields.get(name)!r}"
                )
        return QformerShape(*(fields[name] for name in names))

    def to_json(self) -> dict:
        """The camelCase object for textbind.json."""
        return {
            "numQueryTokens": self.num_query_tokens,
            "numHiddenLayers": self.num_hidden_layers,
            "numAttentionHeads": self.num_attention_heads,
            "hiddenSize": self.hidden_size,
            "intermediateSize": self.intermediate_size,
        }


def make_qformer(shape: QformerShape, vision_hidden: int) -> nn.Module:
    """transformers' Blip2QFormerModel of this shape, reading ``vision_hidden`` wide image features."""
    from transformers import Blip2QFormerConfig, Blip2QFormerModel

    config = Blip2QFormerConfig(
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.num_hidden_layers,
        num_attention_heads=shape.num_attention_heads,
        intermediate_size=shape.intermediate_size,
        cross_attention_frequency=shape.cross_attention_frequency,
        encoder_hidden_size=vision_hidden,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        use_qformer_text_input=False,
    )
    return Blip2QFormerModel(config)


class TextBindModel(nn.Module):
    """Pictures in, embeddings among the words, logits out. ``forward`` takes one packed batch (batch.py)."""

    def __init__(
        self, vision: nn.Module | None, shape: QformerShape, vision_hidden: int, language_model: nn.Module
    ):
        super().__init__()
        self.shape = shape
        self.query_tokens = nn.Parameter(
            torch.randn(1, shape.num_query_tokens, shape.hidden_size) * INITIAL_QUERY_STD
        )
        self.qformer = make_qformer(shape, vision_hidden)
        self.qformer_projection = nn.Linear(shape.hidden_size, language_model.config.hidden_size)
        self.language_model = language_model
        self.detach_tokens = False
        # Kept out of the module tree: it is never trained nor saved, and .parameters() should not list it.
        self.__dict__["vision"] = vision

    def image_features(self, pixels: Tensor) -> Tensor:
        """Frozen vision features. pixels: [images, 3, size, size] -> [images, patches + 1, vision hidden]."""
        with torch.no_grad():
            return self.vision(pixel_values=pixels).last_hidden_state

    def embed_features(self, features: Tensor) -> Tensor:
        """Vision features [images, patches + 1, hidden] -> embeddings [images, queries, language hidden]."""
        queries = self.query_tokens.expand(features.shape[0], -1, -1)
        hidden = self.qformer(query_embeds=queries, encoder_hidden_states=features, return_dict=True)
        return self.qformer_projection(hidden.last_hidden_state)

    def embed_tokens(self, ids: Tensor) -> Tensor:
        """Token embeddings, also of the added rows that may be trained apart from the rest."""
        rows = self.language_model.get_input_embeddings()(ids)
        return rows.detach() if self.detach_tokens else rows

    def hidden_states(
        self,
        ids: Tensor,
        image_places: Tensor,
        image_embeddings: Tensor | None,
        mask: Tensor,
        positions: Tensor,
    ) -> Tensor:
        """The language model's last hidden states.

        ids: [batch, length]; image_places: bool [batch, length], in the order of the pictures;
        image_embeddings: [images, queries, hidden]; mask: bool [batch, length, length], True where a row's
        token may look; positions: [batch, length].
        """
        embeddings = self.embed_tokens(ids)
        if image_embeddings is not None:
            flat = image_embeddings.reshape(-1, embeddings.shape[-1]).to(embeddings.dtype)
            embeddings = embeddings.masked_scatter(image_places.unsqueeze(-1), flat)
        additive = torch.zeros(mask.shape, dtype=embeddings.dtype, device=mask.device)
        additive = additive.masked_fill(~mask, torch.finfo(embeddings.dtype).min).unsqueeze(1)
        output = self.language_model.model(
            inputs_embeds=embeddings, attention_mask=additive, position_ids=positions, use_cache=False
        )
        return output.last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary logits of hidden states [..., hidden] -> [..., vocabulary]."""
        return self.language_model.get_output_embeddings()(hidden)

    def qformer_parameters(self) -> list[nn.Parameter]:
        """What stage 1 trains: queries, Q-Former and projection."""
        return [self.query_tokens, *self.qformer.parameters(), *self.qformer_projection.parameters()]


def qformer_state(model: TextBindModel) -> dict[str, Tensor]:
    """The keys that stage 1 saves."""
    state = {"query_tokens": model.query_tokens.detach()}
    state |= {f"qformer.{name}": value for name, value in model.qformer.state_dict().items()}
    state |= {
        f"qformer_projection.{name}": value for name, value in model.qformer_projection.state_dict().items()
    }
    return {name: value.detach().cpu().contiguous() for name, value in state.items()}


def language_state(model: TextBindModel) -> dict[str, Tensor]:
    """The language model under its own names (``model.layers...``), LoRA merged, tied head left out."""
    state: dict[str, Tensor] = {}
    modules = dict(model.language_model.named_modules())
    for name, value in model.language_model.state_dict().items():
        parent, _, leaf = name.rpartition(".")
        if leaf.startswith("lora_") or leaf == "added_rows":
            continue
        wrapper = parent.removesuffix(".base")
        value = merged_weight(modules[wrapper]) if leaf == "weight" else value
        state[name.replace(".base.", ".")] = value.detach().cpu().contiguous()
    if model.language_model.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    return state


def load_qformer_state(model: TextBindModel, state: dict[str, Tensor]) -> None:
    """Load the saved keys over the base; a missing or misshapen one raises ValueError naming it."""
    own = {"query_tokens": model.query_tokens}
    own |= {f"qformer.{name}": value for name, value in model.qformer.state_dict().items()}
    own |= {
        f"qformer_projection.{name}": value for name, value in model.qformer_projection.state_dict().items()
    }
    with torch.no_grad():
        for name, value in own.items():
            if name not in state:
                raise ValueError(f"the Q-Former checkpoint has no {name!r}")
            if state[name].shape != value.shape:
                raise ValueError(
                    f"{name}: the checkpoint has {list(state[name].shape)}, the model {list(value.shape)}"
                )
            value.copy_(state[name])


def read_state(path: Path) -> dict[str, Tensor]:
    """A flat state dict from ``.safetensors`` or from PyTorch's ``.pt`` (tensors only, no other pickles)."""
    if path.suffix == ".safetensors":
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def load_model(
    vision: Path | None,
    language_model: Path,
    shape: QformerShape,
    qformer: Path | None,
    vision_hidden: int | None = None,
) -> TextBindModel:
    """Build the model from Hugging Face folders; ``qformer`` may be a file of the saved keys or None (fresh).

    A ``.pt`` of the reference's stage 2 also holds ``language_model.*``: those keys are loaded as well.
    """
    from transformers import AutoModelForCausalLM, Blip2VisionModel

    encoder = None
    if vision is not None:
        encoder = Blip2VisionModel.from_pretrained(vision, dtype=torch.float32).eval().requires_grad_(False)
        vision_hidden = encoder.config.hidden_size
    if vision_hidden is None:
        raise ValueError("either a vision encoder or its hidden size is needed")
    decoder = AutoModelForCausalLM.from_pretrained(
        language_model, dtype=torch.float32, attn_implementation="sdpa"
    )
    model = TextBindModel(encoder, shape, vision_hidden, decoder)
    if qformer is not None:
        state = read_state(qformer)
        load_qformer_state(model, state)
        prefix = "language_model."
        language = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
        if language:
            decoder.load_state_dict(language, strict=False)
    return model
