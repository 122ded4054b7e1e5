"""One command from registry packages to the mini model's folder: ``python -m recipes.mini.build``.

Every step is a program of its own that resumes by itself. A step is skipped when its manifest (written
after it ended well) fits its command and the steps before it; a change runs it and what depends on it again.
``--scale 3`` trains everything three times as long; ``--only`` and ``--list`` look at single steps. ``--from-published FOLDER``
goes on from weights that ship, where the caches of what made them are gone: stage 0 and the lessons alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textbind_trainer.events import emit
from textbind_trainer.files import write_json

from .shape import SHAPE
from .ship import LOW_LAYERS

# About what the first published weights had, on two busy cores in two hours (DESIGN.md says exactly what).
# Minutes are those of one free core; steps are optimizer steps.
VISION_MINUTES, EYES_MINUTES, TEXT_MINUTES, VAE_MINUTES, UNET_MINUTES, JUDGE_MINUTES = (
    15.0,
    30.0,
    50.0,
    45.0,
    170.0,
    10.0,
)
STAGE0_MINUTES = 50.0
REHEARSAL_STEPS, STAGE1_STEPS, STAGE2_STEPS, LESSONS_STEPS = 200, 40, 300, 530
STAGE0 = Path(__file__).parent / "weights" / "stage0.safetensors"
"""A stage 0 that is ahead of what ships, and the eyes' position embedding that it has learned with (DESIGN.md, 2026-11-30)."""
TRAINED_FROM = 18
"""The first layer of the language model that is trained; those below stay the base's."""
SHARE = 0.85
"""How much of what the language model has learned stays (interpolate.py): DESIGN.md has what 0.7 to 1 measured."""


@dataclass(frozen=True)
class Step:
    """A program with its arguments, an optional run file, and the steps whose results it reads."""

    name: str
    module: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    run_file: dict[str, Any] | None = None
    clears: str | None = None
    """Folder of an older training that a changed step must not resume from."""

    def fingerprint(self, done: dict[str, str]) -> str:
        """Changes with the command, the run file and every step before."""
        parts = [self.module, self.arguments, self.run_file, [done[name] for name in self.needs]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _stage(
    stage: int, language: str, data: dict[str, Any], output: str, steps: int, **fields: Any
) -> dict[str, Any]:
    """A RUN.json whose paths are relative to OUT/runs."""
    model = {"visionModel": "../hf/vision", "processor": "../hf/vision", "languageModel": f"../{language}"}
    qformer = fields.pop("qformer", None)
    if qformer:
        model["qformer"] = f"../{qformer}"
    return {
        "stage": stage, "model": model | {"qformerConfig": SHAPE.to_json()}, "data": data, "output": f"../{output}",
        "steps": steps, "maxLength": 384, "weightDecay": 0.0, "checkpointEvery": 50, "validateEvery": 100,
        "logEvery": 5, "keepCheckpoints": 1, "seed": 1,
    } | fields  # fmt: skip


def _conversations(folder: str) -> dict[str, Any]:
    """Stage 2's data in OUT/folder."""
    files = {"conversations": "training.json", "validation": "validation.json", "images": "images"}
    return {name: f"../{folder}/{file}" for name, file in files.items()} | {"validationSamples": 32}


def lessons_run(
    count: Callable[[int], int],
    threads: int,
    language: str = "stage2/model/language",
    qformer: str = "stage2/model/qformer.safetensors",
) -> dict[str, Any]:
    """Stage 2's second part."""
    return _stage(
        2, language, _conversations("lessons"), "stage2-lessons", count(LESSONS_STEPS), batchSize=16, microBatchSize=8,
        learningRate=2.5e-4, learningRates={"qformer": 0, "tokens": 3e-4}, warmupSteps=5, trainLayersFrom=TRAINED_FROM,
        qformer=qformer, threads=threads, seed=11, maxLength=256,
    )  # fmt: skip


def run_files(count: Callable[[int], int], threads: int) -> dict[str, dict[str, Any]]:
    """Of the rehearsal, of both stages, and of stage 2's lessons; `count` scales their steps."""
    conversations = _conversations("conversations")
    captions = {
        "tars": "../cc/{00000..00002}.tar",
        "validationTars": "../cc/validation-00000.tar",
        "validationSamples": 48,
    }
    rehearsal = _stage(
        2, "language-base", conversations, "rehearsal", count(REHEARSAL_STEPS), batchSize=4, microBatchSize=2,
        learningRate=1.5e-4, learningRates={"tokens": 1e-3}, warmupSteps=12, trainLayersFrom=TRAINED_FROM, threads=threads,
    )  # fmt: skip
    stage1 = _stage(
        1, "rehearsal/model/language", captions, "stage1", count(STAGE1_STEPS), batchSize=16, microBatchSize=8,
        learningRate=3e-4, warmupSteps=5, qformer="stage0/model/qformer.safetensors", threads=threads,
    )  # fmt: skip
    stage2 = _stage(
        2, "rehearsal/model/language", conversations, "stage2", count(STAGE2_STEPS), batchSize=8, microBatchSize=2,
        learningRate=2.5e-4, learningRates={"qformer": 0, "tokens": 5e-4}, warmupSteps=5, trainLayersFrom=TRAINED_FROM,
        qformer="stage1/model/qformer.safetensors", threads=threads, seed=2,
    )  # fmt: skip
    return {
        "rehearsal": rehearsal,
        "stage1": stage1,
        "stage2": stage2,
        "stage2-lessons": lessons_run(count, threads),
    }


def _given(
    out: Path, scale: float, threads: int
) -> tuple[tuple[str, ...], tuple[str, ...], Callable[[float], tuple[str, ...]]]:
    """Arguments that many steps have: the pictures, the strangers, and how long a part is trained."""
    parts = lambda minutes: (
        "--out",
        str(out),
        "--minutes",
        str(minutes * scale),
        "--threads",
        str(threads),
        "--resume",
    )
    pictures = ("--pictures", str(out / "raw"))
    strangers = ("--photos", str(out / "photographs"), "--screens", str(out / "screenshots"))
    return pictures, strangers, parts


def _words(out: Path) -> list[Step]:
    """The base, what it says by itself, and the photographs."""
    language = ("--language", str(out / "language-base"))
    package = "recipes.mini"
    return [
        Step("photographs", f"{package}.photographs", ("--cache", str(out / "downloads"), "--out", str(out))),
        Step("language", f"{package}.language", ("--out", language[1], "--cache", str(out / "downloads"))),
        Step("small-talk", f"{package}.small_talk", (*language, "--every", "2", "--out", str(out / "small-talk.json")), ("language",)),
        Step("going-on", f"{package}.going_on", (*language, "--out", str(out / "going-on.json")), ("language",)),
    ]  # fmt: skip


def _stage0(out: Path, scale: float, threads: int, needs: tuple[str, ...], *more: str) -> Step:
    _, strangers, _ = _given(out, scale, threads)
    return Step(
        "stage0", "recipes.mini.stage0",
        ("--vision", str(out / "hf" / "vision"), "--language", str(out / "language-base"), "--raw", str(out / "raw"), *strangers,
         "--out", str(out / "stage0"), "--minutes", str(STAGE0_MINUTES * scale), "--threads", str(threads), "--resume", *more),
        needs, clears="stage0",
    )  # fmt: skip


def _lessons(out: Path, scale: float, threads: int) -> Step:
    pictures, strangers, _ = _given(out, scale, threads)
    talk = ("--talk", str(out / "small-talk.json"), str(out / "going-on.json"))
    arguments = (*pictures, *strangers, *talk, "--out", str(out / "lessons"), "--lessons", "--count", "7000")
    return Step("lessons", "recipes.mini.conversations", arguments, ("small-talk", "going-on", "photographs"))


def _ending(out: Path, qformer: str, parts: tuple[str, ...], scale: float, threads: int) -> list[Step]:
    """From the lessons' result to the folder that ships, and its table."""
    package = "recipes.mini"
    pictures, _, _ = _given(out, scale, threads)
    language = str(out / "language-base")
    return [
        Step(
            "interpolate", f"{package}.interpolate",
            ("--base", language, "--tuned", str(out / "stage2-lessons/model/language"), "--share", str(SHARE), "--first", str(TRAINED_FROM),
             "--out", str(out / "language")),
            ("stage2-lessons",),
        ),
        Step(
            "compensate", f"{package}.compensate",
            ("--language", str(out / "language"), "--talk", str(out / "small-talk.json"), "--layers", str(LOW_LAYERS), "--out", str(out / "language-shipped")),
            ("interpolate", "small-talk"),
        ),
        Step(
            "publish", f"{package}.publish",
            ("--qformer", str(out / qformer), "--language", str(out / "language-shipped"), "--out", str(out / "hf")),
            ("compensate", *parts),
        ),
        Step("ship", f"{package}.ship", ("--model", str(out / "hf"), "--out", str(out / "shipped")), ("publish",)),
        Step(
            "evaluate", f"{package}.evaluate",
            ("--model", str(out / "shipped"), *pictures, "--photos", str(out / "photographs-held-out"), "--base", language,
             "--out", str(out / "evaluation.json")),
            ("ship",),
        ),
    ]  # fmt: skip


def steps(out: Path, scale: float, threads: int) -> list[Step]:
    """The whole recipe, in order."""
    count = lambda base: max(1, round(base * scale))
    pictures, strangers, parts = _given(out, scale, threads)
    runs = run_files(count, threads)
    package = "recipes.mini"
    vision = ("--vision", str(out / "hf" / "vision"))
    run = lambda name: ("--config", str(out / "runs" / f"{name}.json"))
    return [
        *_words(out),
        Step("vision", f"{package}.vision", parts(VISION_MINUTES)),
        Step(
            "eyes", f"{package}.eyes", (*parts(EYES_MINUTES), *strangers, "--begin", vision[1]), ("vision", "photographs"),
        ),
        Step("places", f"{package}.places", (*vision, "--raw", str(out / "raw"), "--out", vision[1]), ("eyes",)),
        Step("describe", f"{package}.describe", parts(TEXT_MINUTES)),
        Step("unet", f"{package}.unet", parts(UNET_MINUTES)),
        Step("vae", f"{package}.vae", parts(VAE_MINUTES)),
        Step("parts", f"{package}.publish_parts", ("--out", str(out), "--final"), ("describe", "unet", "vae")),
        Step("clip-head", f"{package}.clip_head", ("--out", str(out)), ("places", "describe")),
        Step("judge", f"{package}.judge", parts(JUDGE_MINUTES)),
        Step("conversations", f"{package}.conversations", (*pictures, *strangers, "--talk", str(out / "small-talk.json"), "--out", str(out / "conversations")), ("small-talk", "photographs")),
        _lessons(out, scale, threads),
        Step("caption-tars", f"{package}.caption_tars", (*pictures, *strangers, "--out", str(out / "cc"), "--tars", "3"), ("photographs",)),
        _stage0(out, scale, threads, ("places", "language")),
        Step("rehearsal", f"{package}.rehearsal", run("rehearsal"), ("conversations",), runs["rehearsal"], "rehearsal"),
        Step("stage1", "textbind_trainer.stage1", run("stage1"), ("stage0", "rehearsal", "caption-tars"), runs["stage1"], "stage1"),
        Step("stage2", "textbind_trainer.stage2", run("stage2"), ("stage1",), runs["stage2"], "stage2"),
        Step("stage2-lessons", "textbind_trainer.stage2", run("stage2-lessons"), ("stage2", "lessons"), runs["stage2-lessons"], "stage2-lessons"),
        *_ending(out, "stage2/model/qformer.safetensors", ("parts", "clip-head"), scale, threads),
    ]  # fmt: skip


def steps_from_published(model: Path, out: Path, scale: float, threads: int) -> list[Step]:
    """On from weights that ship: the eyes, the hand and the language model's lower layers stay as they are."""
    package, vision, qformer = "recipes.mini", str(out / "hf" / "vision"), "stage0/model/qformer.safetensors"
    run = lessons_run(lambda base: max(1, round(base * scale)), threads, "published/language", qformer)
    return [
        *_words(out),
        Step("unship", f"{package}.unship", ("--model", str(model), "--out", str(out))),
        Step(
            "places", f"{package}.places",
            ("--vision", str(out / "published" / "vision"), "--raw", str(out / "raw"), "--begin-with", str(STAGE0), "--out", vision), ("unship",),
        ),
        Step("clip-head", f"{package}.clip_head", ("--out", str(out), "--text", str(out / "hf" / "image-decoder")), ("places",)),
        _lessons(out, scale, threads),
        _stage0(out, scale, threads, ("places", "language"), "--begin-with", str(STAGE0)),
        Step(
            "stage2-lessons", "textbind_trainer.stage2", ("--config", str(out / "runs" / "stage2-lessons.json")),
            ("stage0", "lessons", "unship"), run, "stage2-lessons",
        ),
        *_ending(out, qformer, ("clip-head",), scale, threads),
    ]  # fmt: skip


def run_step(step: Step, out: Path, done: dict[str, str]) -> None:
    """Run one step unless its manifest fits; raises CalledProcessError if it fails."""
    mark = step.fingerprint(done)
    manifest = out / "build" / f"{step.name}.json"
    before = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    done[step.name] = mark
    if before.get("fingerprint") == mark:
        emit("skipped", step=step.name)
        return
    begun = out / "build" / f"{step.name}.begun"
    if step.clears and (not begun.exists() or begun.read_text(encoding="utf-8") != mark):
        shutil.rmtree(out / step.clears / "checkpoints", ignore_errors=True)
    begun.write_text(mark, encoding="utf-8")
    if step.run_file is not None:
        write_json(out / "runs" / f"{step.name}.json", step.run_file)
    emit("started", step=step.name)
    began = time.time()
    subprocess.run([sys.executable, "-m", step.module, *step.arguments], check=True, env=os.environ)
    write_json(manifest, {"fingerprint": mark, "seconds": round(time.time() - began, 1)})
    emit("finished", step=step.name, seconds=round(time.time() - began, 1))


def main(argv: list[str] | None = None) -> int:
    """Command: run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".cache/mini"))
    parser.add_argument(
        "--scale", type=float, default=1.0, help="training length, as a multiple of the default"
    )
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1)))
    parser.add_argument("--only", help="this step alone, whatever its manifest says")
    parser.add_argument("--list", action="store_true", help="print the steps and leave")
    parser.add_argument("--from-published", type=Path, metavar="FOLDER", help="go on from weights that ship")
    arguments = parser.parse_args(argv)
    out, model = arguments.out.resolve(), arguments.from_published
    plan = (
        steps_from_published(model.resolve(), out, arguments.scale, arguments.threads)
        if model
        else steps(out, arguments.scale, arguments.threads)
    )
    if arguments.list:
        for step in plan:
            emit("step", name=step.name, needs=step.needs, module=step.module)
        return 0
    for folder in ("build", "runs"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    done: dict[str, str] = {}
    for step in plan:
        if arguments.only and step.name != arguments.only:
            done[step.name] = step.fingerprint(done)
            continue
        if arguments.only:
            (out / "build" / f"{step.name}.json").unlink(missing_ok=True)
        try:
            run_step(step, out, done)
        except subprocess.CalledProcessError as error:
            emit("error", kind="step", message=f"{step.name} ended with exit code {error.returncode}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
