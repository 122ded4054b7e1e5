"""What a run's model can do, without a network: loss on held-back rows, captions against the true ones, MME, MMBench.

Run: ``python -m textbind_trainer.evaluate --config RUN.json [--checkpoint DIR] [--limit N] [--mme DIR] [--mmbench FILE.tsv]``.
The report is kept with the run, ``OUTPUT/evaluations/step-N/report.json`` with a table of every answer beside it; the
last line on standard output is an event ``evaluated`` with ``folder`` and ``report``, or an ``error``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import loop, parallel, protocol, stage1, stage2
from .benchmarks import run_mmbench, run_mme
from .checkpoint import load_checkpoint
from .config import read_config
from .data import Sample
from .events import claim_stdout, emit, tell
from .files import replace_folder, write_json
from .generate import embed_prompt, first_words
from .images import ImageProcessor, decode_image
from .prompt import END, IMAGE, Pair
from .publish import newest_or
from .resume import lay_over
from .train import stage_of

AT_ONCE = 8
CAPTION_TOKENS = 64
CAPTIONS = 200
"""How many captions are written, without --limit."""


@dataclass
class Model:
    """A run's model that answers."""

    run: loop.Run

    def answers(self, prompts: Sequence[Tensor], tokens: int) -> list[str]:
        """Greedy, each up to its end or its first caption's."""
        found = []
        for start in range(0, len(prompts), AT_ONCE):
            few = prompts[start : start + AT_ONCE]
            found += [
                " ".join((reply.text, *reply.captions)).strip()
                for reply in first_words(self.run.model, self.tokenizer, few, tokens)
            ]
            tell(protocol.Checking(done=start + len(few), total=len(prompts)))
        return found

    @property
    def tokenizer(self) -> Any:
        """The run's own."""
        tokens: Any = self.run.source
        return tokens.tokens.tokenizer

    def ask(self, asked: Sequence[tuple[str, bytes]], tokens: int) -> list[str]:
        """Answers to questions about a picture each."""
        processor = ImageProcessor.load(self.run.config.model.processor)

        def prompt(question: str, picture: bytes) -> Tensor:
            pixels = processor.pixels(decode_image(picture)).unsqueeze(0).to(self.run.device)
            features = self.run.model.image_features(pixels)
            return embed_prompt(self.run.model, self.tokenizer, [Pair(question, None)], features)

        found: list[str] = []
        for start in range(0, len(asked), AT_ONCE):
            prompts = [prompt(*each) for each in asked[start : start + AT_ONCE]]
            found += self.answers(prompts, tokens)
        return found


def longest_common(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for word in left:
        before = row[:]
        for place, other in enumerate(right, 1):
            row[place] = before[place - 1] + 1 if word == other else max(before[place], row[place - 1])
    return row[-1]


def rouge_l(said: str, wanted: str) -> float:
    """ROUGE-L's F1 over words in lower case, 0 to 1 (Lin 2004)."""
    left, right = said.lower().split(), wanted.lower().split()
    common = longest_common(left, right)
    return 2 * common / (len(left) + len(right)) if common else 0.0


def caption_prompts(run: loop.Run, samples: Iterator[Sample]) -> Iterator[tuple[Tensor, str]]:
    """(prompt, true text) of what a model that draws or describes would write: of stage 1 the answer, of stage 2 the
    caption of each assistant's picture, right after its <start>.
    """
    tokenizer = Model(run).tokenizer
    for sample in samples:
        example = sample.example
        ids = torch.tensor(example.ids, device=run.device)
        own = example.blocks.count(0)
        features = loop.picture_features(run, [sample])
        if run.config.stage == 1:
            cut = next(place for place, label in enumerate(example.labels) if label >= 0)
            yield (
                _embedded(run, ids[:cut], features),
                tokenizer.decode([n for n in example.labels[cut:own] if n >= 0]),
            )
            continue
        for block, place in enumerate(example.cuts, 1):
            told = [token for token, at in zip(example.ids, example.blocks, strict=True) if at == block]
            before = int((ids[:place] == run.image_id).sum()) // run.model.shape.num_query_tokens
            shown = features[:before] if features is not None and before else None
            start = torch.cat([ids[:place], torch.tensor(told[:1], device=run.device)])
            yield _embedded(run, start, shown), tokenizer.decode(told[1:-1])


def _embedded(run: loop.Run, ids: Tensor, features: Tensor | None) -> Tensor:
    rows = run.model.embed_tokens(ids[None])
    if features is None:
        return rows
    places = (ids[None] == run.image_id).unsqueeze(-1)
    return rows.masked_scatter(places, run.model.embed_features(features).flatten(0, 1).to(rows.dtype))


def match_captions(run: loop.Run, limit: int, table: Path) -> dict[str, Any] | None:
    """Captions that the model writes for held-back rows against the true ones; None where there are none."""
    asked = list(islice(caption_prompts(run, run.source.validation()), limit))
    if not asked:
        return None
    end = Model(run).tokenizer.eos_token
    clean = lambda text: " ".join(text.replace(END, " ").replace(end, " ").replace(IMAGE, " ").split())
    said = [clean(text) for text in Model(run).answers([prompt for prompt, _ in asked], CAPTION_TOKENS)]
    wanted = [clean(text) for _, text in asked]
    lines = ["\t".join(pair) for pair in zip(wanted, said, strict=True)]
    table.write_text("\n".join(["caption\tprediction", *lines]) + "\n", encoding="utf-8")
    scores = [rouge_l(*pair) for pair in zip(said, wanted, strict=True)]
    same = sum(left.lower() == right.lower() for left, right in zip(said, wanted, strict=True))
    return {
        "captions": len(said),
        "exact": round(100 * same / len(said), 2),
        "rougeL": round(sum(scores) / len(said), 4),
    }


@torch.no_grad()
def evaluate(given: argparse.Namespace) -> dict[str, Any]:
    """Build the run's model as its checkpoint left it, and ask it; gives the event's fields."""
    config = read_config(given.config)
    if config.threads:
        torch.set_num_threads(config.threads)
    folder = newest_or(config, given.checkpoint)
    trained, _, state = load_checkpoint(folder)
    stage = stage2 if stage_of(given.config) == 2 else stage1
    precision = state.get("precision", config.precision)
    run = stage.build(
        replace(config, precision=precision, sharding="none", offload=False), parallel.prepare()
    )
    lay_over(run, trained, folder)
    out = config.output / "evaluations" / f"step-{state['step']:08d}"
    out.parent.mkdir(parents=True, exist_ok=True)
    limit = given.limit
    report: dict[str, Any] = {"step": state["step"], "stage": config.stage, "limit": limit}
    with replace_folder(out) as part, run.autocast():
        loss = loop.validate(run)
        report["validationLoss"] = None if loss is None else loop.number(loss, 5)
        report["captions"] = match_captions(run, limit or CAPTIONS, part / "captions.tsv")
        ask = Model(run).ask
        report["mme"] = run_mme(given.mme, ask, part / "mme.tsv", limit) if given.mme else None
        report["mmbench"] = (
            run_mmbench(given.mmbench, ask, part / "mmbench.tsv", limit) if given.mmbench else None
        )
        write_json(part / "report.json", report)
    return {"folder": str(out), "report": report}


def main(argv: list[str] | None = None) -> int:
    """Command line: exit codes as a run's."""
    parser = argparse.ArgumentParser(description="Evaluate a run's model")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument("--checkpoint", type=Path, help="its folder; the newest whole one if absent")
    parser.add_argument("--limit", type=int, help="at most so many captions and questions")
    parser.add_argument("--mme", type=Path, help="MME's folder")
    parser.add_argument("--mmbench", type=Path, help="MMBench's TSV")
    given = parser.parse_args(argv)
    return loop.tell_failure(lambda: emit("evaluated", **evaluate(given)))


if __name__ == "__main__":
    claim_stdout()
    sys.exit(main())
