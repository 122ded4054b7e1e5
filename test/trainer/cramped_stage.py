"""A stage in processes that have no room for all layers' weights at once: replies on the way gather them token by token."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from textbind_trainer import samples, stage1, stage2
from textbind_trainer.events import claim_stdout

if __name__ == "__main__":
    samples.free_bytes = lambda _device: 1
    samples.GATHERED_TOKENS = 3
    claim_stdout()
    stage = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))["stage"]
    sys.exit((stage2 if stage == 2 else stage1).main(sys.argv[1:]))
