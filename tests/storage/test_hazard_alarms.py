"""Alarms and hazards in both directions on SQLite and PostgreSQL: marked, opened again or repeated, never two for one cause, never an
alarm lost for it; and incidents that carry the open hazards of their zone."""

from functools import partial

import pytest
from msgspec import structs
from sqlalchemy import func, select, update

from bus.codecs import decode
from hazards.errors import BihuanError
from hazards.ledger import commands as ask
from hazards.ledger.hazard import Hazard, Origin
from hazards.ledger.lifecycle import State
from hazards.ledger.rulings import NotByRule
from hazards.messages import HazardLink, IncidentMessage, Signal
from hazards.scope import EVERYTHING
from hazards.zones import Device
from storage import schema
from storage.database import Database
from storage.hazard_queries import get_hazard, hazard_events, list_hazards
from storage.hazards import Outcome
from storage.incident_hazards import SHOWN, count_hazards
from storage.incident_queries import incident_events, list_incidents
from storage.incidents import StaleState, apply_signals
from storage.ledger_clocks import tick_hazard
from storage.site_store import apply_site, current_registry
from storage.zone_hazards import open_hazards
from tests.hazards.signals import NOON, SECOND, signal
from tests.storage.at_once import at_once
from tests.storage.rows import as_recorded
from tests.storage.test_hazards import BY_HAND, DAY, DEPARTMENT, OFFICER, PAPER, SITE, give, messages, put_down, rectifying, take

HEAT = structs.replace(BY_HAND, kind="heat", title="炉壁超温")
DRILL = Device("DRILL", "smelter", "sensor", settings={"metric": "temperature", "synthetic": True})


@pytest.fixture
def park(database: Database) -> Database:
    with database.write() as connection:
        devices = [*SITE.devices, Device("CAM-3", "smelter", "camera"), DRILL]
        apply_site(connection, structs.replace(SITE, devices=devices), by="test", now=NOON)
    return database


def hot(n: int, at: float, device: str = "T-1", *, severity: int | None = None, kind: str = "temperature_high") -> list[Signal]:
    """A sensor's alarm that comes and ends a second later."""
    return [signal(2 * n, device=device, kind=kind, at=at, severity=severity),
            signal(2 * n + 1, "cleared", device=device, kind=kind, at=at + 1)]  # fmt: skip


def claimed(database: Database, command: ask.Propose = HEAT) -> Hazard:
    hazard = rectifying(database, command)
    return give(database, hazard, ask.Claim(note="已处理", evidence=[PAPER]), OFFICER).hazard


def closed(database: Database, command: ask.Propose = HEAT, *, after: float = 0) -> Hazard:
    hazard, now = claimed(database, command), NOON + int(after * SECOND)
    give(database, hazard, ask.Accept(), now=now)
    return give(database, hazard, ask.Close(), now=now).hazard


def read(database: Database, hazard: Hazard) -> Hazard:
    with database.read() as connection:
        assert as_recorded(connection, hazard.id)
        return get_hazard(connection, hazard.id, scope=EVERYTHING)


def everything(database: Database) -> list[Hazard]:
    with database.read() as connection:
        return list_hazards(connection, scope=EVERYTHING, now=NOON)[0]


def events(database: Database, hazard: Hazard) -> list[str]:
    with database.read() as connection:
        return [row.entry.event for row in hazard_events(connection, hazard.id, scope=EVERYTHING, limit=1000)[0]]


def incidents(database: Database) -> list[IncidentMessage]:
    with database.read() as connection:
        return list_incidents(connection, scope=EVERYTHING)[0]


def told(database: Database) -> list[IncidentMessage]:
    with database.read() as connection:
        query = select(schema.outbox.c.payload).where(schema.outbox.c.topic == "incidents").order_by(schema.outbox.c.id)
        return [decode(IncidentMessage, payload) for payload in connection.scalars(query)]


def test_an_alarm_since_the_claim_marks_the_hazard_once_and_the_gate_refuses(park: Database) -> None:
    hazard = claimed(park)
    take(park, *hot(1, 5))
    take(park, *hot(2, 7))  # the same incident
    marked = read(park, hazard)
    (incident,) = incidents(park)
    assert [(a.incident, a.device, a.kind) for a in marked.alarms_since_claim] == [(incident.id, "T-1", "temperature_high")]
    assert events(park, hazard)[-2:] == ["claimed", "alarm_since_claim"] and messages(park)[-1].event == "alarm_since_claim"
    assert {"department", "park_command"} <= set(messages(park)[-1].tells)
    with park.read() as connection:
        (found,), _ = list_hazards(connection, scope=EVERYTHING, now=NOON, marks=["alarm_since_claim"])
        assert [e.event for e in incident_events(connection, incident.id, scope=EVERYTHING)[0]].count("hazard_marked") == 1
    assert found.id == hazard.id and [link.id for link in told(park)[0].hazards] == [hazard.id]
    refused = give(park, hazard, ask.Accept(), now=NOON + 10 * SECOND).refusal
    assert isinstance(refused, NotByRule)
    take(park, *hot(3, 1000))
    assert len(read(park, hazard).alarms_since_claim) == 2, "another incident"


def test_a_closed_hazard_is_opened_again_by_more_than_one_cameras_word_and_only_once(park: Database) -> None:
    hazard = closed(park, BY_HAND)
    take(park, signal(1, at=3600))
    assert read(park, hazard).state is State.CLOSED, "one camera"
    take(park, signal(2, device="CAM-3", at=3610))
    back = read(park, hazard)
    (incident,) = incidents(park)
    assert (back.state, back.incidents, back.claim, back.last_actor) == (State.CONFIRMED, [incident.id], None, "bihuan")
    assert messages(park)[-1].basis["rule"] == "recurrence_by_alarm"
    take(park, signal(3, device="T-1", kind="temperature_high", at=3620))
    assert (incidents(park)[0].severity, incidents(park)[0].certainty.value) == (1, "observed")
    assert [h.id for h in everything(park)] == [hazard.id], "it has its cause on the list: a rule proposes no second one"
    assert [link.id for link in told(park)[-1].hazards] == [hazard.id] and told(park)[-1].hazards[0].same


def test_of_several_that_were_closed_the_newest_comes_back(park: Database) -> None:
    old = closed(park, HEAT)
    give(park, (new := put_down(park, HEAT, command_id="2")[0]), ask.Confirm(grade="serious"))
    give(park, new, ask.StartRectification(), OFFICER)
    give(park, new, ask.Claim(note="x", evidence=[PAPER]), OFFICER)
    for command in (ask.Accept(), ask.Close()):
        give(park, new, command, now=NOON + SECOND)
    take(park, *hot(1, 60))
    assert (read(park, old).state, read(park, new).state) == (State.CLOSED, State.CONFIRMED)


def test_later_a_repeat_is_proposed_that_names_it_and_no_second_one_while_that_is_open(park: Database) -> None:
    hazard, day = closed(park), DAY / SECOND
    take(park, *hot(1, 30 * day, severity=3))
    assert len(everything(park)) == 1, "not grave enough"
    take(park, *hot(2, 31 * day))
    repeat = next(h for h in everything(park) if h.id != hazard.id)
    assert (repeat.state, repeat.origin, repeat.repeat_of, repeat.kind) == (State.PROPOSED, Origin.RULE, [hazard.id], "heat")
    assert (repeat.proposed_grade, repeat.enterprise, repeat.incident) == ("major", "alu", incidents(park)[0].id), "serious, once graver"
    assert "T-1" in repeat.description and read(park, hazard).state is State.CLOSED
    take(park, *hot(3, 32 * day))
    assert len(everything(park)) == 2 and len(incidents(park)) == 3


def test_what_a_rule_proposes_by_severity_names_the_closed_one_of_which_its_alarms_speak(park: Database) -> None:
    hazard, day = closed(park), DAY / SECOND  # of heat, and the incident will be shown as a fire
    take(park, signal(1, at=10 * day), signal(2, device="T-1", kind="temperature_high", at=10 * day + 1))
    proposed = [h for h in everything(park) if h.id != hazard.id]
    assert [(h.repeat_of, h.grade) for h in proposed] == [([hazard.id], "major")]


def test_a_drill_and_a_real_hazard_never_meet(park: Database) -> None:
    hazard = closed(park)
    take(park, *[structs.replace(s, synthetic=True) for s in hot(1, 60, "DRILL")])
    assert read(park, hazard).state is State.CLOSED and len(everything(park)) == 1


def test_a_hazard_that_cant_be_read_costs_no_alarm(park: Database) -> None:
    hazard = claimed(park)
    with park.write() as connection:
        connection.execute(update(schema.hazards).values(body="{}"))
    take(park, *hot(1, 5))
    with park.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.alarms)) == 2
        here = select(func.count()).where(schema.hazard_events.c.hazard == hazard.id)
        assert connection.scalar(here) == hazard.version, "and nothing of it is half done"
    assert len(incidents(park)) == 1


@pytest.mark.parametrize("turn", range(3))
def test_closing_and_an_alarm_at_once_never_leave_it_closed(park: Database, turn: int) -> None:
    hazard = claimed(park)
    give(park, hazard, ask.Accept())
    close, alarm = partial(give, park, hazard, ask.Close(), now=NOON + 5 * SECOND), partial(_apply, park, hot(1, 5))
    found = at_once(*((close, alarm) if turn % 2 else (alarm, close)))
    after, made = read(park, hazard), events(park, hazard)
    assert (after.state, made[-1]) in {(State.CONFIRMED, "reopened"), (State.ACCEPTED, "gate_refused")}
    assert ("closed" in made) == ("reopened" in made)
    assert not [each for each in found if isinstance(each, BihuanError)] and len(incidents(park)) == 1


def test_two_workers_open_it_once(park: Database) -> None:
    hazard = closed(park)
    at_once(*[partial(_apply, park, hot(n, 60 + n)) for n in (1, 2, 1, 3)])
    assert events(park, hazard).count("reopened") == 1 and len(everything(park)) == 1
    before = read(park, hazard)
    _apply(park, [*hot(1, 61), *hot(2, 62), *hot(3, 63)])
    assert read(park, hazard) == before, "a replay has no effect"


def _apply(database: Database, signals: list[Signal]) -> Outcome | None:
    while True:
        try:
            with database.write() as connection:
                apply_signals(connection, signals, now=max(s.received_at for s in signals))
            return None
        except StaleState:
            continue


# --- what weighs, what an incident carries ---


def test_an_overdue_hazard_that_a_person_confirmed_makes_its_alarms_graver(park: Database) -> None:
    hazard, now = rectifying(park), NOON + 20 * DAY
    put_down(park, structs.replace(BY_HAND, kind="gas", title="只是拟定"), command_id="2")
    for each in everything(park):
        while True:
            with park.write() as connection:
                if not tick_hazard(connection, each.id, now=now):
                    break
    with park.read() as connection:
        found = open_hazards(connection, current_registry(connection), ["smelter", "depot", "unassigned"])
    assert [(h.id, h.kind, h.synthetic) for h in found["smelter"]] == [(hazard.id, "fire", False)] and list(found) == ["smelter"]
    take(park, signal(1, at=20 * DAY / SECOND), signal(2, device="CAM-9", kind="intrusion", at=20 * DAY / SECOND))
    assert {i.family: i.severity for i in incidents(park)} == {"fire": 1, "access": 2}


def test_an_incident_carries_the_first_due_of_its_zone_those_first_of_which_it_speaks(park: Database) -> None:
    for n in range(SHOWN + 2):
        general = structs.replace(BY_HAND, kind="training", grade="general", title=f"未持证 {n}")
        put_down(park, general, command_id=f"t{n}", now=NOON - n * DAY)
    fire = put_down(park, command_id="f")[0]
    put_down(park, structs.replace(BY_HAND, zone="depot"), command_id="d")
    take(park, signal(1), signal(2, device="CAM-2", zone="depot", kind="intrusion"))
    by_zone = {m.zone: m for m in told(park)}
    links = by_zone["smelter"].hazards
    assert (len(links), links[0].id, [link.same for link in links]) == (SHOWN, fire.id, [True] + [False] * (SHOWN - 1))
    assert [link.title for link in links[1:3]] == [f"未持证 {SHOWN + 1}", f"未持证 {SHOWN}"] and links[1].overdue
    assert [(link.kind, link.same) for link in by_zone["depot"].hazards] == [("fire", False)]
    assert isinstance(links[0], HazardLink) and incidents(park)[0].hazards == [], "what is stored of an incident stays its own"
    with park.read() as connection:
        counts = count_hazards(connection, incidents(park), now=NOON)
    found = {i.zone: (counts[i.id].open, counts[i.id].overdue) for i in incidents(park)}
    assert found == {"smelter": (SHOWN + 3, SHOWN + 1), "depot": (1, 0)}


def test_the_department_is_told_of_a_reopened_one_and_its_clock_begins_anew(park: Database) -> None:
    hazard = closed(park)
    take(park, *hot(1, 3600))
    back, message = read(park, hazard), messages(park)[-1]
    assert {"enterprise", "department"} <= set(message.tells) and back.due_at is not None and back.due_at > NOON + 14 * DAY
    assert give(park, back, ask.StartRectification(), OFFICER, now=NOON + DAY).hazard.state is State.RECTIFYING
    assert DEPARTMENT.role == "department"
