"""The arrays find every series that the plain machine would move: the same reports for any history cut in any way."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards import limits
from hazards.admission import Report
from hazards.evaluation import Evaluation
from hazards.limits import SeriesState
from hazards.pack_check import check_pack
from hazards.sensors import Limits, Sensor
from hazards.telemetry import Reading, TelemetryPack, pack_readings
from tests.hazards.telemetry_histories import NOON, SECOND, ZONES, Change, History, Tick, file_rule, histories, sensor, walks


class Plain:
    """The specification alone: one machine a series, one pack after the other."""

    def __init__(self, sensors: dict[str, Sensor]) -> None:
        self.sensors, self.seen = sensors, set[str]()
        self.states: dict[tuple[str, str], SeriesState] = {}
        for known in sensors.values():
            if known.stale_after is not None:
                self.states[known.zone, known.series] = SeriesState(last_received=NOON)
        self.reports: list[Report] = []

    def sensor(self, zone: str, series: str) -> Sensor | None:
        found = self.sensors.get(series)
        return found if found is not None and found.zone == zone else None

    def take(self, pack: TelemetryPack) -> None:
        if not pack.index or pack.id in self.seen:
            return
        self.seen.add(pack.id)
        by_series: dict[str, list[limits.Reading]] = {}
        for i, at, value in zip(*(c.tolist() for c in pack.columns()), strict=True):
            by_series.setdefault(pack.series[i], []).append(limits.Reading(at, value, pack.received_at))
        for series, readings in by_series.items():
            if (of := self.sensor(pack.zone, series)) is not None:
                self.reports += limits.take(of, self.states.setdefault((pack.zone, series), SeriesState()), readings)

    def change(self, change: Change) -> None:
        for (_, series), state in self.states.items():
            self.reports += limits.change_rules(change.sensors[series], self.sensors[series], state, change.now, "rule_removed")
        self.sensors = change.sensors

    def tick(self, now: int) -> None:
        for (_, series), state in self.states.items():
            self.reports += limits.pass_time(self.sensors[series], state, now)


def plainly(history: History) -> list[Report]:
    plain = Plain(history.sensors)
    for event in history.events:
        if isinstance(event, Tick):
            plain.tick(event.now)
        elif isinstance(event, Change):
            plain.change(event)
        else:
            plain.take(event)
    return plain.reports


def evaluated(history: History, cut: Callable[[], bool], restart: Callable[[], bool] = lambda: False) -> tuple[list[Report], Evaluation]:
    """All reports; packs go together until ``cut`` says otherwise, and the state goes through its bytes when ``restart`` says so."""
    sensors, evaluation = history.sensors, Evaluation(history.sensors)
    for zone in ZONES:
        evaluation.restore(zone, None, NOON)
    reports, waiting = list[Report](), list[TelemetryPack]()

    def flush() -> None:
        nonlocal evaluation, waiting
        reports.extend(evaluation.take(waiting))
        waiting = []
        for zone in evaluation.zones.values():
            reports.extend(zone.outgoing)
            zone.outgoing = []
        if restart():
            bodies = {zone: evaluation.snapshot(zone) for zone in ZONES}
            evaluation = Evaluation(sensors)
            for zone, body in bodies.items():
                evaluation.restore(zone, body, NOON)

    for event in history.events:
        if isinstance(event, Tick):
            flush()
            evaluation.tick(lambda _, now=event.now: now, silent_from=-1)
            flush()
        elif isinstance(event, Change):
            flush()
            sensors = event.sensors
            evaluation.change_sensors(sensors, event.now)
            flush()
        else:
            check_pack(event)
            waiting.append(event)
            if cut():
                flush()
    flush()
    return reports, evaluation


def ordered(reports: list[Report]) -> dict[tuple[str, str], list[Report]]:
    """Reports of one alarm keep their order; those of different alarms have none."""
    found: dict[tuple[str, str], list[Report]] = {}
    for report in reports:
        found.setdefault((report.device, report.kind), []).append(report)
    return found


QUIET = {"limits": Limits(low=10.0, high=60.0), "deadband": 2.0}


@pytest.mark.parametrize(
    ("what", "rules", "readings", "expected"),
    [
        ("an on-delay ends", {**QUIET, "on_delay": 5 * SECOND}, [(0, 70), (2, 70), (6, 70)], ["raised"]),
        ("an off-delay ends", {**QUIET, "off_delay": 5 * SECOND}, [(0, 70), (1, 20), (2, 20), (7, 20)], ["raised", "cleared"]),
        ("it comes back over its deadband", QUIET, [(0, 70), (1, 58), (2, 57.9)], ["raised", "cleared"]),
        ("it comes back under its deadband", QUIET, [(0, 5), (1, 12), (2, 12.1)], ["raised", "cleared"]),
        ("it reaches its limit exactly", QUIET, [(0, 59.9), (1, 60)], ["raised"]),
        ("it falls to its limit exactly", QUIET, [(0, 10.1), (1, 10)], ["raised"]),
        ("it rises", {"rate": 5.0}, [(0, 0), (1, 4), (2, 9)], ["raised"]),
        ("it no longer rises", {"rate": 5.0}, [(0, 0), (1, 9), (2, 10)], ["raised", "cleared"]),
        ("it was silent", {"stale_after": 5 * SECOND}, [(0, 20), (1, 20), (6, 20), (7, 20)], ["raised", "cleared"]),
        ("it leaves its reference above", {"rules": (file_rule("deviation", 5.0, reference=20.0, deadband=1.0),)},
         [(0, 20), (1, 24.9), (2, 25), (3, 24.1), (4, 24)], ["raised"]),
        ("it comes back from below", {"rules": (file_rule("deviation", 5.0, reference=20.0, deadband=1.0),)},
         [(0, 15), (1, 15.9), (2, 16), (3, 16.1)], ["raised", "cleared"]),
        ("a door opens and closes", {"rules": (file_rule("state", 1.0),)}, [(0, 0), (1, 1), (2, 1), (3, 0), (4, 0)], ["raised", "cleared"]),
        ("a window begins", {"rules": (file_rule("consumption", 5.0, windows=((NOON + 2 * SECOND, NOON + 9 * SECOND),)),)},
         [(0, 7), (1, 7), (2, 7), (3, 7)], ["raised"]),
        ("a window ends", {"rules": (file_rule("consumption", 5.0, windows=((NOON, NOON + 3 * SECOND),)),)},
         [(0, 7), (2, 7), (3, 7), (4, 7)], ["raised", "cleared"]),
        ("a meter counts up", {"rules": (file_rule("consumption", 3600.0, hourly=True),)}, [(0, 10), (1, 10.9), (2, 12), (3, 13), (4, 13)],
         ["raised", "cleared"]),
        ("it stands and stays", QUIET, [(0, 70), (1, 71), (2, 99), (3, 60)], ["raised"]),
    ],
)  # fmt: skip
def test_what_moves_a_series(what: str, rules: dict[str, object], readings: list[tuple[float, float]], expected: list[str]) -> None:
    of = sensor(**rules)  # type: ignore[arg-type]
    packs = [pack_readings("hall", [Reading(of.series, NOON + int(at * SECOND), v)], NOON + int(at * SECOND)) for at, v in readings]
    reports, _ = evaluated(History({of.series: of}, list(packs)), lambda: True)
    assert [r.action.value for r in reports] == expected


@given(histories(changes=True), st.data())
@settings(max_examples=300)
def test_the_same_reports_for_any_history_cut_in_any_way(history: History, data: st.DataObject) -> None:
    reports, _ = evaluated(history, lambda: data.draw(st.booleans()), lambda: data.draw(st.booleans()))
    assert ordered(reports) == ordered(plainly(history))


@given(walks(), st.data())
@settings(max_examples=300)
def test_the_same_reports_while_rules_are_armed_and_disarmed(history: History, data: st.DataObject) -> None:
    every = data.draw(st.integers(1, 4))
    restarts = iter(data.draw(st.lists(st.booleans(), max_size=10)))
    count = 0

    def cut() -> bool:
        nonlocal count
        count += 1
        return count % every == 0

    reports, _ = evaluated(history, cut, lambda: next(restarts, False))
    assert ordered(reports) == ordered(plainly(history))


@given(histories())
@settings(max_examples=300)
def test_every_id_is_said_once_and_an_end_follows_its_beginning(history: History) -> None:
    reports = [r for r in plainly(history) if r.action != "pulse"]
    assert len({(r.source, r.source_id) for r in reports}) == len(reports)
    for alarm in ordered(reports).values():
        assert [r.action for r in alarm] == [("raised", "cleared")[n % 2] for n in range(len(alarm))]
        assert all(a.at is not None and b.at is not None and a.at <= b.at for a, b in zip(alarm[::2], alarm[1::2], strict=False))
