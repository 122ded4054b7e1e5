"""The TextBind model: frozen vision encoder, Q-Former with learned queries, projection, language model.

Only the vision encoder, the Q-Former and the language model are transformers' own classes; what joins
them is here. Keys of a checkpoint are the reference's: ``query_tokens``, ``qformer.*``,
``qformer_projection.*`` and, after stage 2, ``language_model.*``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from .attention import use_split_attention
from .batch import IGNORED, Batch
from .faults import TrainerError
from .lora import merged_weight, plain_embedding
from .parallel import whole
from .shape import QformerShape
from .weights import load_language, load_vision, read_state

if TYPE_CHECKING:
    from transformers import Blip2QFormerModel, Blip2VisionModel, LlamaForCausalLM

__all__ = ["QformerShape"]
INITIAL_QUERY_STD = 0.02
Result = TypeVar("Result")


def make_qformer(shape: QformerShape, vision_hidden: int) -> Blip2QFormerModel:
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

    vision: Blip2VisionModel | None

    def __init__(
        self,
        vision: Blip2VisionModel | None,
        shape: QformerShape,
        vision_hidden: int,
        language_model: LlamaForCausalLM,
    ):
        super().__init__()
        self.shape = shape
        self.vision_hidden = vision_hidden
        self.query_tokens = nn.Parameter(
            torch.randn(1, shape.num_query_tokens, shape.hidden_size) * INITIAL_QUERY_STD
        )
        self.qformer = make_qformer(shape, vision_hidden)
        self.qformer_projection = nn.Linear(shape.hidden_size, language_model.config.hidden_size)
        self.language_model = language_model
        use_split_attention(language_model)
        self.detach_tokens = False
        # Kept out of the module tree: it is never trained nor saved, and .parameters() should not list it.
        self.__dict__["vision"] = vision

    def image_features(self, pixels: Tensor) -> Tensor:
        """Frozen vision features. pixels: [images, 3, size, size] -> [images, patches + 1, vision hidden]."""
        if self.vision is None:
            raise ValueError("this model was built without a vision encoder")
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
        mask: Tensor | None,
        positions: Tensor,
    ) -> Tensor:
        """The language model's last hidden states.

        ids: [batch, length]; image_places: bool [batch, length], in the order of the pictures;
        image_embeddings: [images, queries, hidden]; mask: bool [batch, rows, length], True where one of the last ``rows``
        may look (the others are causal), None where all are causal; positions: [batch, length].
        """
        embeddings = self.embed_tokens(ids)
        if image_embeddings is not None and not bool(image_places.any()):
            embeddings = embeddings + 0 * image_embeddings.sum()
        elif image_embeddings is not None:
            flat = image_embeddings.reshape(-1, embeddings.shape[-1]).to(embeddings.dtype)
            embeddings = embeddings.masked_scatter(image_places.unsqueeze(-1), flat)
        output = self.language_model.model(
            inputs_embeds=embeddings,
            attention_mask=None if mask is None else mask.unsqueeze(1),
            position_ids=positions,
            use_cache=False,
        )
        return output.last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary logits of hidden states [..., hidden] -> [..., vocabulary]."""
        return self.language_model.get_output_embeddings()(hidden)

    def forward(self, batch: Batch, features: Tensor | None) -> Tensor:
        """Summed cross entropy over the scored tokens of a batch.

        features: the frozen encoder's [images, patches + 1, vision hidden], in order of appearance, or None where no
        place is a picture. Features for a batch without pictures keep the processes in step (the Q-Former and every
        layer run forward and backward on all of them); they count nothing.
        """
        embeddings = None if features is None else self.embed_features(features)
        hidden = self.hidden_states(batch.ids, batch.places, embeddings, batch.mask, batch.positions)
        # Only scored places go through the head: the vocabulary is the widest layer of all.
        scored = batch.labels[:, 1:] != IGNORED
        logits = self.logits(hidden[:, :-1][scored])
        return functional.cross_entropy(logits.float(), batch.labels[:, 1:][scored], reduction="sum")

    def in_one_pass(self, work: Callable[[], Result]) -> Result:
        """Compute with the model's parts as if in one ``forward``: shards (parallel.py) take it for one."""
        return work()

    def no_picture(self, device: torch.device) -> Tensor:
        """Features of nothing, [1, 1, vision hidden]."""
        return torch.zeros(1, 1, self.vision_hidden, device=device)

    def halve_frozen(self) -> None:
        """Keep what is not trained in bf16: half the memory, and what autocast would make of it anyway."""
        for parameter in [*self.parameters(), *(self.vision.parameters() if self.vision else [])]:
            # What is kept in four bits is whole numbers.
            if not parameter.requires_grad and parameter.is_floating_point():
                parameter.data = parameter.data.to(torch.bfloat16)

    def checkpoint_activations(self) -> None:
        """Keep only each layer's input of the language model and compute the rest again for the gradient."""
        self.language_model.activation_checkpointing_enable({"use_reentrant": False})
        self.language_model.train()  # transformers checkpoints in training mode only; Llama has no dropout

    def blocks(self) -> list[nn.Module]:
        """The repeated layers, each a unit of its own for sharding."""
        return [*self.qformer.encoder.layer, *self.language_model.model.layers]

    def qformer_parameters(self) -> list[nn.Parameter]:
        """What stage 1 trains: queries, Q-Former and projection."""
        return [self.query_tokens, *self.qformer.parameters(), *self.qformer_projection.parameters()]


def qformer_state(model: TextBindModel) -> dict[str, Tensor]:
    """The keys that stage 1 saves. With shards all processes must call it."""
    state = {"query_tokens": model.query_tokens}
    state |= {f"qformer.{name}": value for name, value in model.qformer.state_dict().items()}
    state |= {
        f"qformer_projection.{name}": value for name, value in model.qformer_projection.state_dict().items()
    }
    return {name: whole(value).detach().cpu().contiguous() for name, value in state.items()}


def language_state(model: TextBindModel) -> dict[str, Tensor]:
    """The language model under its own names (``model.layers...``), LoRA merged, tied head left out.

    With shards all processes must call it.
    """
    state: dict[str, Tensor] = {}
    modules = dict(model.language_model.named_modules())
    for name, value in model.language_model.state_dict().items():
        parent, _, leaf = name.rpartition(".")
        if leaf.startswith("lora_") or leaf == "added_rows":
            continue
        wrapper = parent.removesuffix(".base")
        if wrapper not in modules:
            continue  # the scales of a weight in four bits
        value = merged_weight(modules[wrapper]) if leaf == "weight" else whole(value)
        state[name.replace(".base.", ".")] = value.detach().cpu().contiguous()
    if model.language_model.config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    return state


def load_qformer_state(model: TextBindModel, state: dict[str, Tensor]) -> None:
    """Load the saved keys over the base; a missing or misshapen one raises TrainerError("config") naming it.

    BLIP-2's own Q-Former has no projection to a language model: where all its keys are absent it stays as initialised.
    """
    own = {"query_tokens": model.query_tokens}
    own |= {f"qformer.{name}": value for name, value in model.qformer.state_dict().items()}
    if any(name.startswith("qformer_projection.") for name in state):
        own |= {f"qformer_projection.{name}": v for name, v in model.qformer_projection.state_dict().items()}
    with torch.no_grad():
        for name, value in own.items():
            if name not in state:
                raise TrainerError("config", f"the Q-Former checkpoint has no {name!r}")
            if state[name].shape != value.shape:
                raise TrainerError(
                    "config",
                    f"{name}: the checkpoint has {list(state[name].shape)}, the model {list(value.shape)}",
                )
            value.copy_(state[name])


def resize_language(language_model: LlamaForCausalLM, rows: int) -> None:
    """Give embedding and head more rows; the new ones are drawn around the mean of the old (transformers' way)."""
    if rows > plain_embedding(language_model).num_embeddings:
        language_model.resize_token_embeddings(rows)


def load_language_state(language_model: LlamaForCausalLM, state: dict[str, Tensor]) -> None:
    """Lay ``language_model.*`` keys (without the prefix) over the base, whose rows may be fewer.

    TrainerError("config") names a key that the base does not have or that has another shape.
    """
    state = {name: value for name, value in state.items() if not name.endswith("rotary_emb.inv_freq")}
    table = state.get("model.embed_tokens.weight")
    if table is not None:
        resize_language(language_model, table.shape[0])
    own = language_model.state_dict()
    for name, value in state.items():
        if name not in own:
            raise TrainerError("config", f"language_model.{name}: the language model has no such weight")
        if own[name].shape != value.shape:
            raise TrainerError(
                "config",
                f"language_model.{name}: the checkpoint has {list(value.shape)}, the model {list(own[name].shape)}",
            )
    language_model.load_state_dict(state, strict=False)


def load_model(
    vision: Path | None,
    language_model: Path,
    shape: QformerShape,
    qformer: Path | None,
    vision_hidden: int | None = None,
    checkpoint: Path | None = None,
    fresh: bool = False,
) -> TextBindModel:
    """Build the model from Hugging Face folders.

    qformer: a file or folder of the saved keys, or None (fresh). checkpoint: one laid over all that, as textbind.json
    has it; either may hold the reference's ``language_model.*`` as well. fresh: leave the checkpoint's Q-Former aside.
    """
    encoder = None
    if vision is not None:
        encoder = load_vision(vision)
        vision_hidden = encoder.config.hidden_size
    if vision_hidden is None:
        raise ValueError("either a vision encoder or its hidden size is needed")
    decoder = load_language(language_model)
    model = TextBindModel(encoder, shape, vision_hidden, decoder)
    state: dict[str, Tensor] = {}
    for path in (qformer, checkpoint):
        state |= read_state(path) if path else {}
    if (qformer or checkpoint) and not fresh:
        load_qformer_state(model, state)
    prefix = "language_model."
    language = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    if language:
        load_language_state(decoder, language)
    return model
