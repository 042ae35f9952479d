"""A back-test says what ran live, and what another rule would have said."""

from hypothesis import given, settings

from hazards.admission import Report
from hazards.back_test import back_test
from hazards.evaluation import Evaluation
from hazards.rule_resolution import sensors_with_rules
from hazards.sensors import rules_of
from hazards.telemetry import Reading, pack_readings
from hazards.zones import Site
from tests.hazards.telemetry_histories import SECOND, ZONES, History, histories
from tests.hazards.test_rule_checks import rule
from tests.hazards.test_rule_resolution import NOW, SHANGHAI, device
from tests.hazards.test_rule_resolution import ZONES as KNOWN


def _named(reports: list[Report]) -> list[tuple[str, str | None, str]]:
    return sorted((r.source, r.source_id, r.action.value) for r in reports)


@given(histories(ticks=False))
@settings(max_examples=50)
def test_it_finds_what_ran_live(history: History) -> None:
    live = Evaluation(history.sensors)
    for zone in ZONES:
        live.restore(zone, None, history.packs[0].received_at if history.packs else 0)
    reports = [report for pack in history.packs for report in live.take([pack])]
    silent = {s.device for s in history.sensors.values() if s.stale_after is not None}
    found = back_test(history.sensors, history.packs)
    assert _named([r for r in found if r.device not in silent]) == _named([r for r in reports if r.device not in silent])


def test_a_rule_is_tried_before_it_is_switched_on() -> None:
    site = Site(id="s", name="s", zones=KNOWN, devices=[device()])
    packs = [pack_readings("hall", [Reading("D-1/temperature", NOW + n * SECOND, 50.0 + n)], NOW + n * SECOND) for n in range(20)]
    counts = {}
    for limit in (55.0, 65.0, 99.0):
        sensors = sensors_with_rules(site, [rule(limit=limit, on_delay=3 * SECOND)], (), now=NOW, time_zone=SHANGHAI)
        assert rules_of(sensors["D-1/temperature"])[0].limit == limit
        counts[limit] = [((r.at or 0) - NOW) // SECOND for r in back_test(sensors, packs, until=NOW + 60 * SECOND)]
    assert counts == {55.0: [8], 65.0: [18], 99.0: []}
