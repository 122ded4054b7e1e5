"""A stand-in at the trainer's protocol, without PyTorch: it counts steps, saves, stops, goes on, asks, fails.

What it plays stands in the run file's ``data.play``: ``endless``, ``short``, ``ask``, ``diverge``, ``memory``, ``die``, ``mute``.
"""

import json
import os
import sys
import time
from pathlib import Path

LOSS = 4.0


def tell(event, **fields):
    print(json.dumps({"event": event, "time": time.time(), **fields}), flush=True)


def save(output, step):
    folder = output / "checkpoints" / f"step-{step:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trained.safetensors").write_text("x" * 10)
    (folder / "manifest.json").write_text("{}")
    tell("checkpoint", step=step, path=str(folder))


def main():
    config = Path(sys.argv[sys.argv.index("--config") + 1])
    accept = "--accept-changes" in sys.argv
    run = json.loads(config.read_text())
    output, play = config.parent, run["data"]["play"]
    if play == "mute":
        sys.stderr.write("Traceback (most recent call last):\nModuleNotFoundError: No module named 'torch'\n")
        return 1
    saved = sorted((output / "checkpoints").glob("step-*"))
    step = int(saved[-1].name[5:]) if saved else 0
    if play == "ask" and not accept:
        change = {"field": "learningRate", "was": "1", "now": "2"}
        tell("question", code="settings-changed", message="other settings", changes=[change])
        return 3
    steps = 4 if play == "short" else 1_000_000
    tell("started", stage=1, step=step, steps=steps, resumed=bool(saved), trainedParameters=1, device="cpu",
         processes=1, precision="fp32", samplesPerEpoch=1)  # fmt: skip
    while step < steps:
        step += 1
        tell("step", step=step, steps=steps, loss=LOSS / step, lr=0.1, gradientNorm=1.0, tokensPerSecond=10.0,
             etaSeconds=1.0, skipped=0, memoryBytes=1000)  # fmt: skip
        if step == 2 and play == "diverge" and run.get("learningRate", 1) > 1e-4:
            tell("error", kind="diverged", message="the gradient is not finite")
            return 1
        if step == 2 and play == "die":
            os.kill(os.getpid(), 9)
        if step % 2 == 0:
            save(output, step)
        if (output / "stop").exists():
            save(output, step)
            (output / "stop").unlink()
            tell("stopped", step=step, steps=steps)
            return 0
        time.sleep(0.02)
    tell("validation", step=step, loss=1.5, perplexity=4.5)
    tell("finished", step=step, model=str(output / "model"), seconds=1.0, skipped=0)
    return 0


sys.exit(main())
