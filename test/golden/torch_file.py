"""PyTorch files of several kinds, good and bad, for the reader of state dicts.

Usage: torch_file.py OUT_DIR. Writes *.pt and expected.safetensors (the tensors of good.pt).
"""

import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file


class Malice:
    """Runs a command when it is unpickled by Python."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/textbind-pickle-was-run",)


def rewrite(source: Path, target: Path, change: dict[str, bytes | None], compression: int = zipfile.ZIP_STORED) -> None:
    """Copies an archive; entries whose names end in a key get that content, or are left out for None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for item in old.infolist():
            ending = next((key for key in change if item.filename.endswith(key)), None)
            content = old.read(item.filename) if ending is None else change[ending]
            if content is not None:
                new.writestr(item.filename, content)


def main() -> None:
    """Writes all files."""
    out = Path(sys.argv[1])
    torch.manual_seed(1)
    base = torch.randn(4, 6)
    tensors = {
        "single": torch.randn(3, 5),
        "half": torch.randn(7).half(),
        "brain": torch.randn(2, 3).bfloat16(),
        "double": torch.randn(2, 2, dtype=torch.float64),
        "long": torch.arange(5),
        "byte": torch.arange(9, dtype=torch.uint8),
        "flag": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "view.rows": base[1:3],
        "view.all": base,
        "empty": torch.zeros(0, 4),
    }
    state = OrderedDict(tensors)
    state["parameter"] = torch.nn.Parameter(torch.randn(2, 2))
    state["step"] = 12345678901
    state["note"] = "not a tensor"
    state["history"] = [1, 2.5, None, (True, -3, 70000)]
    torch.save(state, out / "good.pt")
    tensors["parameter"] = state["parameter"].detach()
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, out / "expected.safetensors")

    torch.save({"model": torch.nn.Linear(3, 2).state_dict(), "epoch": 1}, out / "wrapped.pt")
    torch.save({"w": base.t()}, out / "strided.pt")
    torch.save({"w": base}, out / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save([base], out / "list.pt")
    torch.save({"w": base, "x": Malice()}, out / "malice.pt")
    good = out / "good.pt"
    rewrite(good, out / "compressed.pt", {}, zipfile.ZIP_DEFLATED)
    rewrite(good, out / "big-endian.pt", {"byteorder": b"big"})
    rewrite(good, out / "short-storage.pt", {"data/0": b"1234"})
    rewrite(good, out / "no-storage.pt", {"data/0": None})
    rewrite(good, out / "no-pickle.pt", {"data.pkl": None})
    rewrite(good, out / "cut-pickle.pt", {"data.pkl": pickle.dumps({"w": [1, 2, 3]}, protocol=2)[:-4]})
    rewrite(good, out / "new-pickle.pt", {"data.pkl": pickle.dumps({"w": {1, 2}}, protocol=4)})
    (out / "cut.pt").write_bytes(good.read_bytes()[:-100])
    # The 64-bit form, which real checkpoints of over 4 GiB have.
    zipfile.ZIP64_LIMIT = 10
    rewrite(good, out / "wide.pt", {})


if __name__ == "__main__":
    main()
