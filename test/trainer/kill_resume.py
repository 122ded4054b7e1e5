"""A run killed by SIGKILL at a random step, again and again, ends at the bits of one that nobody touched.

Run: ``python test/trainer/kill_resume.py --times 20 [--seed N]`` from the repository's root (or through
``resources/trainer``'s tests, which do it twenty times). Each time a run is killed at a random moment after a random step,
sometimes in the middle of a save, started again, killed perhaps once more, and left to finish.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "resources" / "trainer"), str(Path(__file__).parent)]
STEPS = 8
KILLS = 3


def started(config: Path, stage: int) -> tuple[int, Iterator[str]]:
    """A process of its own that trains; its number and its lines. Forked: importing PyTorch takes most of a short run."""
    from textbind_trainer import stage1, stage2

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        code = 70
        try:
            code = (stage2 if stage == 2 else stage1).main(["--config", str(config)])
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(write)
    return child, iter(os.fdopen(read, encoding="utf-8"))


def finish(config: Path, stage: int, random_: random.Random | None, kills: int) -> tuple[int, int]:
    """Train to the end, killing on the way; (kills done, starts that went on from a checkpoint)."""
    done = resumed = 0
    while True:
        child, lines = started(config, stage)
        goal = random_.randrange(1, STEPS + 1) if random_ and done < kills else None
        for line in lines:
            event = json.loads(line)
            resumed += bool(event.get("resumed"))
            if goal is not None and event["event"] == "step" and event["step"] >= goal:
                time.sleep(random_.random() * 0.05 if random_ else 0)
                os.kill(child, signal.SIGKILL)
                done += 1
                break
        for _ in lines:
            pass
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, f"the run ended with {os.WEXITSTATUS(status)}"
            return done, resumed


def same_bits(left: Path, right: Path) -> bool:
    """Whether two runs left the same model and the same optimizer."""
    import torch
    from safetensors.torch import load_file

    names = sorted(path.relative_to(left) for path in left.rglob("*.safetensors"))
    assert names
    for name in names:
        first, second = load_file(left / name), load_file(right / name)
        if first.keys() != second.keys() or any(not torch.equal(first[key], second[key]) for key in first):
            return False
    states = [
        torch.load(next((home / "checkpoints").glob(f"step-*{STEPS}")) / "optimizer.pt")
        for home in (left, right)
    ]
    moments = [{(i, n): v for i, e in state["state"].items() for n, v in e.items()} for state in states]
    return all(torch.equal(moments[0][key], moments[1][key]) for key in moments[0])


def run_file(root: Path, parts: Path, stage: int, name: str) -> Path:
    """A short run that saves at every step."""
    from tiny_parts import SHAPE

    parts_of = {"visionModel": "vision", "processor": "vision", "languageModel": "language"}
    data = {
        1: {"tars": str(parts / "cc" / "{00000..00001}.tar")},
        2: {"conversations": str(parts / "train.json"), "images": str(parts / "images")},
    }[stage]
    fields = {
        "stage": stage, "model": {n: str(parts / f) for n, f in parts_of.items()} | {"qformerConfig": SHAPE},
        "data": data, "output": str(root / name), "steps": STEPS, "batchSize": 3, "microBatchSize": 2,
        "learningRate": 0.01, "warmupSteps": 2, "maxLength": 200, "checkpointEvery": 1, "keepCheckpoints": 2,
        "logEvery": 1, "seed": 3, "threads": 1, "precision": "fp32",
    }  # fmt: skip
    path = root / f"{name}.json"
    path.write_text(json.dumps(fields))
    return path


def prove(root: Path, parts: Path, times: int, seed: int, say=lambda _: None) -> tuple[int, int, int]:
    """(equal, times, kills): stages take turns."""
    import torch

    torch.set_num_threads(1)
    equal = killed = 0
    for stage in (1, 2):
        assert finish(run_file(root, parts, stage, f"whole{stage}"), stage, None, 0) == (0, 0)
    for number in range(times):
        stage, random_ = 1 + number % 2, random.Random(f"{seed} {number}")
        path = run_file(root, parts, stage, f"killed{number}")
        kills, resumed = finish(path, stage, random_, random_.randint(1, KILLS))
        good = same_bits(root / f"whole{stage}", root / f"killed{number}")
        equal, killed = equal + good, killed + kills
        say(
            f"{number + 1}: stage {stage}, killed {kills} times, went on {resumed} times, {'equal' if good else 'DIFFERENT'}"
        )
    return equal, times, killed


def main() -> int:
    """Command line: 0 where all are equal."""
    from tiny_parts import make_all

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "parts").mkdir()
        make_all(root / "parts")
        equal, times, killed = prove(root, root / "parts", given.times, given.seed, print)
    print(f"{equal} of {times} equal, {killed} kills")
    return 0 if equal == times else 1


if __name__ == "__main__":
    sys.exit(main())
