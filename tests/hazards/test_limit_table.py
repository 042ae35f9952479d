"""The arrays find every series that the plain machine would move: the same reports for any history cut in any way."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from hazards import limits
from hazards.admission import Report
from hazards.evaluation import Evaluation, check_pack
from hazards.limits import SeriesState
from hazards.sensors import Sensor
from hazards.telemetry import TelemetryPack
from tests.hazards.telemetry_histories import NOON, ZONES, History, Tick, histories


class Plain:
    """The specification alone: one machine a series, one pack after the other."""

    def __init__(self, sensors: dict[str, Sensor]) -> None:
        self.sensors, self.seen = sensors, set[str]()
        self.states: dict[tuple[str, str], SeriesState] = {}
        for sensor in sensors.values():
            if sensor.stale_after is not None:
                self.states[sensor.zone, sensor.series] = SeriesState(last_received=NOON)
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
            if (sensor := self.sensor(pack.zone, series)) is not None:
                self.reports += limits.take(sensor, self.states.setdefault((pack.zone, series), SeriesState()), readings)

    def tick(self, now: int) -> None:
        for (_, series), state in self.states.items():
            self.reports += limits.pass_time(self.sensors[series], state, now)


def plainly(history: History) -> list[Report]:
    plain = Plain(history.sensors)
    for event in history.events:
        if isinstance(event, Tick):
            plain.tick(event.now)
        else:
            plain.take(event)
    return plain.reports


def evaluated(history: History, cut: Callable[[], bool], restart: Callable[[], bool] = lambda: False) -> tuple[list[Report], Evaluation]:
    """All reports; packs go together until ``cut`` says otherwise, and the state goes through its bytes when ``restart`` says so."""
    evaluation = Evaluation(history.sensors)
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
            evaluation = Evaluation(history.sensors)
            for zone, body in bodies.items():
                evaluation.restore(zone, body, NOON)

    for event in history.events:
        if isinstance(event, Tick):
            flush()
            evaluation.tick(event.now, silent_from=-1)
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


@given(histories(), st.data())
@settings(max_examples=300, deadline=None)
def test_the_same_reports_for_any_history_cut_in_any_way(history: History, data: st.DataObject) -> None:
    reports, _ = evaluated(history, lambda: data.draw(st.booleans()), lambda: data.draw(st.booleans()))
    assert ordered(reports) == ordered(plainly(history))


@given(histories())
@settings(max_examples=300, deadline=None)
def test_every_id_is_said_once_and_an_end_follows_its_beginning(history: History) -> None:
    reports = [r for r in plainly(history) if r.action != "pulse"]
    assert len({(r.source, r.source_id) for r in reports}) == len(reports)
    for alarm in ordered(reports).values():
        assert [r.action for r in alarm] == [("raised", "cleared")[n % 2] for n in range(len(alarm))]
        assert all(a.at is not None and b.at is not None and a.at <= b.at for a, b in zip(alarm[::2], alarm[1::2], strict=False))
