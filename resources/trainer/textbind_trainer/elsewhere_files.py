"""Which files a run needs, and where they lie in the folder that goes to another machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .config import DataPart, ModelConfig, RunConfig, data_parts
from .conversation import picture_folder, pictures_of
from .export import KEPT
from .faults import TrainerError
from .formats import checked_format, shards, stage1_files, stage2_rows, tar_paths
from .pairs import ListedRow, folder_table
from .weights import weight_files

Listed = tuple[str, Path]
"""A path in the folder, and the file here that belongs there."""


def _plain_files(folder: Path) -> list[Path]:
    """Configuration and tokenizer."""
    return [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in KEPT]


def _part(source: Path, target: str, weights: bool) -> list[Listed]:
    if source.is_file():
        return [(target, source)]
    files = dict.fromkeys([*(weight_files(source) if weights else []), *_plain_files(source)])
    return [(f"{target}/{file.relative_to(source).as_posix()}", file) for file in files]


def model_files(model: ModelConfig) -> tuple[dict[str, Any], dict[str, Any] | None, list[Listed]]:
    """(the run file's ``model``, its textbind.json or None, the files). The image decoder stays here: no run needs it."""
    places = {
        "visionModel": (model.vision, "vision", True),
        "languageModel": (model.language, "language", True),
    }
    if model.processor.resolve() == model.vision.resolve():
        places["processor"] = (model.processor, "vision", True)
    else:
        places["processor"] = (model.processor, "processor", False)
    for name, source in (("qformer", model.qformer), ("checkpoint", model.checkpoint)):
        if source is not None:
            places[name] = (source, source.name if source.is_file() else name, True)
    files = [
        each
        for source, target, weights in places.values()
        for each in _part(source, f"model/{target}", weights)
    ]
    shape = {"qformerConfig": model.shape.to_json()}
    if model.manifest is None:
        fields: dict[str, Any] = {name: f"model/{target}" for name, (_, target, _) in places.items()}
        return fields | shape | ({"fresh": True} if model.fresh else {}), None, files
    described: dict[str, Any] = json.loads(model.manifest.read_text(encoding="utf-8"))
    home, decoder = model.manifest.parent, described.get("imageDecoder") or {}
    kept = {n: str((home / v).resolve()) if isinstance(v, str) else v for n, v in decoder.items()}
    own = {name: target for name, (_, target, _) in places.items()}
    described = {n: v for n, v in described.items() if n not in ("qformer", "checkpoint")} | own | shape
    fields = {"textbind": "model"} | ({"fresh": True} if model.fresh else {})
    return fields, described | {"imageDecoder": kept or None}, files


def _add(found: dict[str, Path], target: str, source: Path) -> None:
    """Two files for one place cannot be told apart there."""
    if found.setdefault(target, source) != source:
        raise TrainerError(
            "data",
            f"{source} and {found[target]} would be one file elsewhere; textbind convert-data gives each a name of its own",
        )


def _talk_part(
    part: DataPart, path: Path, images: Path | None, home: str
) -> tuple[dict[str, Any], list[Listed]]:
    found: dict[str, Path] = {}
    files = stage2_rows(path, part.format)
    for held in files:
        _add(found, f"{home}/{held.file.name}", held.file)
        for raw in held.rows:
            value = raw.value if isinstance(raw.value, dict) else {}
            folder = picture_folder(str(value.get("image_dir") or ""), held.file, images)
            for _, picture in pictures_of(raw, held.file, images):
                if isinstance(picture, Path):
                    _add(found, f"{home}/images/{picture.relative_to(folder).as_posix()}", picture)
    where = home if len(files) > 1 else f"{home}/{files[0].file.name}"
    return {"path": where, "images": f"{home}/images", "format": files[0].format}, list(found.items())


def _pair_part(
    part: DataPart, path: Path, images: Path | None, home: str
) -> tuple[dict[str, Any], list[Listed]]:
    format_ = checked_format(1, path, part.format)
    found: dict[str, Path] = {}
    parts = shards(path, images, format_)
    if format_ in ("tars", "parquet"):
        for file in stage1_files(path) if format_ == "tars" else [shard.file for shard in parts]:
            _add(found, f"{home}/{file.name}", file)
        return {"path": home, "format": format_}, list(found.items())
    table = folder_table(path) if format_ == "folder" else parts[0].file
    for row in parts[0].rows():
        if isinstance(row, ListedRow) and isinstance(row.picture, Path) and row.picture.is_file():
            below = row.picture.relative_to(_root(row.picture, images, path, table)).as_posix()
            _add(found, f"{home}/images/{below}", row.picture)
            beside = row.picture.with_suffix(".txt")
            if table is None and beside.is_file():
                _add(found, f"{home}/images/{Path(below).with_suffix('.txt').as_posix()}", beside)
    if table is None:
        return {"path": f"{home}/images", "format": "folder"}, list(found.items())
    _add(found, f"{home}/{table.name}", table)
    own = "table" if format_ == "folder" else format_
    return {"path": f"{home}/{table.name}", "images": f"{home}/images", "format": own}, list(found.items())


def _root(picture: Path, images: Path | None, path: Path, file: Path | None) -> Path:
    """The folder that a picture's name is relative to."""
    homes = [
        images,
        *([file.parent / n for n in ("image", "images")] if file else []),
        file.parent if file else None,
        path,
    ]
    return next(home for home in homes if home is not None and picture.is_relative_to(home))


def data_files(config: RunConfig) -> tuple[dict[str, Any], list[Listed]]:
    """(the run file's ``data`` on the folder's own paths, the files)."""
    data, base = config.data, Path(config.data["base"])
    fields = {name: value for name, value in data.items() if name not in ("base", "images")}
    files: list[Listed] = []
    for name in ("tars", "validationTars"):
        if name in data:
            found: dict[str, Path] = {}
            for tar in tar_paths(data[name], base):
                _add(found, f"data/{name}/{tar.name}", tar)
            files += found.items()
            fields[name] = list(found)
    reader = _pair_part if config.stage == 1 else _talk_part
    for name in ("pairs", "validationPairs", "conversations", "validation"):
        parts = data_parts(data, name)
        if not parts:
            continue
        fields[name] = []
        for number, part in enumerate(parts):
            images = part.images or data.get("images")
            place, listed = reader(
                part, base / part.path, base / images if images else None, f"data/{name}-{number}"
            )
            fields[name].append(place | {"weight": part.weight})
            files += listed
    return fields, files


def sample_files(config: RunConfig) -> tuple[dict[str, Any] | None, list[Listed]]:
    """(the run file's ``samples`` on the folder's own paths, the prompts' pictures)."""
    if config.samples is None:
        return None, []
    base, files = Path(config.data["base"]), []
    fields = config.samples.model_dump(by_alias=True)
    for number, prompt in enumerate(fields["prompts"]):
        for place, name in enumerate(prompt["images"]):
            target = f"samples/{number}-{place}{Path(name).suffix}"
            files.append((target, base / name))
            prompt["images"][place] = target
    return fields, files
