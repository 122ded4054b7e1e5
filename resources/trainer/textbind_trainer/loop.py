"""The training loop that both stages share: exact, resumable, silent but for its events."""

from __future__ import annotations

import argparse
import errno
import math
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import parallel, protocol
from .batch import Example, pack
from .config import RunConfig, read_config
from .data import Sample, Source
from .events import listen_no_more, tell
from .faults import QuestionError, TrainerError
from .files import tidy_leftovers
from .four_bits import small_optimizer
from .loader import Loader
from .machine import hold_folder, let_go, most_memory
from .model import TextBindModel
from .precision import Precision
from .reports import report
from .samples import Samples, prepare
from .skips import Skips

STOP_FILE = "stop"
NOTHING = Example([0, 0], [-100, -100], [0, 1], [0, 0])
"""What a process computes on while others still have rows of the step: shards are gathered by all or by none."""


def schedule(step: int, warmup: int, total: int) -> float:
    """Factor of the peak learning rate at a step (from 0): linear warm-up, then half a cosine to 0."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


@dataclass
class Run:
    """A run under way: what is trained, by which optimizer, how far it is."""

    config: RunConfig
    model: TextBindModel
    source: Source
    parameters: dict[str, nn.Parameter]
    optimizer: torch.optim.Optimizer
    image_id: int
    pad_id: int
    device: torch.device
    total: int
    step: int = 0
    position: int = 0
    """Samples that the steps so far have taken."""
    precision: Precision = "fp32"
    skips: Skips = field(default_factory=Skips)
    stopping: bool = False
    loader: Loader | None = None
    samples: Samples = field(default_factory=Samples)

    def autocast(self) -> torch.autocast:
        """bf16 where the run computes in it. With shards no cast weight is kept: those of all layers would come together."""
        sharded = parallel.is_sharded(self.model)
        wanted = self.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted, cache_enabled=not sharded)


def make_optimizer(groups: dict[str, list[nn.Parameter]], config: RunConfig) -> torch.optim.Optimizer:
    """Adam as the paper has it, weight decay apart from the gradient; a group's peak rate is the run's unless learningRates sets it apart."""
    held: list[dict[str, Any]] = [
        {"params": parameters, "peak": config.learning_rates.get(name, config.learning_rate)}
        for name, parameters in groups.items()
        if parameters
    ]
    settings: dict[str, Any] = {
        "lr": config.learning_rate, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": config.weight_decay
    }  # fmt: skip
    if config.optimizer != "adam":
        return small_optimizer(config.optimizer, held, **settings)
    return torch.optim.AdamW(held, **settings)


def micro_batches(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Groups of ``size`` of like length, so that little is spent on padding."""
    ordered = sorted(samples, key=lambda sample: len(sample.example.ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def picture_features(run: Run, samples: Sequence[Sample]) -> Tensor | None:
    """The frozen encoder's output for the pictures of a micro-batch, from pixels or as kept on disk."""
    pictures = [picture for sample in samples for picture in sample.pixels]
    if pictures and pictures[0].dim() == 2:
        return torch.stack(pictures).to(run.device)
    if pictures:
        return run.model.image_features(torch.stack(pictures).to(run.device))
    return run.model.no_picture(run.device) if parallel.is_sharded(run.model) else None


def loss_sum(run: Run, samples: Sequence[Sample]) -> Tensor:
    """Summed cross entropy over the scored tokens of a micro-batch (of none: a zero that hangs on every parameter)."""
    examples = [sample.example for sample in samples] or [NOTHING]
    batch = pack(examples, run.image_id, run.pad_id).to(run.device)
    with run.autocast():
        return run.model(batch, picture_features(run, samples))


def next_samples(run: Run) -> list[Sample]:
    """This process's share of the next global batch, without the rows that cannot be used."""
    if run.loader is None:
        run.loader = Loader(run.source, run.skips)
    rank, processes = parallel.world()

    def share(first: int) -> range:
        return range(first + rank, first + run.config.batch_size, processes)

    more = run.step + 1 < run.total
    return run.loader.take(share(run.position), share(run.position + run.config.batch_size) if more else None)


def add_gradients(run: Run, samples: Sequence[Sample], scored: float) -> Tensor:
    """Gradients of the mean loss over ``scored`` tokens of all processes; returns the summed loss of this one."""
    sharded = parallel.is_sharded(run.model)
    # FSDP averages gradients over the processes, and gloo knows no other way; they are sums here.
    processes = parallel.world()[1] if sharded else 1
    groups = micro_batches(samples, run.config.micro_batch_size)
    if sharded:
        groups += [[]] * (parallel.largest(len(groups), run.device) - len(groups))
    total = torch.zeros(1, device=run.device, dtype=torch.float64)
    for number, group in enumerate(groups, 1):
        parallel.exchange_gradients(run.model, number == len(groups))
        loss = loss_sum(run, group)
        (loss * processes / scored).backward()
        total += loss.detach()
    if not sharded:
        parallel.sum_gradients(run.parameters.values())
    return parallel.sum_over_processes(total)


def train_step(run: Run) -> tuple[float, int, float, int]:
    """One optimizer step on the next global batch: (mean loss, scored tokens, gradient norm, all tokens)."""
    samples = next_samples(run)
    scored = torch.tensor(
        [sum(sample.example.scored for sample in samples)], device=run.device, dtype=torch.float64
    )
    parallel.sum_over_processes(scored)
    if scored.item() == 0:
        raise TrainerError("data", f"step {run.step}: none of its {run.config.batch_size} rows is usable")
    factor = schedule(run.step, run.config.warmup_steps, run.total)
    for group in run.optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    run.optimizer.zero_grad(set_to_none=True)
    total = add_gradients(run, samples, scored.item())
    norm = parallel.whole(nn.utils.clip_grad_norm_(run.parameters.values(), run.config.clip))
    if not torch.isfinite(norm):
        raise TrainerError(
            "diverged", f"step {run.step}: the gradient is not finite (loss {total.item():.4g})"
        )
    run.optimizer.step()
    run.step += 1
    run.position += run.config.batch_size
    tokens = sum(len(sample.example.ids) for sample in samples) * parallel.world()[1]
    return total.item() / scored.item(), int(scored.item()), float(norm), tokens


@torch.no_grad()
def validate(run: Run) -> float | None:
    """Mean loss per scored token over the held-back samples; None if the run has none."""
    total, scored = 0.0, 0
    for group in micro_batches(list(run.source.validation()), run.config.micro_batch_size):
        total += loss_sum(run, group).item()
        scored += sum(sample.example.scored for sample in group)
    parallel.settle(run.model)
    return total / scored if scored else None


def _look_at_it(run: Run) -> None:
    """How well it does on what it has not learnt from, and what it says."""
    loss = validate(run)
    if loss is not None:
        perplexity = round(math.exp(min(loss, 20)), 3) if math.isfinite(loss) else None
        tell(protocol.Validation(step=run.step, loss=number(loss, 5), perplexity=perplexity))
    run.samples.tell_replies(run)


def number(value: float, digits: int) -> float | None:
    """Rounded; None for what JSON cannot say."""
    return round(value, digits) if math.isfinite(value) else None


@dataclass
class Pace:
    """Speed and mean loss since the last ``step`` event."""

    first_step: int
    began: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)
    tokens: int = 0
    losses: list[float] = field(default_factory=list)

    def add(self, loss: float, tokens: int) -> None:
        """Note a step."""
        self.losses.append(loss)
        self.tokens += tokens

    def tell(self, run: Run, norm: float) -> None:
        """The ``step`` event; the next one begins anew."""
        now = time.monotonic()
        seconds = (now - self.began) / (run.step - self.first_step)
        tell(
            protocol.Step(
                step=run.step, steps=run.total, loss=number(sum(self.losses) / len(self.losses), 5),
                lr=run.optimizer.param_groups[0]["lr"], gradient_norm=number(norm, 4),
                tokens_per_second=round(self.tokens / max(now - self.since, 1e-9), 1),
                eta_seconds=round(seconds * (run.total - run.step), 1), skipped=run.skips.count,
                memory_bytes=most_memory(run.device),
            )
        )  # fmt: skip
        self.since, self.tokens, self.losses = now, 0, []


def _tell_started(run: Run, resumed: bool) -> None:
    tell(
        protocol.Started(
            stage=run.config.stage, step=run.step, steps=run.total, resumed=resumed,
            trained_parameters=sum(parameter.numel() for parameter in run.parameters.values()),
            device=str(run.device), processes=parallel.world()[1], precision=run.precision,
            samples_per_epoch=run.source.samples_per_epoch,
        )
    )  # fmt: skip


def _steps(run: Run) -> None:
    """Train until the last step or the wish to stop; checkpoints and checks on the way, and one at the end."""
    from .resume import save

    config, pace, saved = run.config, Pace(run.step), run.step
    while run.step < run.total and not _any_stopping(run):
        loss, _, norm, seen = train_step(run)
        pace.add(loss, seen)
        if run.step % config.log_every == 0 or run.step == run.total:
            pace.tell(run, norm)
        if run.step % config.validate_every == 0 and run.step < run.total:
            _look_at_it(run)
        if run.step % config.checkpoint_every == 0:
            save(run)
            saved = run.step
    if saved != run.step:
        save(run)


def train(run: Run, export: Callable[[Run, Path], None], accept_changes: bool = False) -> None:
    """Run to the end, or to a SIGTERM, a SIGINT or the stop file, which save and leave with a ``stopped`` event."""
    from .resume import resume

    def stop(_signal: int, _frame: object) -> None:
        run.stopping = True

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, stop)
    began = time.monotonic()
    if parallel.world()[0] == 0:
        tidy_leftovers(run.config.output)
        tidy_leftovers(run.config.output / "checkpoints")
    parallel.barrier()
    resumed = resume(run, accept_changes)
    run.samples = prepare(run)
    sinks = report(run.config, run.step) if parallel.world()[0] == 0 else []
    _tell_started(run, resumed)
    run.samples.tell_prompts()
    try:
        _train_and_export(run, export, began)
    finally:
        listen_no_more()
        for sink in sinks:
            sink.close()
        if run.loader is not None:
            run.loader.close()


def _train_and_export(run: Run, export: Callable[[Run, Path], None], began: float) -> None:
    if run.step == 0:
        _look_at_it(run)
    _steps(run)
    if run.step < run.total:
        if parallel.world()[0] == 0:
            stop_file(run.config).unlink(missing_ok=True)
        tell(protocol.Stopped(step=run.step, steps=run.total))
        return
    _look_at_it(run)
    target = run.config.output / "model"
    export(run, target)
    parallel.barrier()
    seconds = round(time.monotonic() - began, 1)
    tell(protocol.Finished(step=run.step, model=str(target), seconds=seconds, skipped=run.skips.count))


def stop_file(config: RunConfig) -> Path:
    """Where a launcher asks a run to save and leave: a file, since not every system has signals that can be caught."""
    return config.output / STOP_FILE


def _any_stopping(run: Run) -> bool:
    """All processes must leave after the same step, whichever of them was told to."""
    if parallel.world()[0] == 0 and stop_file(run.config).exists():
        run.stopping = True
    flag = torch.tensor([float(run.stopping)], device=run.device)
    return bool(parallel.sum_over_processes(flag).item() > 0)


def tell_failure(work: Callable[[], None]) -> int:
    """Do it; what is raised becomes an ``error`` or ``question`` event and an exit code."""
    try:
        work()
        return 0
    except QuestionError as question:
        tell(question.event)
        return 3
    except TrainerError as error:
        tell(protocol.Failed(kind=error.kind, message=str(error)))
        return 2 if error.kind in ("config", "data") else 1
    except (torch.cuda.OutOfMemoryError, MemoryError) as error:
        place = "the GPU's memory" if isinstance(error, torch.cuda.OutOfMemoryError) else "the memory"
        tell(protocol.Failed(kind="memory", message=f"{place} is full: {error}"))
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the launcher must learn of it
        traceback.print_exc(file=sys.stderr)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = f"the disk is full: {error}" if full else f"{type(error).__name__}: {error}"
        tell(protocol.Failed(kind="disk" if full else "internal", message=message))
        return 1
    finally:
        let_go()
        parallel.finish()


def run_stage(
    stage: int | None, build: Callable[[RunConfig, torch.device], Run], export: Callable[[Run, Path], None],
    config: Path, accept_changes: bool,
) -> int:  # fmt: skip
    """Read, build, train; gives the exit code."""

    def work() -> None:
        settings = read_config(config, stage)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        device = parallel.prepare()
        if parallel.world()[0] == 0:
            hold_folder(settings.output)
            stop_file(settings).unlink(missing_ok=True)
        train(build(settings, device), export, accept_changes)

    return tell_failure(work)


def command(
    stage: int,
    build: Callable[[RunConfig, torch.device], Run],
    export: Callable[[Run, Path], None],
    argv: Sequence[str] | None,
) -> int:
    """The command line of a stage: 0 done or stopped, 1 failed, 2 bad input, 3 a question; why is an event."""
    parser = argparse.ArgumentParser(description=f"Stage {stage} of the TextBind training")
    parser.add_argument("--config", type=Path, required=True, help="RUN.json")
    parser.add_argument(
        "--accept-changes", action="store_true", help="go on from a checkpoint that other settings made"
    )
    arguments = parser.parse_args(argv)
    return run_stage(stage, build, export, arguments.config, arguments.accept_changes)
