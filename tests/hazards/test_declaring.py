"""What may be declared, what is refused and where, and the states of a declaration as a table."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.declarations import SILENCING, Declaration, Declared
from hazards.declaring import AHEAD, BACKDATED, NEXT, Ground, Standing, Step, check_declaration, ended, standing
from hazards.errors import BadInput, NotInState
from hazards.key_periods import periods_of
from hazards.kinds import KINDS
from hazards.ledger.limits import DAY, HOUR
from hazards.ledger.policy import KeyPeriod
from hazards.messages import WHOLE_SITE
from hazards.works import WORKS, explains
from tests.hazards.signals import NOON
from tests.packs import POLICY

GROUND = Ground(known=True, devices={"CAM-1": frozenset(), "M-1": frozenset({"methane"}), "T-1": frozenset({"temperature"})})
GOOD: dict[Declared, dict[str, Any]] = {
    Declared.PERMIT: {"work": "hot_work", "guardian": "王五"}, Declared.CALIBRATION: {"devices": ["M-1"]},
    Declared.SHUTDOWN: {"reason": "检修"}, Declared.KEY_PERIOD: {"zone": WHOLE_SITE, "reason": "防汛"},
    Declared.SHELVED: {"devices": ["T-1"], "alarms": ["temperature_high"], "reason": "抖动"},
    Declared.OUT_OF_SERVICE: {"devices": ["CAM-1"], "reason": "维修"},
}  # fmt: skip
METHANE = frozenset({"methane_high", "methane_high_high"})


def made(kind: Declared, **changed: Any) -> Declaration:
    fields = {"id": "d", "zone": "smelter", "starts_at": NOON, "ends_at": NOON + 2 * HOUR} | GOOD.get(kind, {}) | changed
    return Declaration(kind=kind, **fields)


def refused(kind: Declared, ground: Ground = GROUND, **changed: Any) -> str:
    with pytest.raises(BadInput) as caught:
        check_declaration(made(kind, **changed), now=NOON, ground=ground)
    return caught.value.where


def test_many_calibrations_are_not_a_long_one() -> None:
    near = [made(Declared.CALIBRATION, id=f"c{n}", starts_at=NOON + n * 4 * HOUR, ends_at=NOON + (n + 1) * 4 * HOUR) for n in range(2)]
    ground = replace(GROUND, calibrations=near)
    assert refused(Declared.CALIBRATION, ground, starts_at=NOON + 20 * HOUR, ends_at=NOON + 21 * HOUR) == "/ends_at"
    assert refused(Declared.CALIBRATION, ground, devices=[], alarms=["flame"], starts_at=NOON, ends_at=NOON + HOUR) == "/ends_at"
    for other in ({"devices": ["T-1"]}, {"starts_at": NOON + 24 * HOUR, "ends_at": NOON + 28 * HOUR}):
        check_declaration(made(Declared.CALIBRATION, **({"ends_at": NOON + HOUR} | other)), now=NOON, ground=ground)


@pytest.mark.parametrize("kind", list(GOOD))
def test_what_is_complete_can_be_entered(kind: Declared) -> None:
    check_declaration(made(kind), now=NOON, ground=GROUND)


@pytest.mark.parametrize("kind", sorted(set(Declared) - set(GOOD)))
def test_what_follows_from_the_ledger_is_never_entered(kind: Declared) -> None:
    assert refused(kind) == "/kind"


PERMIT, CALIBRATION, SHELVED, OUT = Declared.PERMIT, Declared.CALIBRATION, Declared.SHELVED, Declared.OUT_OF_SERVICE


@pytest.mark.parametrize(
    ("kind", "changed", "where"),
    [
        (PERMIT, {"work": ""}, "/work"), (PERMIT, {"work": "cooking"}, "/work"), (PERMIT, {"guardian": ""}, "/guardian"),
        (PERMIT, {"zone": WHOLE_SITE}, "/zone"), (PERMIT, {"level": "fourth"}, "/level"), (PERMIT, {"ends_at": None}, "/ends_at"),
        (PERMIT, {"work": "lifting", "level": "first"}, "/level"), (PERMIT, {"devices": ["CAM-9"]}, "/devices/0"),
        (PERMIT, {"starts_at": NOON - BACKDATED - 1}, "/starts_at"), (PERMIT, {"starts_at": NOON + AHEAD + 1}, "/starts_at"),
        (PERMIT, {"ends_at": NOON}, "/ends_at"), (PERMIT, {"starts_at": NOON - 5, "ends_at": NOON - 1}, "/ends_at"),
        (PERMIT, {"ends_at": NOON + 8 * HOUR + 1}, "/ends_at"), (PERMIT, {"level": "first", "ends_at": NOON + 9 * HOUR}, "/ends_at"),
        (PERMIT, {"level": "second", "ends_at": NOON + 72 * HOUR + 1}, "/ends_at"),
        (PERMIT, {"work": "confined_space", "ends_at": NOON + 24 * HOUR + 1}, "/ends_at"), (PERMIT, {"alarms": ["F"]}, "/alarms/0"),
        (CALIBRATION, {"devices": []}, "/devices"), (CALIBRATION, {"ends_at": NOON + 4 * HOUR + 1}, "/ends_at"),
        (CALIBRATION, {"alarms": ["methane_high", "seal_broken"]}, "/alarms/1"), (CALIBRATION, {"work": "hot_work"}, "/work"),
        (CALIBRATION, {"guardian": "王五"}, "/guardian"),
        (Declared.SHUTDOWN, {"reason": ""}, "/reason"), (Declared.KEY_PERIOD, {"ends_at": None}, "/ends_at"),
        (SHELVED, {"ends_at": NOON + 24 * HOUR + 1}, "/ends_at"), (SHELVED, {"reason": " "}, "/reason"),
        (SHELVED, {"alarms": []}, "/alarms"), (SHELVED, {"ends_at": None}, "/ends_at"),
        (SHELVED, {"devices": []}, "/devices"), (SHELVED, {"devices": ["T-1", "CAM-1"]}, "/devices"),
        (SHELVED, {"alarms": ["smoke", "flame"]}, "/alarms"), (OUT, {"devices": []}, "/devices"), (OUT, {"reason": ""}, "/reason"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_at_its_field(kind: Declared, changed: dict[str, Any], where: str) -> None:
    assert refused(kind, **changed) == where


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        (PERMIT, {"level": "second", "ends_at": NOON + 72 * HOUR}), (PERMIT, {"work": "work_at_height", "ends_at": NOON + 7 * DAY}),
        (PERMIT, {"starts_at": NOON - BACKDATED}), (CALIBRATION, {"devices": [], "alarms": ["methane_high"]}),
        (SHELVED, {"ends_at": NOON + 24 * HOUR}), (OUT, {"ends_at": None}), (Declared.SHUTDOWN, {"ends_at": None}),
        (Declared.KEY_PERIOD, {"zone": "smelter"}), (OUT, {"devices": ["M-1"], "alarms": ["sensor_stale"]}),
    ],
)  # fmt: skip
def test_what_is_just_within_its_bounds_is_entered(kind: Declared, changed: dict[str, Any]) -> None:
    check_declaration(made(kind, **changed), now=NOON, ground=GROUND)


@pytest.mark.parametrize("alarm", sorted(METHANE))
@pytest.mark.parametrize("kind", sorted(SILENCING))
def test_methane_over_limit_is_never_silenced(kind: Declared, alarm: str) -> None:
    assert refused(kind, devices=["M-1"], alarms=[alarm]) == "/alarms/0"
    assert not made(kind, devices=["M-1"], alarms=[alarm]).is_of("smelter", "M-1", alarm), "even if it got in some other way"
    assert made(kind, devices=["M-1"], alarms=[]).is_of("smelter", "M-1", "sensor_stale")
    assert made(CALIBRATION, devices=["M-1"]).is_of("smelter", "M-1", alarm), "a calibration window labels it"


def test_a_whole_methane_sensor_is_not_taken_out_of_service() -> None:
    assert refused(OUT, devices=["CAM-1", "M-1"]) == "/devices/1"


def test_an_unregistered_device_can_be_silenced_and_a_zone_that_there_is_not_has_no_permit() -> None:
    nowhere = Ground(known=False, devices={})
    check_declaration(made(SHELVED, zone="unassigned", devices=["stranger"]), now=NOON, ground=nowhere)
    assert refused(PERMIT, nowhere) == "/zone" and refused(PERMIT, nowhere, zone="unassigned", devices=["stranger"]) == "/zone"


@pytest.mark.parametrize(
    ("kind", "measure", "starts", "ends", "refuses"),
    [
        (PERMIT, "stop_work", -9, None, True), (PERMIT, "seal", -9, None, True), (PERMIT, "stop_production", -9, None, False),
        (PERMIT, "stop_work", -9, -1, False), (PERMIT, "stop_work", HOUR, None, True), (CALIBRATION, "stop_work", -9, None, False),
    ],
)  # fmt: skip
def test_nobody_gets_a_permit_where_work_is_stopped(kind: Declared, measure: str, starts: int, ends: int | None, refuses: bool) -> None:
    order = Declaration(id="hazard:h:measure:1", kind=Declared.STOP_ORDER, zone="smelter", measure=measure, reason="应急局",
                        starts_at=NOON + starts, ends_at=None if ends is None else NOON + ends)  # fmt: skip
    ground = replace(GROUND, orders=[order])
    if not refuses:
        check_declaration(made(kind), now=NOON, ground=ground)
        return
    with pytest.raises(NotInState, match=f"work is stopped in this zone: {measure} .应急局., hazard:h:measure:1"):
        check_declaration(made(kind), now=NOON, ground=ground)


# --- states ---
def test_every_state_is_reached_by_the_table_and_what_is_over_stays_over() -> None:
    assert {Standing.ENTERED, *NEXT.values()} == set(Standing)
    over = {Standing.ENDED, Standing.EXPIRED, Standing.WITHDRAWN}
    assert {before for before, _ in NEXT} == set(Standing) - over and {step for _, step in NEXT} == set(Step)


def test_time_alone_begins_and_expires_it() -> None:
    permit = made(PERMIT)
    stands = [standing(permit, at) for at in (NOON - 1, NOON, NOON + 2 * HOUR - 1, NOON + 2 * HOUR)]
    assert stands == [Standing.ENTERED, Standing.IN_FORCE, Standing.IN_FORCE, Standing.EXPIRED]
    assert standing(made(OUT, ends_at=None), NOON + 900 * DAY) is Standing.IN_FORCE


@given(start=st.integers(0, 50), length=st.one_of(st.none(), st.integers(1, 50)), by=st.integers(0, 120), at=st.integers(0, 200))
def test_it_is_in_force_exactly_while_it_holds_whoever_ended_it_when(start: int, length: int | None, by: int, at: int) -> None:
    declared = made(OUT, starts_at=start, ends_at=None if length is None else start + length)
    try:
        after = ended(declared, at=by, by="wang", why="r")
    except NotInState:
        assert standing(declared, by) is Standing.EXPIRED
        return
    assert (standing(after, at) is Standing.IN_FORCE) == after.holds(at)
    assert standing(after, max(at, by)) is (Standing.WITHDRAWN if by < start else Standing.ENDED)
    with pytest.raises(NotInState):
        ended(after, at=max(at, by), by="li", why="r")


# --- kinds of work ---
WATCHING = {"overcrowding", "people_high_high", "seal_broken", "tamper", "blind_zone", "oxygen_low", "toxic_gas_high"}


def test_no_work_explains_gas_or_what_permits_are_watched_by() -> None:
    for work in WORKS.values():
        known = [KINDS[alarm] for alarm in work.explains if alarm in KINDS]
        assert known and not {kind.family for kind in known} & {"gas", "coverage"}, work.name
        assert not work.explains & (METHANE | WATCHING), work.name
        assert all(level.longest >= work.longest for level in work.levels), "no level named: the strictest holds"
    unknown = {alarm for work in WORKS.values() for alarm in work.explains} - set(KINDS)
    assert unknown <= {"hot_work_seen"}, "a detector to come"
    assert explains("hot_work", "flame") and not explains("lifting", "flame") and not explains("", "flame")


def test_a_key_period_of_the_pack_lasts_from_its_first_day_to_the_end_of_its_last() -> None:
    from zoneinfo import ZoneInfo

    pack = structs.replace(POLICY, key_periods=(KeyPeriod("p", "春节", "Spring", "2027-02-06", "2027-02-06", "record"),))
    (period,) = periods_of(pack, ZoneInfo("Asia/Shanghai"))
    assert period.ends_at is not None and period.ends_at - period.starts_at == 24 * HOUR
    assert (period.id, period.kind, period.entered_by) == ("pack:p", Declared.KEY_PERIOD, POLICY.version)
