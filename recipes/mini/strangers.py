"""Pictures that the embedded model does not know: photographs from registry packages, and screens painted here.

Photographs: crops of those in scikit-image 0.17.2 (BSD; each with its own free licence), scipy 1.5.4 (BSD), scikit-learn
(BSD), imgaug 0.4.0 (MIT), and the Start Bootstrap and Creative Tim themes (MIT). They stay in the cache: no photograph ships.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .pictures import SIZE

WORDS = [
    "File",
    "Edit",
    "View",
    "Help",
    "Settings",
    "Search",
    "Open",
    "Save",
    "New",
    "Close",
    "Mail",
    "Today",
    "Home",
    "Inbox",
    "Account",
    "Name",
    "Price",
    "Total",
    "Sign",
    "in",
    "the",
    "of",
    "and",
    "to",
    "a",
    "is",
    "for",
    "with",
    "on",
    "we",
    "are",
    "your",
    "this",
    "from",
    "message",
    "order",
    "report",
    "week",
    "next",
    "done",
    "yes",
    "no",
    "cancel",
    "apply",
    "learn",
    "more",
    "about",
]


def photographs(folder: Path) -> list[np.ndarray]:
    """Every photograph under a folder, at most 400 pixels on its shorter side, as uint8 [height, width, 3]."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png") or path.stat().st_size < 12_000:
            continue
        image = Image.open(path).convert("RGB")
        if min(image.size) < 100:
            continue
        ratio = 400 / min(image.size)
        if ratio < 1:
            image = image.resize(
                (round(image.width * ratio), round(image.height * ratio)), Image.Resampling.BOX
            )
        found.append(np.asarray(image))
    return found


def photograph(random_: random.Random, pool: list[np.ndarray]) -> np.ndarray:
    """[SIZE, SIZE, 3] uint8: a crop of one, its colours a little changed, sometimes two blended."""
    image = _crop(random_, pool)
    if random_.random() < 0.15:
        weight = random_.uniform(0.3, 0.7)
        image = image * weight + _crop(random_, pool) * (1 - weight)
    if random_.random() < 0.3:
        image = image[..., random_.sample(range(3), 3)]
    if random_.random() < 0.1:
        image = np.broadcast_to(image.mean(-1, keepdims=True), image.shape)
    gain = [random_.uniform(0.75, 1.25) for _ in range(3)]
    return np.clip(image * np.array(gain, np.float32) + random_.uniform(-25, 25), 0, 255).astype(np.uint8)


def _crop(random_: random.Random, pool: list[np.ndarray]) -> np.ndarray:
    source = random_.choice(pool)
    height, width = source.shape[:2]
    side_y = random_.uniform(0.45, 1.0) * height
    side_x = min(width, side_y * random_.uniform(0.8, 1.8))
    top, left = random_.uniform(0, height - side_y), random_.uniform(0, width - side_x)
    part = source[int(top) : int(top + side_y) + 1, int(left) : int(left + side_x) + 1]
    image = Image.fromarray(part).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.float32)
    return pixels[:, ::-1] if random_.random() < 0.5 else pixels


def clouds(random_: random.Random) -> np.ndarray:
    """[SIZE, SIZE, 3] uint8: coloured noise whose power falls with frequency, as in nature."""
    state = np.random.default_rng(random_.getrandbits(32))
    fall = random_.uniform(0.7, 1.8)
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(state.standard_normal((3, SIZE, SIZE))) / frequency**fall
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE)).transpose(1, 2, 0)
    field = (field - field.mean()) / field.std()
    mixed = field @ (np.eye(3) * random_.uniform(0.2, 1) + random_.uniform(0.2, 1))
    mixed = mixed / mixed.std() * random_.uniform(25, 70) + np.array(
        [random_.uniform(60, 190) for _ in range(3)]
    )
    return np.clip(mixed, 0, 255).astype(np.uint8)


def screen(random_: random.Random) -> np.ndarray:
    """[SIZE, SIZE, 3] uint8: something like a window of a program or a page, seen small."""
    scale = 4
    side = SIZE * scale
    dark = random_.random() < 0.35
    paper = tuple(random_.randint(18, 48) if dark else random_.randint(228, 255) for _ in range(3))
    ink = tuple(random_.randint(180, 255) if dark else random_.randint(0, 90) for _ in range(3))
    accent = tuple(random_.randint(30, 230) for _ in range(3))
    image = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    bar = random_.choice((0, random_.randint(16, 60)))
    shade = tuple(min(255, max(0, part + random_.choice((-16, 14)))) for part in paper)
    if bar:
        draw.rectangle((0, 0, side, bar), fill=random_.choice((accent, shade)))
        _text(random_, draw, (10, bar // 3, side - 10, bar), ink, 12)
    left = random_.choice((0, 0, random_.randint(60, 180)))
    if left:
        draw.rectangle((0, bar, left, side), fill=shade)
        _text(random_, draw, (8, bar + 10, left - 6, side), ink, random_.randint(10, 15))
    _content(random_, draw, (left + 12, bar + 12, side - 10, side - 8), ink, accent, shade)
    return np.asarray(
        image.resize(
            (SIZE, SIZE), Image.Resampling.BOX if random_.random() < 0.7 else Image.Resampling.BICUBIC
        )
    )


def _content(
    random_: random.Random,
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    ink: tuple[int, ...],
    accent: tuple[int, ...],
    shade: tuple[int, ...],
) -> None:
    left, top, right, bottom = box
    kind = random_.choice(("text", "cards", "table", "chat", "code", "chart"))
    if kind in ("text", "code"):
        _text(
            random_,
            draw,
            box,
            accent if kind == "code" else ink,
            random_.randint(9, 20),
            ragged=kind == "code",
        )
    elif kind == "cards":
        step = random_.randint(70, 170)
        for y in range(top, bottom - 30, step):
            for x in range(left, right - 30, step):
                draw.rounded_rectangle(
                    (x, y, min(right, x + step - 10), min(bottom, y + step - 10)),
                    6,
                    fill=shade,
                    outline=accent,
                )
                _text(
                    random_,
                    draw,
                    (x + 6, y + 6, min(right, x + step) - 16, min(bottom, y + step) - 16),
                    ink,
                    11,
                )
    elif kind == "table":
        step = random_.randint(18, 34)
        for y in range(top, bottom, step):
            draw.line((left, y, right, y), fill=shade, width=2)
            _text(random_, draw, (left + 4, y + 4, right, min(bottom, y + step)), ink, 12)
    elif kind == "chat":
        y = top
        while y < bottom - 40:
            tall, mine = random_.randint(28, 90), random_.random() < 0.5
            x = left + (60 if mine else 0)
            draw.rounded_rectangle(
                (x, y, max(x + 40, right - (0 if mine else 60)), y + tall), 10, fill=accent if mine else shade
            )
            _text(random_, draw, (x + 8, y + 6, right - 70, y + tall - 6), ink, 13)
            y += tall + random_.randint(8, 20)
    else:
        for index in range(random_.randint(4, 9)):
            x = left + index * (right - left) // 9
            draw.rectangle((x, bottom - random_.randint(10, bottom - top), x + 24, bottom), fill=accent)
        draw.line((left, bottom, right, bottom), fill=ink, width=2)
        _text(random_, draw, (left, top, right, top + 20), ink, 14)
    if random_.random() < 0.4:
        draw.rounded_rectangle((right - 90, bottom - 30, right, bottom), 5, fill=accent)


def _text(
    random_: random.Random,
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    ink: tuple[int, ...],
    size: int,
    ragged: bool = False,
) -> None:
    """Lines of words that fill a box."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = box
    y = top
    while y + size < bottom:
        line = " ".join(random_.choice(WORDS) for _ in range(random_.randint(1, 12)))
        x = left + (random_.randint(0, 60) if ragged else 0)
        room = int((right - x) / (size * 0.5))
        if room > 1 and random_.random() < 0.9:
            draw.text((x, y), line[:room], fill=ink, font=font)
        y += int(size * 1.5)


def blurred(random_: random.Random, pixels: np.ndarray) -> np.ndarray:
    """Out of focus, as some photographs are."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(random_.uniform(0.5, 2.5))))


def stranger(
    random_: random.Random, pool: list[np.ndarray], own_screens: list[np.ndarray]
) -> tuple[np.ndarray, str]:
    """(pixels, "photograph" or "screenshot")."""
    chance = random_.random()
    if chance < 0.4:
        return (
            screen(random_)
            if random_.random() < 0.75 or not own_screens
            else photograph_of_screen(random_, own_screens)
        ), "screenshot"
    if chance < 0.5:
        return clouds(random_), "photograph"
    pixels = photograph(random_, pool)
    return (blurred(random_, pixels) if random_.random() < 0.2 else pixels), "photograph"


def photograph_of_screen(random_: random.Random, screens: list[np.ndarray]) -> np.ndarray:
    """A crop of a real screenshot, its colours as they are."""
    return np.clip(_crop(random_, screens), 0, 255).astype(np.uint8)
