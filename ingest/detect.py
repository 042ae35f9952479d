"""``bihuan detect``: run detectors on a video, or on every video of a folder, and print what they raise and clear.

Every video is decoded in a child process: one that aborts the decoder ends the child, and the command says so in one line.
What must not go in: the door, evidence files, decoding, the figures of an evaluation.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from detectors import DETECTORS
from detectors.cue_words import said
from detectors.zones import parse_polygon
from hazards.errors import BadInput, SourceUnreadable
from ingest.cameras.detect_messages import FileLine, Incomplete, Told, Watched, Worked
from ingest.cameras.detect_run import run

VIDEOS = frozenset(f".{suffix}" for suffix in ("mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "mts", "mpg", "mpeg", "flv", "asf", "ogv"))
"""Suffixes of the files of a folder that are looked at."""


def detect(
    source: str, *, detectors: Sequence[str] = (), zone: str | None = None, json_lines: bool = False, annotate: Path | None = None
) -> None:
    """Print every transition that ``detectors`` (none: all) find in ``source``: a file, a folder of files or an RTSP address.

    ``zone``: "x,y x,y x,y", fractions of the picture where no number is over 1, else pixels of the frame. ``annotate``: the video, for a
    folder the folder of videos, that shows what was seen. A file of which frames were lost gets one line of warning on standard error; so
    do the files of a folder that are no video. Raises BadInput, SourceUnreadable and SourceLost."""
    names = chosen(detectors)
    if zone is not None:
        parse_polygon(zone)
    try:
        if Path(source).is_dir():
            _folder(Path(source), names, zone, json_lines=json_lines, annotate=annotate)
        else:
            drawn = annotated_path(annotate, Path(source).name)
            _one(Watched(source, names, zone, drawn), json_lines=json_lines)
    except KeyboardInterrupt:
        return


def chosen(detectors: Sequence[str]) -> list[str]:
    """``detectors``, or all of them. Raises BadInput for one that there is not."""
    unknown = [name for name in detectors if name not in DETECTORS]
    if unknown:
        raise BadInput(f"no detector {unknown[0]!r}", where="--detector", hint=f"there are: {', '.join(DETECTORS)}")
    return list(detectors) or list(DETECTORS)


def annotated_path(annotate: Path | None, name: str) -> str | None:
    """Where the drawn video of the file ``name`` goes: ``annotate``, or inside it where that is a folder."""
    if annotate is None:
        return None
    if annotate.suffix and not annotate.is_dir():
        return str(annotate)
    annotate.mkdir(parents=True, exist_ok=True)
    return str(annotate / f"{name.replace('/', '_')}.mp4")


def videos_of(folder: Path) -> list[Path]:
    """The videos in ``folder`` and below, by name. Raises SourceUnreadable where there is none."""
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and path.is_file())
    if not videos:
        raise SourceUnreadable("holds no video", where=str(folder), hint=f"files named {' '.join(sorted(VIDEOS))}")
    return videos


def _folder(folder: Path, names: list[str], zone: str | None, *, json_lines: bool, annotate: Path | None) -> None:
    if annotate is not None and annotate.suffix and not annotate.is_dir():
        raise BadInput("many videos need a folder to be drawn into", where="--annotate")
    for path in videos_of(folder):
        name = str(path.relative_to(folder))
        if not json_lines:
            print(name)  # noqa: T201
        try:
            _one(Watched(str(path), names, zone, annotated_path(annotate, name)), json_lines=json_lines, file=name)
        except SourceUnreadable as e:
            print(f"bihuan: warning: {e}", file=sys.stderr)  # noqa: T201


def _one(order: Watched, *, json_lines: bool, file: str | None = None) -> None:
    for said_by_child in run(order):
        match said_by_child:
            case Told():
                sys.stdout.write(_json(said_by_child, file) if json_lines else _for_people(said_by_child))
                sys.stdout.flush()
            case Incomplete():
                print(warning(said_by_child), file=sys.stderr)  # noqa: T201
            case Worked() if not json_lines:
                print(f"bihuan: {said_by_child.shown()}", file=sys.stderr)  # noqa: T201


def warning(found: Incomplete) -> str:
    """One line for people on what was lost of a file."""
    what = f"{found.where}: the video is damaged: {found.seen} frames seen, {found.lost} lost or damaged"
    return f"bihuan: warning: {' '.join(what.split())} (what they showed may have been missed)"


def _json(told: Told, file: str | None) -> str:
    line = told.line if file is None else FileLine(**msgspec.structs.asdict(told.line), file=file)
    return msgspec.json.encode(line).decode() + "\n"


def _for_people(told: Told) -> str:
    found = told.line
    box = " ".join(f"{v:.0f}" for v in found.box)
    why = said(told.fired, told.cues)
    return (
        f"{found.t:8.2f} s  frame {found.frame:6d}  {found.kind} {found.state}  score {found.score:.2f}  box {box}"
        + (f"  ({why})" if why else "") + "\n"
    )  # fmt: skip
