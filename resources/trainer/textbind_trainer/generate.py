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
from .tokenizer import AnyTokenizer, LanguageTokenizer, language_tokenizer

MAX_CAPTION_TOKENS = 64


@dataclass
class Reply:
    """The text with ``<image>`` where a picture was drawn, and the captions; ``finished`` if it ended by itself."""

    text: str = ""
    captions: list[str] = field(default_factory=list)
    finished: bool = False


def embed_prompt(
    model: TextBindModel,
    tokenizer: AnyTokenizer,
    pairs: Sequence[Pair],
    features: Tensor | None,
    system: str | None = None,
) -> Tensor:
    """[1, length, hidden]: the conversation's embeddings, pictures (vision features in order) in their places."""
    tokenizer = language_tokenizer(tokenizer)
    queries = model.shape.num_query_tokens
    ids = [token for s in encode_conversation(tokenizer, pairs, queries, system) for token in s.ids]
    row = torch.tensor([ids], device=model.query_tokens.device)
    embeddings = model.embed_tokens(row)
    if features is not None:
        places = row == tokenizer.convert_tokens_to_ids(IMAGE)
        embeddings = embeddings.masked_scatter(
            places.unsqueeze(-1), model.embed_features(features).flatten(0, 1).to(embeddings.dtype)
        )
    return embeddings


@torch.no_grad()
def reply(
    model: TextBindModel,
    tokenizer: AnyTokenizer,
    pairs: Sequence[Pair],
    features: Tensor | None,
    draw: Callable[[str], Tensor] | None,
    max_tokens: int = 80,
) -> Reply:
    """The assistant's next turn. ``draw`` turns a caption into vision features [1, patches + 1, hidden];
    without it the reply ends at the first caption (enough to see what would be drawn).
    """
    from transformers import DynamicCache

    tokenizer = language_tokenizer(tokenizer)
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
        inputs = model.embed_tokens(torch.tensor([[token]], device=inputs.device))
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


@torch.no_grad()
def first_words(
    model: TextBindModel,
    tokenizer: AnyTokenizer,
    prompts: Sequence[Tensor],
    max_tokens: int,
    agree: Callable[[Tensor], Tensor] | None = None,
) -> list[Reply]:
    """Many replies at once, each up to its end or its first caption's: what an evaluation needs.

    prompts: embeddings [1, length, hidden] of embed_prompt, any lengths (padded on the left). ``agree``: what several
    processes that answer together take for the next tokens [prompts], so that all go the same way.
    """
    from transformers import DynamicCache

    tokenizer = language_tokenizer(tokenizer)
    start, end = tokenizer.convert_tokens_to_ids([START, END])
    longest = max(prompt.shape[1] for prompt in prompts)
    padding = [longest - prompt.shape[1] for prompt in prompts]
    rows = [torch.nn.functional.pad(p[0], (0, 0, pad, 0)) for p, pad in zip(prompts, padding, strict=True)]
    inputs = torch.stack(rows)
    mask = torch.stack([(torch.arange(longest) >= pad).long() for pad in padding]).to(inputs.device)
    cache = DynamicCache(config=model.language_model.config)
    said: list[list[int]] = [[] for _ in prompts]
    open_rows = set(range(len(prompts)))
    for _ in range(max_tokens):
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -inputs.shape[1] :]
        output = model.language_model.model(
            inputs_embeds=inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        tokens = model.logits(output.last_hidden_state[:, -1]).argmax(-1)
        tokens = agree(tokens) if agree else tokens
        for row in list(open_rows):
            token = int(tokens[row])
            said[row].append(token)
            if token in (tokenizer.eos_token_id, end):
                open_rows.discard(row)
        if not open_rows:
            break
        inputs = model.embed_tokens(tokens[:, None])
        mask = torch.cat([mask, torch.ones(len(prompts), 1, dtype=mask.dtype, device=mask.device)], dim=1)
    return [_cut_reply(tokenizer, ids, start, end) for ids in said]


def _cut_reply(tokenizer: LanguageTokenizer, ids: list[int], start: int, end: int) -> Reply:
    finished = bool(ids) and ids[-1] == tokenizer.eos_token_id
    ids = ids[:-1] if finished else ids
    if start in ids and ids[-1] == end:
        first = ids.index(start)
        caption = tokenizer.decode(ids[first + 1 : -1]).strip()
        return Reply(tokenizer.decode(ids[:first]).strip() + " " + IMAGE, [caption], False)
    return Reply(tokenizer.decode(ids).strip(), [], finished)
