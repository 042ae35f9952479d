"""Roll-ups against a plain dictionary of lists, for any history cut in any way; and what is told when."""

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards.evaluation import Evaluation
from hazards.rollups import GRACE, RINGS
from hazards.telemetry import Reading, RollupPack, TelemetryPack, pack_readings
from tests.hazards.telemetry_histories import NOON, SECOND, ZONES, History, Tick, histories

Key = tuple[str, int, str, int]
"""Zone, resolution, series, start."""
Values = tuple[int, float, float, float, float]
"""Count, minimum, mean, maximum, last."""


def plainly(packs: list[TelemetryPack]) -> tuple[dict[Key, Values], int]:
    """Every roll-up of ``packs``, and how many readings the finest resolution refused."""
    readings: dict[Key, list[tuple[int, float]]] = {}
    newest: dict[tuple[str, str], int] = {}
    seen, refused = set[str](), 0
    for pack in packs:
        if pack.id in seen:
            continue
        seen.add(pack.id)
        for i, sent_at, value in zip(*(c.tolist() for c in pack.columns()), strict=True):
            series, at = pack.series[i], min(sent_at, pack.received_at)
            before = newest.get((pack.zone, series), -1)
            for resolution, ring in RINGS.items():
                width = resolution * SECOND
                if at // width > before // width - ring:
                    readings.setdefault((pack.zone, resolution, series, at // width * width), []).append((at, value))
                elif resolution == 1:
                    refused += 1
            newest[pack.zone, series] = max(before, at)
    return {key: _values(found) for key, found in readings.items()}, refused


def _values(readings: list[tuple[int, float]]) -> Values:
    values = [value for _, value in readings]
    last = max(enumerate(readings), key=lambda r: (r[1][0], r[0]))[1][1]
    return len(values), min(values), math.fsum(values) / len(values), max(values), last


def rows(packs: list[RollupPack]) -> list[tuple[Key, Values]]:
    """The rows of ``packs`` in order."""
    found = []
    for pack in packs:
        columns = [
            np.frombuffer(c, t).tolist()
            for c, t in ((pack.index, "<u2"), (pack.start, "<i8"), (pack.count, "<u4"), (pack.minimum, "<f8"), (pack.mean, "<f8"),
                         (pack.maximum, "<f8"), (pack.last, "<f8"))
        ]  # fmt: skip
        found += [((pack.zone, pack.resolution, pack.series[i], start), tuple(v)) for i, start, *v in zip(*columns, strict=True)]
    return found  # type: ignore[return-value]


def told(
    history: History, cut: Callable[[], bool], restart: Callable[[], bool] = lambda: False
) -> tuple[dict[Key, Values], Evaluation, list[list[tuple[Key, Values]]]]:  # fmt: skip
    """What a store holds at the end that writes each roll-up over the one before; the evaluation; each batch's rows."""
    evaluation = Evaluation(history.sensors)
    for zone in ZONES:
        evaluation.restore(zone, None, NOON)
    stored, batches, refused = dict[Key, Values](), list[list[tuple[Key, Values]]](), 0

    def keep() -> None:
        batches.append(rows(evaluation.rollups()))
        stored.update(batches[-1])

    waiting: list[TelemetryPack] = []
    for event in [*history.events, Tick(NOON + 10**6 * SECOND)]:
        if isinstance(event, TelemetryPack):
            waiting.append(event)
        if isinstance(event, Tick) or cut():
            evaluation.take(waiting)
            waiting = []
        if isinstance(event, Tick):
            evaluation.tick(lambda _, now=event.now: now, silent_from=-1)
        if cut():
            keep()
        if not waiting and restart():
            keep()
            refused += evaluation.counts.too_late
            bodies = {zone: evaluation.snapshot(zone) for zone in ZONES}
            evaluation = Evaluation(history.sensors)
            for zone, body in bodies.items():
                evaluation.restore(zone, body, NOON)
    keep()
    evaluation.counts.too_late += refused
    return stored, evaluation, batches


@given(histories(spread=1500), st.data())
@settings(max_examples=250)
def test_they_are_what_a_plain_dictionary_gives_however_the_history_is_cut(history: History, data: st.DataObject) -> None:
    stored, evaluation, _ = told(history, lambda: data.draw(st.booleans()), lambda: data.draw(st.booleans()))
    expected, refused = plainly(history.packs)
    assert stored == expected  # exactly: the values are whole numbers
    assert evaluation.counts.too_late == refused


@given(histories(spread=10), st.data())
@settings(max_examples=100)
def test_a_batch_tells_each_bucket_once(history: History, data: st.DataObject) -> None:
    _, _, batches = told(history, lambda: data.draw(st.booleans()))
    for batch in batches:
        assert len({key for key, _ in batch}) == len(batch)


def one_zone() -> Evaluation:
    evaluation = Evaluation({})
    evaluation.restore("hall", None, NOON)
    return evaluation


def pack(*readings: tuple[float, float], received: float | None = None) -> TelemetryPack:
    """Readings (second, value) of one series, received with the last of them."""
    late = max(at for at, _ in readings) if received is None else received
    return pack_readings("hall", [Reading("T-1/temperature", int(NOON + at * SECOND), v) for at, v in readings], int(NOON + late * SECOND))


def finest(evaluation: Evaluation) -> list[tuple[float, int, float]]:
    """(start second, count, last) of the 1 s roll-ups told since the last call."""
    return [((start - NOON) / SECOND, v[0], v[4]) for (_, res, _, start), v in rows(evaluation.rollups()) if res == 1]


def test_a_bucket_is_told_when_a_later_one_begins_and_again_when_late_data_change_it() -> None:
    evaluation = one_zone()
    evaluation.take([pack((0.1, 1), (0.9, 2))])
    assert finest(evaluation) == []
    evaluation.take([pack((1.5, 3))])
    assert finest(evaluation) == [(0, 2, 2)]
    evaluation.take([pack((0.95, 7), received=1.6)])
    assert finest(evaluation) == [(0, 3, 7)]
    evaluation.take([pack((0.5, 8), received=1.7)])
    assert finest(evaluation) == [(0, 4, 7)]  # the last is the last by event time, not by arrival


def test_of_equal_time_the_later_one_is_the_last_also_in_another_batch() -> None:
    evaluation = one_zone()
    for value in (5, 3, 4):
        evaluation.take([pack((0.5, value))])
    evaluation.take([pack((1.5, 0))])
    assert finest(evaluation) == [(0, 3, 4)]


def test_the_clock_closes_what_nothing_followed() -> None:
    evaluation = one_zone()
    evaluation.take([pack((0.1, 1))])
    evaluation.tick(lambda _: NOON + SECOND + GRACE - 1, silent_from=NOON)
    assert finest(evaluation) == []
    evaluation.tick(lambda _: NOON + SECOND + GRACE, silent_from=NOON)
    assert finest(evaluation) == [(0, 1, 1)]
    evaluation.tick(lambda _: NOON + 60 * SECOND, silent_from=NOON)
    assert finest(evaluation) == []


def test_data_older_than_the_ring_are_counted_and_left_out() -> None:
    evaluation = one_zone()
    evaluation.take([pack((20, 1))])
    evaluation.take([pack((12.9, 1), received=20), pack((13, 2), received=20)])
    assert finest(evaluation) == [(13, 1, 2)]
    assert (evaluation.counts.late, evaluation.counts.too_late) == (2, 1)


def test_a_pack_that_comes_twice_counts_once_also_after_a_restart() -> None:
    evaluation = one_zone()
    evaluation.take([pack((0.1, 1)), pack((0.1, 1))])
    again = one_zone()
    again.drop("hall")
    again.restore("hall", evaluation.snapshot("hall"), NOON)
    again.take([pack((0.1, 1)), pack((1.1, 1))])
    assert finest(again) == [(0, 1, 1)]
    assert (evaluation.counts.repeated, again.counts.repeated) == (1, 1)
