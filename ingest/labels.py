"""The file that says what clips show, for ``bihuan detect --evaluate``: columns file, label and, if wanted, the second it begins.

What must not go in: video, figures.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detectors.evaluation import LABELS
from hazards.errors import BadInput, FileProblem, InvalidFile

ONSET_COLUMNS = ("onset_s", "from")
LARGEST = 10_000_000
"""Bytes: a list of clips is a small file."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """``file``: as the row names it; ``path``: where it is; ``onset``: seconds at which what ``label`` says is first to be seen."""

    file: str
    path: Path
    label: str
    onset: float


def read_labels(labels: Path, source: Path) -> list[LabelledClip]:
    """Clips that ``labels`` names and that are ``source`` or lie in it, in the order of the rows.

    A file is looked for in ``source``, then beside ``labels``. Rows of files elsewhere are left out; further columns too.
    Raises BadInput (no such file, no such columns, nothing left) and InvalidFile with every bad row."""
    text = _read(labels)
    rows = csv.DictReader(text.splitlines())
    columns = [(name or "").strip() for name in rows.fieldnames or []]
    for wanted in ("file", "label"):
        if wanted not in columns:
            raise BadInput(f"it has no column {wanted!r}", where=str(labels), hint="file,label and, if wanted, onset_s (seconds)")
    rows.fieldnames = columns
    clips: list[LabelledClip] = []
    problems: list[FileProblem] = []
    for row in rows:
        try:
            clip = _clip({k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}, labels, source)
        except BadInput as e:
            problems.append(FileProblem(rows.line_num, e.where, e.what, e.hint))
            continue
        if clip is not None:
            clips.append(clip)
    if problems:
        raise InvalidFile(str(labels), tuple(problems))
    if not clips:
        raise BadInput(f"names no clip of {source}", where=str(labels))
    return clips


def _read(labels: Path) -> str:
    try:
        if labels.stat().st_size > LARGEST:
            raise BadInput("is too large for a list of clips", where=str(labels))
        return labels.read_text("utf-8-sig")
    except UnicodeError as e:
        raise BadInput("is not UTF-8 text", where=str(labels)) from e
    except OSError as e:
        raise BadInput(e.strerror or "can't be read", where=str(labels)) from e


def _clip(row: Mapping[str, str], labels: Path, source: Path) -> LabelledClip | None:
    """The clip of one row; None: it lies elsewhere. Raises BadInput."""
    file, label = row.get("file", "").strip(), row.get("label", "").strip()
    if not file:
        raise BadInput("is empty", where="file")
    if label not in LABELS:
        raise BadInput(f"{label!r} is no label", where="label", hint=f"one of {', '.join(LABELS)}")
    onset = _onset(row)
    path = next((path for path in _places(file, labels, source) if path.is_file()), None)
    if path is None and source.is_file():
        return None  # one clip is looked at: the others need not be here
    if path is None:
        raise BadInput(f"there is no {file!r} in {source} or beside the labels", where="file")
    within, root = path.resolve(), source.resolve()
    return LabelledClip(file, path, label, onset) if within == root or root in within.parents else None


def _places(file: str, labels: Path, source: Path) -> list[Path]:
    if source.is_file():
        return [source] if Path(file).name == source.name else [labels.parent / file]
    return [source / file, labels.parent / file]


def _onset(row: Mapping[str, str]) -> float:
    for column in ONSET_COLUMNS:
        text = row.get(column, "").strip()
        if not text:
            continue
        try:
            onset = float(text)
        except ValueError:
            onset = math.nan
        if not 0 <= onset < 1e6:
            raise BadInput(f"{text!r} is no number of seconds", where=column)
        return onset
    return 0.0
