"""``bihuan detect SOURCE --evaluate labels.csv``: how good the detectors are on labelled clips, by clip and in total, and how fast.

What must not go in: the figures themselves (``detectors.evaluation``), decoding.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from detectors import DETECTORS
from detectors.evaluation import IN_TIME, TRUTH, ClipOutcome, Evaluation, evaluated
from detectors.zones import parse_polygon
from hazards.errors import SourceLost, SourceUnreadable
from ingest.cameras.detect_messages import Incomplete, Told, Watched, Worked
from ingest.cameras.detect_run import run
from ingest.detect import annotated_path, chosen, warning
from ingest.labels import LabelledClip, read_labels


class ClipLine(Struct, frozen=True, tag="clip", tag_field="type"):
    """One kind on one clip: ``verdict`` is found, missed, silent, false_alarm or not_counted; ``delay`` in seconds from the onset."""

    file: str
    label: str
    kind: str
    verdict: str
    raised: list[float]
    delay: float | None
    watched_s: float
    ms_a_frame: float


class TotalLine(Struct, frozen=True, tag="total", tag_field="type"):
    """One kind over all clips; shares 0..1, null where no clip tells."""

    kind: str
    clips_with: int
    found: int
    recall: float | None
    precision: float | None
    within_3_s: int
    median_delay_s: float | None
    clips_without: int
    silent: int
    false_alarms: int
    false_alarms_a_camera_and_day: float | None
    hours_watched: float
    proves: str


class TimeLine(Struct, frozen=True, tag="time", tag_field="type"):
    """What all clips took; ``times_as_fast``: seconds of video a second."""

    clips: int
    unreadable: int
    frames: int
    looked: int
    watched_s: float
    took_s: float
    times_as_fast: float
    ms_a_frame: float


@dataclass(frozen=True, slots=True)
class _Clip:
    clip: LabelledClip
    raised: Mapping[str, Sequence[float]]
    work: Worked

    def outcome(self, kind: str) -> ClipOutcome:
        return ClipOutcome(self.clip.file, self.clip.label, self.clip.onset, self.work.watched, self.raised.get(kind, ()))

    @property
    def ms_a_frame(self) -> float:
        return round(1000 * self.work.thought / self.work.looked, 2) if self.work.looked else 0.0


def evaluate(
    source: str, labels: Path, *, detectors: Sequence[str] = (), zone: str | None = None, json_lines: bool = False,
    annotate: Path | None = None,
) -> None:  # fmt: skip
    """Print the figures of ``detectors`` (none: all) on the clips of ``source`` that ``labels`` names.

    A clip that can't be read is a warning and does not count. Raises BadInput, InvalidFile and SourceUnreadable (no clip was readable)."""
    names = chosen(detectors)
    if zone is not None:
        parse_polygon(zone)
    kinds = [kind for name in names for kind in DETECTORS[name].kinds_with(None)]
    watched: list[_Clip] = []
    clips = read_labels(labels, Path(source))
    for clip in clips:
        try:
            looked = _look(clip, Watched(str(clip.path), names, zone, annotated_path(annotate, clip.file)))
        except (SourceUnreadable, SourceLost) as e:
            print(f"bihuan: warning: {e}", file=sys.stderr)  # noqa: T201
            continue
        watched.append(looked)
        _print([_clip_line(looked, kind) for kind in kinds if kind in TRUTH or looked.raised.get(kind)], json_lines=json_lines)
    if not watched:
        raise SourceUnreadable("no clip could be read", where=source)
    totals = [_total_line(evaluated(kind, [one.outcome(kind) for one in watched])) for kind in kinds if kind in TRUTH]
    _print([*totals, _time_line(watched, len(clips) - len(watched))], json_lines=json_lines)


def _look(clip: LabelledClip, order: Watched) -> _Clip:
    raised: dict[str, list[float]] = {}
    work = Worked(0, 0, 0.0, 0.0, 0.0)
    for said in run(order):
        match said:
            case Told() if said.line.state == "raised":
                raised.setdefault(said.line.kind, []).append(said.line.t)
            case Incomplete():
                print(warning(said), file=sys.stderr)  # noqa: T201
            case Worked():
                work = said
    return _Clip(clip, raised, work)


def _clip_line(one: _Clip, kind: str) -> ClipLine:
    outcome = one.outcome(kind)
    delay = outcome.delay(kind)
    return ClipLine(
        one.clip.file, one.clip.label, kind, _verdict(outcome, kind), list(outcome.raised), None if delay is None else round(delay, 2),
        one.work.watched, one.ms_a_frame,
    )  # fmt: skip


def _verdict(outcome: ClipOutcome, kind: str) -> str:
    match outcome.holds(kind):
        case None:
            return "not_counted"
        case True:
            return "found" if outcome.found(kind) else "missed"
        case _:
            return "false_alarm" if outcome.raised else "silent"


def _total_line(e: Evaluation) -> TotalLine:
    def share(value: float | None, digits: int = 3) -> float | None:
        return None if value is None else round(value, digits)

    return TotalLine(
        e.kind, e.clips_with, e.found, share(e.recall), share(e.precision), e.in_time, share(e.median_delay, 2), e.clips_without, e.silent,
        e.false_alarms, share(e.false_alarms_a_day, 1), round(e.hours, 4), e.proves(),
    )  # fmt: skip


def _time_line(watched: Sequence[_Clip], unreadable: int) -> TimeLine:
    seconds, took = sum(one.work.watched for one in watched), sum(one.work.took for one in watched)
    looked, thought = sum(one.work.looked for one in watched), sum(one.work.thought for one in watched)
    return TimeLine(
        len(watched), unreadable, sum(one.work.decoded for one in watched), looked, round(seconds, 2), round(took, 2),
        round(seconds / took, 2) if took else 0.0, round(1000 * thought / looked, 2) if looked else 0.0,
    )  # fmt: skip


def _print(lines: Sequence[ClipLine | TotalLine | TimeLine], *, json_lines: bool) -> None:
    for line in lines:
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n" if json_lines else _for_people(line))
    sys.stdout.flush()


def _for_people(line: ClipLine | TotalLine | TimeLine) -> str:
    if isinstance(line, ClipLine):
        when = f" at {', '.join(f'{t:.1f}' for t in line.raised)} s" if line.raised else ""
        delay = f", {line.delay:.1f} s after it began" if line.delay is not None else ""
        return f"{line.file:48s} {line.label:9s} {line.kind:9s} {line.verdict.replace('_', ' ')}{when}{delay}\n"
    if isinstance(line, TotalLine):
        shares = f"recall {_percent(line.recall)} ({line.found} of {line.clips_with} clips), precision {_percent(line.precision)}"
        late = f"{line.within_3_s} within {IN_TIME:.0f} s, median {line.median_delay_s} s" if line.found else "none found"
        silent = f"silent on {line.silent} of {line.clips_without} clips without it, {line.false_alarms} false alarms"
        a_day = "" if line.false_alarms_a_camera_and_day is None else f" ({line.false_alarms_a_camera_and_day:.0f} a camera and day)"
        return f"\n{line.kind}: {shares}; {late}; {silent}{a_day}; {line.hours_watched:.3f} hours watched.\n  {line.proves}\n"
    unreadable = f", {line.unreadable} could not be read" if line.unreadable else ""
    return (
        f"\n{line.clips} clips{unreadable}: {line.watched_s:.0f} s of video in {line.took_s:.0f} s, "
        f"{line.times_as_fast} times as fast as shown; "
        f"{line.looked} of {line.frames} frames looked at, {line.ms_a_frame} ms a frame.\n"
    )


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"
