"""Stage 1's rows wherever they lie: a picture and its caption, with the place to name when either is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .datafiles import LINES, TABLES, RawRow, raw_rows
from .faults import Fault, TrainerError
from .images import decode_image
from .pictures import Picture
from .prompt import IMAGE, text_faults
from .tars import PICTURE_ENDINGS, TarSample

TABLE_NAMES = ("metadata", "captions")
PICTURE_FIELDS = (
    "file_name",
    "filename",
    "image",
    "image_path",
    "img_path",
    "filepath",
    "path",
    "file",
    "picture",
)
CAPTION_FIELDS = ("text", "caption", "txt", "title", "description", "label")
"""Names that tables of pictures and captions use; the first that is there is taken."""


class PairRow(Protocol):
    """A picture with its caption."""

    @property
    def file(self) -> Path:
        """The file that the row stands in."""

    @property
    def row(self) -> int:
        """Its number there, from 0."""

    @property
    def key(self) -> str:
        """What the row is called in messages."""

    def load(self) -> tuple[str, bytes]:
        """The caption, stripped, and the picture's bytes. ValueError or OSError says what is wrong."""

    def faults(self, tags: tuple[str, ...]) -> list[Fault]:
        """Everything that is wrong with it, the picture decoded."""


def load_tar_sample(sample: TarSample) -> tuple[str, bytes]:
    """As ``PairRow.load``."""
    ending = sample.picture_ending()
    if ending is None:
        raise ValueError("no picture")
    if "txt" not in sample.parts:
        raise ValueError("no txt")
    caption = sample.read("txt").decode("utf-8").strip()
    if not caption:
        raise ValueError("the caption is empty")
    return caption, sample.read(ending)


@dataclass(frozen=True)
class TarRow:
    """A sample of a WebDataset tar."""

    sample: TarSample

    @property
    def file(self) -> Path:
        """The tar."""
        return self.sample.tar

    @property
    def row(self) -> int:
        """In the order of the tar."""
        return self.sample.row

    @property
    def key(self) -> str:
        """The files' common name."""
        return self.sample.key

    def load(self) -> tuple[str, bytes]:
        """Read from the tar."""
        return load_tar_sample(self.sample)

    def faults(self, tags: tuple[str, ...]) -> list[Fault]:
        """Those of the caption and of the picture."""
        return self._caption_faults(tags) + self._picture_faults()

    def _fault(self, field: str, kind: str, message: str) -> Fault:
        return Fault(str(self.file), self.row, field, kind, f"{self.key}: {message}")

    def _caption_faults(self, tags: tuple[str, ...]) -> list[Fault]:
        if "txt" not in self.sample.parts:
            return [self._fault("txt", "missing", "no caption")]
        try:
            caption = self.sample.read("txt").decode("utf-8").strip()
        except UnicodeDecodeError as error:
            return [self._fault("txt", "text", f"not UTF-8: {error}")]
        if not caption:
            return [self._fault("txt", "text", "the caption is empty")]
        return [self._fault("txt", "unsafe", said) for said in text_faults(caption, (*tags, IMAGE))]

    def _picture_faults(self) -> list[Fault]:
        ending = self.sample.picture_ending()
        if ending is None:
            there = ", ".join(sorted(self.sample.parts))
            return [self._fault("picture", "missing", f"no picture among {there}")]
        try:
            decode_image(self.sample.read(ending))
        except (ValueError, OSError) as error:
            return [self._fault(ending, "picture", str(error))]
        return []


@dataclass(frozen=True)
class ListedRow:
    """A row of a list, a table or a folder. ``broken``: (field, kind, message) of what keeps it from being a pair."""

    file: Path
    row: int
    key: str
    caption: str
    picture: Picture | None
    caption_field: str = "caption"
    picture_field: str = "picture"
    broken: tuple[tuple[str, str, str], ...] = ()

    def load(self) -> tuple[str, bytes]:
        """The picture is read now."""
        if self.broken:
            raise ValueError(f"{self.broken[0][0]}: {self.broken[0][2]}")
        if not self.caption.strip():
            raise ValueError("the caption is empty")
        if self.picture is None:
            raise ValueError("no picture")
        return self.caption.strip(), self.picture.read_bytes()

    def faults(self, tags: tuple[str, ...]) -> list[Fault]:
        """Those of the row, of the caption and of the picture."""
        found = [*self.broken]
        named = {field for field, _, _ in found}
        if self.caption_field not in named and "" not in named:
            found += self._caption_faults(tags)
        if self.picture_field not in named and "" not in named:
            found += self._picture_faults()
        return [Fault(str(self.file), self.row, field, kind, message) for field, kind, message in found]

    def _caption_faults(self, tags: tuple[str, ...]) -> list[tuple[str, str, str]]:
        caption = self.caption.strip()
        if not caption:
            return [(self.caption_field, "text", "the caption is empty")]
        return [(self.caption_field, "unsafe", said) for said in text_faults(caption, (*tags, IMAGE))]

    def _picture_faults(self) -> list[tuple[str, str, str]]:
        if self.picture is None:
            return [(self.picture_field, "missing", "no picture")]
        try:
            decode_image(self.picture.read_bytes())
        except FileNotFoundError:
            return [(self.picture_field, "missing", f"{self.picture} does not exist")]
        except (ValueError, OSError) as error:
            return [(self.picture_field, "picture", f"{self.picture}: {error}")]
        return []


def picture_in(folder: Path, name: str) -> Path:
    """The file that a row names. ValueError where the name leads out of the folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"{name!r} leaves the image folder")
    return folder / name


def _field(value: dict[str, Any], names: Sequence[str]) -> str:
    lowered = {name.lower(): name for name in value if isinstance(name, str)}
    return next((lowered[name] for name in names if name in lowered), names[0])


def _first_text(held: Any) -> str | None:
    """A caption, or the first of several."""
    if isinstance(held, list) and held:
        held = held[0]
    return held if isinstance(held, str) else None


def table_row(file: Path, raw: RawRow, folder: Path) -> ListedRow:
    """A row of a CSV, TSV or JSON lines file with the name of a picture and a caption."""
    value = raw.value if isinstance(raw.value, dict) else {}
    named, told = _field(value, PICTURE_FIELDS), _field(value, CAPTION_FIELDS)
    broken = list(raw.faults)
    if not broken and not isinstance(raw.value, dict):
        broken.append(("", "shape", "expected an object"))
    caption, name = _first_text(value.get(told)), value.get(named)
    picture: Path | None = None
    if not broken:
        if caption is None:
            broken.append((told, "missing", "no caption"))
        if not isinstance(name, str) or not name.strip():
            broken.append((named, "missing", "no picture is named"))
        else:
            try:
                picture = picture_in(folder, name)
            except ValueError as error:
                broken.append((named, "path", str(error)))
    key = name if isinstance(name, str) else f"row {raw.number}"
    return ListedRow(file, raw.number, key, caption or "", picture, told, named, tuple(broken))


def table_rows(file: Path, images: Path | None) -> list[PairRow]:
    """The rows of a table; its pictures lie below ``images`` or beside it."""
    return [table_row(file, raw, images or file.parent) for raw in raw_rows(file)]


def llava_pair(file: Path, raw: RawRow, folder: Path) -> ListedRow:
    """The first answer of a LLaVA row (its pre-training file) as the caption of its picture."""
    value = raw.value if isinstance(raw.value, dict) else {}
    turns = value.get("conversations")
    answers = (
        [t.get("value") for t in turns if isinstance(t, dict) and t.get("from") == "gpt"]
        if isinstance(turns, list)
        else []
    )
    flat = {"image": value.get("image"), "conversations": answers[0] if answers else None}
    return _renamed(file, raw, folder, flat, "conversations")


def minigpt4_pair(file: Path, raw: RawRow, folder: Path) -> ListedRow:
    """An annotation of MiniGPT-4's second stage."""
    value = raw.value if isinstance(raw.value, dict) else {}
    number = value.get("image_id")
    flat = {
        "image_id": f"{number}.jpg" if number not in (None, "") else None,
        "caption": value.get("caption"),
    }
    return _renamed(file, raw, folder, flat, "caption")


def _renamed(file: Path, raw: RawRow, folder: Path, flat: dict[str, Any], told: str) -> ListedRow:
    (named,) = [name for name in flat if name != told]
    plain = RawRow(raw.number, {"image": flat[named], "caption": flat[told]}, faults=raw.faults)
    row = table_row(file, plain, folder)
    names = {"image": named, "caption": told}
    broken = tuple((names.get(field, field), kind, message) for field, kind, message in row.broken)
    return ListedRow(file, row.row, row.key, row.caption, row.picture, told, named, broken)


def listed_rows(
    file: Path, folder: Path, convert: Callable[[Path, RawRow, Path], ListedRow], inside: str | None = None
) -> list[PairRow]:
    """The rows of a JSON file, each by ``convert``."""
    return [convert(file, raw, folder) for raw in raw_rows(file, inside)]


def folder_table(folder: Path) -> Path | None:
    """The table in a folder of pictures: metadata or captions as csv, tsv or jsonl."""
    names = [f"{name}{ending}" for name in TABLE_NAMES for ending in (*TABLES, *LINES)]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _pictures_below(folder: Path) -> Iterator[Path]:
    endings = {f".{ending}" for ending in PICTURE_ENDINGS}
    return (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in endings)


def folder_rows(folder: Path, images: Path | None) -> list[PairRow]:
    """Pictures with captions: by a table in the folder, else by a text file beside each picture."""
    table = folder_table(folder)
    if table is not None:
        return table_rows(table, images or folder)
    rows: list[PairRow] = []
    for number, picture in enumerate(_pictures_below(folder)):
        broken: tuple[tuple[str, str, str], ...] = ()
        caption = ""
        beside = picture.with_suffix(".txt")
        try:
            caption = beside.read_text(encoding="utf-8")
        except FileNotFoundError:
            broken = (("txt", "missing", f"{beside} does not exist"),)
        except (UnicodeDecodeError, OSError) as error:
            broken = (("txt", "text", f"{beside}: {error}"),)
        key = picture.relative_to(folder).as_posix()
        rows.append(ListedRow(picture, number, key, caption, picture, "txt", "picture", broken))
    if not rows:
        raise TrainerError("data", f"{folder}: holds no picture ({', '.join(PICTURE_ENDINGS)})")
    return rows
