"""Runs of points: several into one answer, cut to a limit, many roll-ups into fewer. Pure.

What must not go in: reading them.
"""

from collections.abc import Callable, Sequence

import numpy as np

from hazards.telemetry import Floats
from storage.series.port import SeriesRun


def within_limit(runs: Sequence[SeriesRun], limit: int) -> list[SeriesRun]:
    """The oldest ``limit`` points of all ``runs``; runs without any are left out."""
    if sum(len(r.at) for r in runs) > limit:
        newest = np.sort(np.concatenate([r.at for r in runs]))[limit - 1]
        runs = [_upto(r, int(np.searchsorted(r.at, newest, side="right"))) for r in runs]
    return [r for r in runs if len(r.at)]


def _upto(run: SeriesRun, n: int) -> SeriesRun:
    return SeriesRun(run.tags, run.at[:n], run.last[:n], run.count[:n], run.minimum[:n], run.mean[:n], run.maximum[:n])


def joined(runs: Sequence[SeriesRun], in_unit: Callable[[str, Floats], Floats]) -> SeriesRun | None:
    """All ``runs`` as one in the order of time, with the tags of the newest; ``in_unit`` converts values from a run's unit.

    None without runs. Where two runs have the same time (a sensor that moved), both points stay."""
    if not runs:
        return None
    newest = max(runs, key=lambda r: int(r.at[-1]))
    at = np.concatenate([r.at for r in runs])
    order = np.argsort(at, kind="stable")

    def column(of: Callable[[SeriesRun], Floats]) -> Floats:
        whole: Floats = np.concatenate([in_unit(r.tags.unit, of(r)) for r in runs])
        return whole[order] if len(whole) else whole

    count = np.concatenate([r.count for r in runs])
    return SeriesRun(
        newest.tags, at[order], column(lambda r: r.last), count[order] if len(count) else count, column(lambda r: r.minimum),
        column(lambda r: r.mean), column(lambda r: r.maximum),
    )  # fmt: skip


def wider(run: SeriesRun, every: int, offset: int = 0) -> SeriesRun:
    """Roll-ups combined into windows of ``every`` µs: exactly the minimum, maximum, last, count and mean of their readings.

    Windows begin at multiples of ``every`` of the clock that is ``offset`` µs ahead of UTC, so that a day is a local one."""
    if not len(run.at):
        return run
    window = run.at - (run.at + offset) % every
    first = np.flatnonzero(np.append(True, window[1:] != window[:-1]))
    count = np.add.reduceat(run.count, first)
    last = np.append(first[1:], len(run.at)) - 1
    return SeriesRun(
        run.tags, window[first], run.last[last], count, np.minimum.reduceat(run.minimum, first),
        np.add.reduceat(run.mean * run.count, first) / count, np.maximum.reduceat(run.maximum, first),
    )  # fmt: skip
