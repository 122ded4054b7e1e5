"""Public benchmarks from their own files, as the released code asks them: MME (yes or no) and MMBench (one of some letters).

MME: a folder a subtask, with a text file a picture (a question, a tab, the answer on each line) beside the pictures or in
``questions_answers_YN``. MMBench: a TSV with the pictures in base64. Nothing is fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .datafiles import table_rows
from .faults import TrainerError
from .prompt import IMAGE
from .tars import PICTURE_ENDINGS

Ask = Callable[[Sequence[tuple[str, bytes]], int], list[str]]
"""Answers to (question with <image>, picture) in at most so many tokens each."""

COGNITION = frozenset(
    {"commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"}
)
"""MME's subtasks of its second kind; the other ten are perception."""
OTHER_FOLDERS = frozenset({"eval_tool"})
MME_TOKENS = 4
MMBENCH_TOKENS = 32
LETTERS = "ABCDE"


@dataclass(frozen=True)
class MmeQuestion:
    """One question of MME."""

    subtask: str
    picture: Path
    question: str
    answer: str


def _mme_picture(folder: Path, stem: str) -> Path:
    """Beside the questions, in ``images``, or below it (the subtask of artworks)."""
    for home in (folder, folder / "images", folder / "images" / "toy_dataset"):
        for ending in PICTURE_ENDINGS:
            if (home / f"{stem}.{ending}").is_file():
                return home / f"{stem}.{ending}"
    raise TrainerError("data", f"{folder}: there is no picture {stem}")


def read_mme(root: Path) -> list[MmeQuestion]:
    """All questions, by subtask. TrainerError("data") where the folder is none of MME's."""
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []:
        if folder.name in OTHER_FOLDERS:
            continue
        texts = folder / "questions_answers_YN"
        for file in sorted((texts if texts.is_dir() else folder).glob("*.txt")):
            for line in file.read_text(encoding="utf-8").splitlines():
                question, tab, answer = line.strip().partition("\t")
                if tab:
                    found.append(
                        MmeQuestion(
                            folder.name, _mme_picture(folder, file.stem), question.strip(), answer.strip()
                        )
                    )
    if not found:
        raise TrainerError(
            "data", f"{root}: holds no questions of MME (a folder a subtask, text files with tabs)"
        )
    return found


def yes_or_no(text: str) -> str:
    """Yes, No or Other, by the first of the two words that is said."""
    said = re.search(r"\b(yes|no)\b", text, re.IGNORECASE)
    return said[1].capitalize() if said else "Other"


def score_mme(questions: Sequence[MmeQuestion], answers: Sequence[str]) -> dict[str, Any]:
    """Accuracy, accuracy+ (a picture's questions all right) and their sum in points, by subtask; sums by kind."""
    right: dict[str, dict[Path, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for each, said in zip(questions, answers, strict=True):
        right[each.subtask][each.picture].append(yes_or_no(said) == yes_or_no(each.answer))
    subtasks, sums = [], {"perception": 0.0, "cognition": 0.0}
    for name, pictures in right.items():
        flat = [good for each in pictures.values() for good in each]
        accuracy = 100 * sum(flat) / len(flat)
        plus = 100 * sum(map(all, pictures.values())) / len(pictures)
        sums["cognition" if name.lower() in COGNITION else "perception"] += accuracy + plus
        subtasks.append(
            {"name": name, "questions": len(flat), "accuracy": round(accuracy, 2), "accuracyPlus": round(plus, 2),
             "score": round(accuracy + plus, 2)}
        )  # fmt: skip
    return {"subtasks": subtasks} | {kind: round(value, 2) for kind, value in sums.items()}


def run_mme(root: Path, ask: Ask, table: Path, limit: int | None) -> dict[str, Any]:
    """Ask, score, and write every answer into a table whose lines MME's own tool reads, by subtask."""
    questions = read_mme(root)[:limit]
    answers = ask([(f"{IMAGE} {each.question}", each.picture.read_bytes()) for each in questions], MME_TOKENS)
    lines = [
        "\t".join((each.subtask, each.picture.name, each.question, each.answer, _flat(said)))
        for each, said in zip(questions, answers, strict=True)
    ]
    table.write_text(
        "\n".join(["subtask\timage\tquestion\tanswer\tprediction", *lines]) + "\n", encoding="utf-8"
    )
    return score_mme(questions, answers)


def _flat(text: str) -> str:
    return " ".join(text.split())


def mmbench_question(row: dict[str, Any]) -> str:
    """Hint, question and options, as the released code puts them."""
    options = "".join(f"{letter}. {row[letter]}\n" for letter in LETTERS if row.get(letter))
    asked = f"{row['question']} There are several options:\n{options}"
    return f"{IMAGE} {row['hint']} {asked}" if row.get("hint") else f"{IMAGE} {asked}"


def chosen_letter(text: str, row: dict[str, Any]) -> str | None:
    """The letter that an answer chooses: said alone, else the option whose words it says."""
    letters = [letter for letter in LETTERS if row.get(letter)]
    said = re.search(rf"(?<![A-Za-z])([{''.join(letters)}])(?![A-Za-z'])", text) if letters else None
    if said:
        return said[1]
    worded = [letter for letter in letters if str(row[letter]).strip().lower() in text.lower()]
    return worded[0] if len(worded) == 1 else None


def _by(rows: Iterable[dict[str, Any]], field: str) -> list[dict[str, Any]]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        groups[row.get(field) or ""].append(row["right"])
    return [
        {"name": name, "questions": len(right), "accuracy": round(100 * sum(right) / len(right), 2)}
        for name, right in sorted(groups.items())
    ]


def run_mmbench(file: Path, ask: Ask, table: Path, limit: int | None) -> dict[str, Any]:
    """Ask, score where the file has answers (else accuracy is null), and write every prediction into a table."""
    rows = [raw.value for raw in table_rows(file)][:limit]
    if not rows or any(name not in rows[0] for name in ("question", "A", "image")):
        raise TrainerError("data", f"{file}: is no table of MMBench (question, A, B, ..., image)")
    try:
        pictures = [base64.b64decode(row["image"] or "", validate=True) for row in rows]
    except binascii.Error as error:
        raise TrainerError("data", f"{file}: a picture is no base64: {error}") from error
    asked = [(mmbench_question(row), picture) for row, picture in zip(rows, pictures, strict=True)]
    judged = []
    for row, said in zip(rows, ask(asked, MMBENCH_TOKENS), strict=True):
        letter = chosen_letter(said, row)
        judged.append(
            row | {"said": _flat(said), "letter": letter or "", "right": letter == row.get("answer")}
        )
    fields = ("index", "category", "l2-category", "answer", "letter", "said")
    lines = ["\t".join(str(row.get(name) or "") for name in fields) for row in judged]
    table.write_text("\n".join(["\t".join(fields), *lines]) + "\n", encoding="utf-8")
    if not rows[0].get("answer"):
        return {"questions": len(rows), "accuracy": None, "categories": [], "l2Categories": []}
    right = sum(row["right"] for row in judged)
    return {
        "questions": len(rows),
        "accuracy": round(100 * right / len(rows), 2),
        "categories": _by(judged, "category"),
        "l2Categories": _by(judged, "l2-category"),
    }
