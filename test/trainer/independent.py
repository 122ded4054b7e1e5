"""The losses of both stages written once more, from the description: plain functions of tensors, one row and one sequence
at a time. No mask, no positions to restart, no batches, no transformers: a caption is a sequence of its own that ends the
dialogue at its picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

State = dict[str, Tensor]
IMAGE, START = "<image>", "<start>"


def rms(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return weight * x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt()


def layer_norm(x: Tensor, state: State, name: str, eps: float) -> Tensor:
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]


def affine(x: Tensor, state: State, name: str) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def heads(x: Tensor, count: int) -> Tensor:
    """[length, width] -> [count, length, width / count]."""
    return x.reshape(x.shape[0], count, -1).transpose(0, 1)


def attend(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> Tensor:
    """[heads, length, width] -> [length, heads * width]."""
    scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
    if causal:
        rows, columns = torch.arange(scores.shape[1])[:, None], torch.arange(scores.shape[2])[None]
        scores = scores.masked_fill(columns > rows, -torch.inf)
    mixed = torch.exp(scores - scores.amax(-1, keepdim=True))
    mixed = mixed / mixed.sum(-1, keepdim=True)
    return (mixed @ value).transpose(0, 1).flatten(1)


def turned(x: Tensor, theta: float) -> Tensor:
    """Rotary positions 0, 1, 2 ... of [heads, length, width]; the halves are the two coordinates."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[1])[:, None] * theta ** (-torch.arange(half) * 2 / x.shape[-1])
    left, right = x[..., :half], x[..., half:]
    return torch.cat([left * angle.cos() - right * angle.sin(), right * angle.cos() + left * angle.sin()], -1)


def llama(embeddings: Tensor, state: State, config: dict) -> Tensor:
    """[length, hidden] -> [length, vocabulary]."""
    x, eps, many, few = (
        embeddings,
        config["rms_norm_eps"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
    )
    theta = config["rope_parameters"]["rope_theta"]
    for number in range(config["num_hidden_layers"]):
        layer = lambda name, at=number: state[f"language_model.model.layers.{at}.{name}.weight"]
        seen = rms(x, layer("input_layernorm"), eps)
        query, key, value = (
            heads(seen @ layer(f"self_attn.{name}_proj").T, count)
            for name, count in (("q", many), ("k", few), ("v", few))
        )
        key, value = (part.repeat_interleave(many // few, 0) for part in (turned(key, theta), value))
        x = x + attend(turned(query, theta), key, value, True) @ layer("self_attn.o_proj").T
        seen = rms(x, layer("post_attention_layernorm"), eps)
        gate = seen @ layer("mlp.gate_proj").T
        x = x + (gate * torch.sigmoid(gate) * (seen @ layer("mlp.up_proj").T)) @ layer("mlp.down_proj").T
    return (
        rms(x, state["language_model.model.norm.weight"], eps)
        @ state["language_model.model.embed_tokens.weight"].T
    )


def qformer(
    features: Tensor, state: State, count: int, layers: int, every: int = 2, eps: float = 1e-12
) -> Tensor:
    """One picture's features [patches + 1, vision hidden] -> embeddings [queries, language hidden]."""
    x = layer_norm(state["query_tokens"][0], state, "qformer.layernorm", eps)

    def attention(x: Tensor, seen: Tensor, name: str) -> Tensor:
        query = heads(affine(x, state, f"{name}.attention.query"), count)
        key, value = (
            heads(affine(seen, state, f"{name}.attention.{part}"), count) for part in ("key", "value")
        )
        mixed = affine(attend(query, key, value, False), state, f"{name}.output.dense")
        return layer_norm(mixed + x, state, f"{name}.output.LayerNorm", eps)

    for number in range(layers):
        layer = f"qformer.encoder.layer.{number}"
        x = attention(x, x, f"{layer}.attention")
        if number % every == 0:
            x = attention(x, features, f"{layer}.crossattention")
        wide = affine(x, state, f"{layer}.intermediate_query.dense")
        wide = 0.5 * wide * (1 + torch.erf(wide / 2**0.5))
        x = layer_norm(
            affine(wide, state, f"{layer}.output_query.dense") + x,
            state,
            f"{layer}.output_query.LayerNorm",
            eps,
        )
    return affine(x, state, "qformer_projection")


class Losses:
    """Summed losses of rows. ``encode``: a text's ids; ``shape``: queries, layers and heads of the Q-Former."""

    def __init__(self, state: State, config: dict, shape: dict, encode, image_id: int, start_id: int):
        self.state, self.config, self.shape, self.encode = state, config, shape, encode
        self.image_id, self.start_id = image_id, start_id
        self.scored = 0

    def embedded(self, ids: list[int], pictures: list[Tensor]) -> Tensor:
        rows = self.state["language_model.model.embed_tokens.weight"][torch.tensor(ids)]
        shown = [
            qformer(seen, self.state, self.shape["numAttentionHeads"], self.shape["numHiddenLayers"])
            for seen in pictures
        ]
        pieces, queue = [], [row for each in shown for row in each]
        for token, row in zip(ids, rows, strict=True):
            pieces.append(queue.pop(0) if token == self.image_id else row)
        assert not queue
        return torch.stack(pieces)

    def plain(self, ids: list[int], pictures: list[Tensor], wanted: dict[int, int]) -> Tensor:
        """Minus log probability of ``wanted[place]`` at each place, seen from the place before."""
        logits = llama(self.embedded(ids, pictures), self.state, self.config)
        total = torch.zeros(())
        for place, token in wanted.items():
            row = logits[place - 1]
            total = total + torch.logsumexp(row, 0) - row[token]
        self.scored += len(wanted)
        return total

    def conversation(
        self, pairs: list[tuple[str, str]], pictures: list[Tensor], captions: list[str], bos: str, eos: str
    ) -> Tensor:
        queries = self.shape["numQueryTokens"]
        ids: list[int] = []
        wanted: dict[int, int] = {}
        drawn: list[int] = []
        for user, answer in pairs:
            ids += self.encode(f"{bos}[INST] {user.strip().replace(IMAGE, IMAGE * queries)} [/INST]")
            said = self.encode(f"{answer.strip().replace(IMAGE, IMAGE * queries)} {eos}")
            place = 0
            while place < len(said):
                if said[place] == self.image_id:
                    drawn.append(len(ids) + place)
                    wanted[len(ids) + place] = self.start_id
                    place += queries
                else:
                    wanted[len(ids) + place] = said[place]
                    place += 1
            ids += said
        total = self.plain(ids, pictures, wanted)
        for start, caption in zip(drawn, captions, strict=True):
            told = self.encode(f"{START} {caption.strip()} <end>")
            before = ids[:start].count(self.image_id) // queries
            goals = {start + n: token for n, token in enumerate(told) if n}
            total = total + self.plain(ids[:start] + told, pictures[:before], goals)
        return total
