"""Stage 0 of the mini model: the Q-Former learns to write a caption in the language model's own embeddings.

It stands where the paper takes BLIP-2's pre-trained Q-Former. No language model runs: the n-th output is
pulled to the embedding of the caption's n-th token (a softmax over the captions' words by cosine, and the
squared distance for the length), so hundreds of samples a second fit on one core. The 32 outputs hold the
caption twice in slots of 16, or once where it is longer; what is left of a slot is the newline's embedding.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from textbind_trainer.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder
from textbind_trainer.loop import schedule
from textbind_trainer.model import make_qformer
from textbind_trainer.tokenizer import AnyTokenizer, language_tokenizer, load_tokenizer
from torch import Tensor, nn
from torch.nn import functional

from .captioned import Captioned
from .features import cached_features, fingerprint
from .pictures import fetch_pictures
from .shape import SHAPE

SLOT = 16
SHARPNESS = 20.0


class QueryHalf(nn.Module):
    """Queries, Q-Former and projection without the language model; the same names as in a checkpoint."""

    def __init__(self, vision_hidden: int, language_hidden: int):
        super().__init__()
        self.query_tokens = nn.Parameter(torch.randn(1, SHAPE.num_query_tokens, SHAPE.hidden_size) * 0.5)
        self.qformer = make_qformer(SHAPE, vision_hidden)
        self.qformer_projection = nn.Linear(SHAPE.hidden_size, language_hidden)

    def forward(self, features: Tensor) -> Tensor:
        """[batch, patches + 1, vision hidden] -> [batch, queries, language hidden]."""
        queries = self.query_tokens.expand(len(features), -1, -1)
        hidden = self.qformer(query_embeds=queries, encoder_hidden_states=features, return_dict=True)
        return self.qformer_projection(hidden.last_hidden_state)


def target_ids(tokenizer: AnyTokenizer, captions: list[str]) -> Tensor:
    """[captions, 32]: each caption twice (a long one once), slots filled up with newlines."""
    tokenizer = language_tokenizer(tokenizer)
    (filler,) = tokenizer.encode("\n", add_special_tokens=False)
    rows, queries = [], SHAPE.num_query_tokens
    for caption in captions:
        ids = tokenizer.encode(f" {caption}.", add_special_tokens=False)
        if len(ids) > queries:
            raise ValueError(f"{caption!r}: {len(ids)} tokens, there are {queries} queries")
        slot = SLOT if len(ids) <= SLOT else queries
        rows.append((ids + [filler] * (slot - len(ids))) * (queries // slot))
    return torch.tensor(rows)


def losses(outputs: Tensor, targets: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(cross entropy, squared distance in units of the table's variance, share of captions all right).

    outputs [batch, 32, hidden]; targets [batch, 32] as rows of table [words, hidden].
    """
    cosine = functional.normalize(outputs, dim=-1) @ functional.normalize(table, dim=-1).T
    entropy = functional.cross_entropy(cosine.flatten(0, 1) * SHARPNESS, targets.flatten())
    distance = functional.mse_loss(outputs, table[targets]) / table.var()
    right = (cosine.argmax(-1)[:, :SLOT] == targets[:, :SLOT]).all(-1).float().mean()
    return entropy, distance, right


def _batch(features: Tensor, targets: Tensor, seed: int, step: int, size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    rows = torch.randint(len(features), (size,), generator=generator)
    return features[rows].float(), targets[rows]


def train(
    model: QueryHalf, data: tuple[Tensor, Tensor], held: tuple[Tensor, Tensor], table: Tensor, out: Path,
    *, steps: int, batch: int, rate: float, seed: int, mark: str,
) -> None:  # fmt: skip
    """Resumable: a checkpoint every 250 steps, everything else follows from seed and step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    first, root = 0, out / "checkpoints"
    found = newest_checkpoint(root)
    if found:
        trained, states, state = load_checkpoint(found, mark)
        model.load_state_dict(trained)
        optimizer.load_state_dict(states)
        first = state["step"]
    emit("started", step="stage0", first=first, steps=steps, samples=len(data[0]))
    began = time.time()
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(step, min(200, steps // 15), steps)
        features, targets = _batch(*data, seed, step, batch)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model(features)
        entropy, distance, right = losses(outputs.float(), targets, table)
        optimizer.zero_grad(set_to_none=True)
        (entropy + 0.5 * distance).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 25 == 0:
            pace = (time.time() - began) / (step + 1 - first)
            emit(
                "step", step=step + 1, steps=steps, loss=round(entropy.item(), 4), distance=round(distance.item(), 4),
                right=round(right.item(), 3), etaSeconds=round(pace * (steps - step - 1)),
            )  # fmt: skip
        if (step + 1) % 250 == 0 or step + 1 == steps:
            with torch.no_grad():
                chunks = [
                    losses(model(f.float()), t, table)[2]
                    for f, t in zip(held[0].split(64), held[1].split(64), strict=True)
                ]
            emit("validation", step=step + 1, captionsRight=round(torch.stack(chunks).mean().item(), 4))
            state = {"step": step + 1, "fingerprint": mark}
            save_checkpoint(root, dict(model.state_dict()), optimizer.state_dict(), state, keep=1)


def main(argv: list[str] | None = None) -> int:
    """Command: features, training, ``OUT/model/qformer.safetensors``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vision", type=Path, required=True)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True, help="cache folder of the registry pictures")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--screens", type=Path, required=True, help="folder of screenshots")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=12_000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin-with", type=Path, help="safetensors of an earlier stage 0, to go on from")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    source = Captioned(fetch_pictures(arguments.pictures), arguments.photos, arguments.screens)
    tokenizer = load_tokenizer(arguments.language)
    embedding = load_file(arguments.language / "model.safetensors")["model.embed_tokens.weight"]
    sets = []
    for split, count in (("training", arguments.scenes), ("validation", 320)):
        features, captions = cached_features(arguments.vision, source, arguments.out, split, count)
        sets.append((features, target_ids(tokenizer, captions)))
    words = torch.unique(torch.cat([targets for _, targets in sets]))
    data, held = ((features, torch.searchsorted(words, targets)) for features, targets in sets)
    model = QueryHalf(data[0].shape[-1], embedding.shape[1])
    if arguments.begin_with:
        model.load_state_dict(load_file(arguments.begin_with))
    mark = f"{fingerprint(arguments.vision)}-{arguments.steps}-{arguments.batch}-{arguments.rate}-{arguments.seed}"
    train(
        model, data, held, embedding[words], arguments.out,
        steps=arguments.steps, batch=arguments.batch, rate=arguments.rate, seed=arguments.seed, mark=mark,
    )  # fmt: skip
    with replace_folder(arguments.out / "model") as part:
        save_file(
            {name: value.contiguous() for name, value in model.state_dict().items()},
            part / "qformer.safetensors",
        )
    emit("finished", step="stage0", model=str(arguments.out / "model"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
