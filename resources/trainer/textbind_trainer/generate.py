"""Interleaved generation in plain PyTorch: what the engine does, for evaluations and as a reference.

Greedy only. Section 3 of the system's description: a caption's tokens are forgotten when it is drawn, and
the picture's embeddings stand in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .model import TextBindModel
from .prompt import END, IMAGE, START, Pair, encode_conversation

MAX_CAPTION_TOKENS = 64


@dataclass
class Reply:
    """The text with ``<image>`` where a picture was drawn, and the captions; ``finished`` if it ended by itself."""

    text: str = ""
    captions: list[str] = field(default_factory=list)
    finished: bool = False


def embed_prompt(model: TextBindModel, tokenizer, pairs: Sequence[Pair], features: Tensor | None) -> Tensor:
    """[1, length, hidden]: the conversation's embeddings, pictures (vision features in order) in their places."""
    ids = [
        token for s in encode_conversation(tokenizer, pairs, model.shape.num_query_tokens) for token in s.ids
    ]
    row = torch.tensor([ids])
    embeddings = model.embed_tokens(row)
    if features is not None:
        places = row == tokenizer.convert_tokens_to_ids(IMAGE)
        embeddings = embeddings.masked_scatter(
            places.unsqueeze(-1), model.embed_features(features).flatten(0, 1)
        )
    return embeddings


@torch.no_grad()
def reply(
    model: TextBindModel,
    tokenizer,
    pairs: Sequence[Pair],
    features: Tensor | None,
    draw: Callable[[str], Tensor] | None,
    max_tokens: int = 80,
) -> Reply:
    """The assistant's next turn. ``draw`` turns a caption into vision features [1, patches + 1, hidden];
    without it the reply ends at the first caption (enough to see what would be drawn).
    """
    from transformers import DynamicCache

    start, end = tokenizer.convert_tokens_to_ids([START, END])
    cache = DynamicCache(config=model.language_model.config)
    result, text_ids = Reply(), []
    caption: list[int] | None = None
    kept = 0
    inputs = embed_prompt(model, tokenizer, pairs, features)
    for _ in range(max_tokens):
        output = model.language_model.model(inputs_embeds=inputs, past_key_values=cache, use_cache=True)
        token = int(model.logits(output.last_hidden_state[:, -1]).argmax())
        if token == tokenizer.eos_token_id:
            result.finished = True
            break
        inputs = model.embed_tokens(torch.tensor([[token]]))
        if token == start and caption is None:
            caption, kept = [], cache.get_seq_length()
        elif token == end and caption is not None:
            result.captions.append(tokenizer.decode(caption).strip())
            text_ids.append(tokenizer.convert_tokens_to_ids(IMAGE))
            caption = None
            if draw is None:
                break
            cache.crop(kept - cache.get_seq_length())  # a negative length: that many are removed
            inputs = model.embed_features(draw(result.captions[-1]))
        elif caption is not None:
            caption.append(token)
            if len(caption) > MAX_CAPTION_TOKENS:
                break
        else:
            text_ids.append(token)
    result.text = tokenizer.decode(text_ids).strip()
    return result
