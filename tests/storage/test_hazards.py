"""The ledger's SQL on SQLite and PostgreSQL: decided at once, once, in one chain; and what the zone's devices said."""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import func, select, update

from bus.codecs import decode
from hazards.errors import BadInput, Conflict, NotFound
from hazards.incidents import Close
from hazards.ledger import commands as ask
from hazards.ledger.hazard import Actor, Hazard, Origin, is_overdue
from hazards.ledger.lifecycle import State
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.record import GENESIS, chained, read_entry
from hazards.ledger.repeats import MOST_NAMED
from hazards.ledger.rulings import NotByRule, NotForRole
from hazards.messages import HazardMessage, Signal
from hazards.scope import EVERYTHING, Scope
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage import schema
from storage.commands import command_incident
from storage.database import Database
from storage.hazard_queries import broken_at, get_hazard, hazard_events, list_hazards, overdue_at
from storage.hazards import Outcome, command_hazard, preview_gate, propose_hazard
from storage.incident_queries import list_incidents
from storage.incidents import apply_signals, wake_zones
from storage.outbox import give_positions
from storage.policies import apply_policy
from storage.site_store import apply_site
from tests.hazards.signals import NOON, SECOND, signal
from tests.packs import POLICY
from tests.storage.rows import as_recorded
from tests.storage.tampering import lift_guards

DAY = 24 * 3600 * SECOND
SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业"), Enterprise("chem", "化工")],
    zones=[Zone("smelter", "熔铸车间", Grade.RED, "alu"), Zone("depot", "危废库", Grade.ORANGE, "chem"),
           Zone("pipe", "管线", Grade.YELLOW)],
    devices=[Device("CAM-1", "smelter", "camera", detectors=["flame"]), Device("CAM-9", "smelter", "camera", detectors=["intrusion"]),
             Device("T-1", "smelter", "sensor", settings={"metric": "temperature"}), Device("CAM-2", "depot", "camera")],
)  # fmt: skip
OFFICER, DEPARTMENT, OPERATOR = Actor("li", "enterprise", "alu"), Actor("zhao", "department"), Actor("wang", "operator")
PAPER = Paper(stage=Stage.AFTER, taken_at=NOON, place="炉前", document="记录7")
BY_HAND = ask.Propose(zone="smelter", kind="fire", grade="serious", title="炉前明火")


@pytest.fixture
def park(database: Database) -> Database:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    return database


def take(database: Database, *signals: Signal) -> None:
    with database.write() as connection:
        apply_signals(connection, signals, now=max(s.received_at for s in signals))


def put_down(
    database: Database, command: ask.Propose = BY_HAND, *, actor: Actor = OPERATOR, scope: Scope = EVERYTHING, command_id: str = "1",
    now: int = NOON,
) -> tuple[Hazard, bool]:  # fmt: skip
    with database.write() as connection:
        return propose_hazard(connection, command, actor=actor, scope=scope, command_id=command_id, now=now)


def give(database: Database, hazard: Hazard, command: ask.HazardCommand, actor: Actor = DEPARTMENT, **options: Any) -> Outcome:
    options = {"scope": EVERYTHING, "now": NOON} | options
    with database.write() as connection:
        return command_hazard(connection, hazard.id, command, actor=actor, **options)


def rectifying(database: Database, command: ask.Propose = BY_HAND, now: int = NOON) -> Hazard:
    hazard, _ = put_down(database, command, now=now)
    give(database, hazard, ask.Confirm(grade="serious"), now=now)
    return give(database, hazard, ask.StartRectification(), OFFICER, now=now).hazard


def messages(database: Database) -> list[HazardMessage]:
    with database.write() as connection:
        give_positions(connection)
        query = select(schema.outbox.c.payload).where(schema.outbox.c.topic == "hazards").order_by(schema.outbox.c.position)
        return [decode(HazardMessage, payload) for payload in connection.scalars(query)]


def test_whom_the_pack_does_not_let_puts_nothing_down_whatever_way_in(park: Database) -> None:
    with pytest.raises(NotForRole, match="the role analyst may not propose"):
        put_down(park, actor=Actor("qian", "analyst"))
    assert messages(park) == []


def test_each_command_is_one_version_one_entry_and_one_message(park: Database) -> None:
    hazard = rectifying(park)
    claimed = give(park, hazard, ask.Claim(note="已处理", evidence=[PAPER]), OFFICER).hazard
    assert (claimed.state, claimed.version) == (State.CLAIMED, 4)
    with park.read() as connection:
        rows, _ = hazard_events(connection, hazard.id, scope=EVERYTHING)
        assert get_hazard(connection, hazard.id, scope=Scope(enterprise="alu")) == claimed
        assert broken_at(connection, hazard.id) is None and as_recorded(connection, hazard.id)
    assert [row.entry.event for row in rows] == ["proposed", "confirmed", "rectification_started", "claimed"]
    assert [row.entry.number for row in rows] == [1, 2, 3, 4] and rows[0].entry.role == "operator"
    assert rows[1].entry.details["due_basis"]["kind"] == "interpretation" and rows[1].entry.policy == POLICY.version
    previous = GENESIS
    for row in rows:
        previous = chained(previous, row.data)
        assert row.digest == previous and msgspec.json.encode(row.entry, order="sorted") == row.data
    sent = messages(park)
    assert [(m.event, m.state, m.version) for m in sent] == [
        ("proposed", "proposed", 1), ("confirmed", "confirmed", 2), ("rectification_started", "rectifying", 3), ("claimed", "claimed", 4)
    ]  # fmt: skip
    assert sent[1].due_at == claimed.due_at and sent[1].basis["rule"] == "confirmed_by_person" and sent[1].enterprise == "alu"


def test_a_changed_missing_or_cut_off_entry_is_found(park: Database) -> None:
    hazard = rectifying(park)
    table = schema.hazard_events

    def broken_after(statement: Any) -> int | None:
        with park.write() as connection:
            lift_guards(connection)
            connection.execute(statement)
            found = broken_at(connection, hazard.id)
            connection.rollback()
            return found

    with park.read() as connection:
        body = connection.execute(select(table.c.body).where(table.c.number == 2)).scalar_one()
    forged = body.replace(b'"serious"', b'"general"')
    assert forged != body and broken_after(update(table).where(table.c.number == 2).values(body=forged)) == 2
    assert broken_after(table.delete().where(table.c.number == 1)) == 1
    assert broken_after(table.delete().where(table.c.number == 2)) == 2
    assert broken_after(table.delete().where(table.c.number == 3)) == 3


def test_what_is_asked_for_twice_happens_once(park: Database) -> None:
    hazard, new = put_down(park)
    again, twice = put_down(park)
    assert new and not twice and again == hazard
    assert put_down(park, command_id="2")[0].id != hazard.id and put_down(park, actor=DEPARTMENT)[0].id != hazard.id
    first = give(park, hazard, ask.Comment(text="x"), command_id="c1")
    second = give(park, hazard, ask.Comment(text="x"), command_id="c1")
    assert (first.repeated, second.repeated, second.hazard.version) == (False, True, 2)
    with pytest.raises(Conflict, match="used for another command"):
        give(park, hazard, ask.Confirm(grade="serious"), command_id="c1")
    with pytest.raises(Conflict):
        give(park, hazard, ask.Comment(text="x"), OPERATOR, command_id="c1")


def test_many_who_propose_from_one_incident_propose_one_hazard(park: Database) -> None:
    take(park, signal(1))
    with park.read() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
    command = ask.Propose(zone="", kind="", grade="", title="", incident=incident.id)
    found: list[tuple[Hazard, bool]] = []
    start = threading.Barrier(4)

    def work(n: int) -> None:
        start.wait()
        found.append(put_down(park, command, actor=Actor(f"p{n}", "operator"), command_id=str(n)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({hazard.id for hazard, _ in found}) == 1 and [new for _, new in found].count(True) == 1
    hazard = found[0][0]
    assert (hazard.grade, hazard.kind, hazard.title, hazard.origin) == ("serious", "fire", "熔铸车间：火灾隐患（明火）", Origin.INCIDENT)
    assert len(messages(park)) == 1


def test_merging_proposes_a_hazard_once_when_independent_sources_agree(park: Database) -> None:
    take(park, signal(1), signal(2, device="CAM-2", zone="depot", kind="intrusion"))

    def proposed() -> list[Hazard]:
        with park.read() as connection:
            return list_hazards(connection, scope=EVERYTHING, now=NOON)[0]

    assert proposed() == [], "one source alone is not certain"
    take(park, signal(3, device="T-1", kind="temperature_high", at=1))
    take(park, signal(4, at=2), signal(5, device="T-1", kind="temperature_high", at=3))
    (hazard,) = proposed()
    assert (hazard.origin, hazard.proposed_by, hazard.enterprise) == (Origin.RULE, "bihuan", "alu")
    assert (hazard.confirmed, hazard.grade, hazard.kind) == (False, "major", "fire")
    with park.read() as connection:
        (row,) = hazard_events(connection, hazard.id, scope=EVERYTHING)[0]
        assert list_incidents(connection, scope=EVERYTHING, zone="smelter")[0][0].id == hazard.incident
    assert (row.entry.basis["rule"], row.entry.basis["kind"]) == ("severity_1_observed", "platform_default")
    assert [m.event for m in messages(park)] == ["proposed"]
    assert not put_down(park, ask.Propose(zone="", kind="", grade="", title="", incident=hazard.incident))[1]


def test_a_rule_raises_the_grade_that_somebody_proposed_lower_until_a_person_has_decided(park: Database) -> None:
    take(park, signal(1))
    with park.read() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
    low = ask.Propose(zone="", kind="", grade="general", title="", incident=incident.id)
    hazard, _ = put_down(park, low, actor=OFFICER, scope=Scope(enterprise="alu"))
    take(park, signal(2, device="T-1", kind="temperature_high", at=1), signal(3, at=2))
    take(park, signal(4, at=3))
    with park.read() as connection:
        raised = get_hazard(connection, hazard.id, scope=EVERYTHING)
        rows, _ = hazard_events(connection, hazard.id, scope=EVERYTHING)
        assert broken_at(connection, hazard.id) is None and as_recorded(connection, hazard.id)
    assert (raised.grade, raised.state, raised.confirmed, raised.version) == ("major", State.PROPOSED, False, 2)
    assert raised.due_at is not None and hazard.due_at is not None and raised.due_at - hazard.due_at == 15 * DAY
    assert [(row.entry.event, row.entry.actor) for row in rows] == [("proposed", "li"), ("grade_raised", "bihuan")]
    give(park, hazard, ask.Confirm(grade="general"))
    take(park, signal(5, at=4))
    with park.read() as connection:
        assert get_hazard(connection, hazard.id, scope=EVERYTHING).grade == "general", "a person has decided"


def test_only_the_alarms_of_the_kind_count_not_what_was_merged_with_them(park: Database) -> None:
    take(park, signal(1), signal(2, device="T-1", kind="temperature_high", at=1))
    with park.read() as connection:
        (hazard,), _ = list_hazards(connection, scope=EVERYTHING, now=NOON)
        answer = preview_gate(connection, hazard, now=NOON + 2 * SECOND)
    assert answer is not None and [(e.kinds, e.devices) for e in answer.evidence] == [(["flame"], ["CAM-1"])]
    take(park, signal(3, "cleared", at=3))
    with park.read() as connection:
        assert list_incidents(connection, scope=EVERYTHING)[0][0].state == "active", "the temperature still stands"
        answer = preview_gate(connection, hazard, now=NOON + 4 * SECOND)
    assert answer is not None and answer.verdict == "clear"


def test_the_gate_names_the_incident_that_speaks_against_a_claim(park: Database) -> None:
    hazard = rectifying(park)
    take(park, signal(1, at=1))
    refused = give(park, hazard, ask.Claim(note="x", evidence=[PAPER]), OFFICER, now=NOON + 2 * SECOND, command_id="c")
    assert isinstance(refused.refusal, NotByRule) and refused.refusal.gate is not None
    (evidence,) = refused.refusal.gate.evidence
    with park.read() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
    assert (evidence.incident, evidence.why, evidence.devices) == (incident.id, "standing", ["CAM-1"])
    assert refused.hazard.state is State.RECTIFYING and messages(park)[-1].event == "gate_refused"
    again = give(park, hazard, ask.Claim(note="x", evidence=[PAPER]), OFFICER, now=NOON + 3 * SECOND, command_id="c")
    assert again.repeated and again.refusal is not None and again.refusal.gate == refused.refusal.gate
    with pytest.raises(NotByRule, match="still speaks against it"):
        give(park, hazard, ask.Claim(note="x", evidence=[PAPER]), OFFICER, now=NOON + 4 * SECOND)
    take(park, signal(2, "cleared", at=5))
    assert give(park, hazard, ask.Claim(note="x"), OFFICER, now=NOON + 6 * SECOND).hazard.state is State.CLAIMED


def test_what_came_after_the_claim_and_went_still_refuses_acceptance(park: Database) -> None:
    take(park, signal(1), signal(2, "cleared", at=1))
    hazard = give(park, rectifying(park, now=NOON + 2 * SECOND), ask.Claim(note="x"), OFFICER, now=NOON + 10 * SECOND).hazard
    take(park, signal(3, "cleared", at=11))  # an end alone is nothing new
    with park.read() as connection:
        preview = preview_gate(connection, hazard, now=NOON + 12 * SECOND)
    assert preview is not None and (preview.verdict, preview.since) == ("clear", NOON + 10 * SECOND)
    take(park, signal(4, at=20), signal(5, at=21), signal(6, "cleared", at=22))
    refused = give(park, hazard, ask.Accept(), now=NOON + 30 * SECOND)
    assert refused.refusal is not None and refused.refusal.gate is not None
    (evidence,) = refused.refusal.gate.evidence
    assert (evidence.why, evidence.raised, evidence.last_at) == ("raised_since", 2, NOON + 21 * SECOND)
    give(park, hazard, ask.Refuse(reason="复燃"), now=NOON + 31 * SECOND)
    give(park, hazard, ask.Claim(note="再次整改"), OFFICER, now=NOON + 40 * SECOND)
    assert give(park, hazard, ask.Accept(), now=NOON + 50 * SECOND).hazard.state is State.ACCEPTED
    take(park, signal(7, at=60))
    assert give(park, hazard, ask.Close(), now=NOON + 61 * SECOND).refusal is not None
    with park.write() as connection:
        (incident,) = [i for i in list_incidents(connection, scope=EVERYTHING)[0] if i.state == "active"]
        command_incident(connection, incident.id, Close(reason="误报"), actor="wang", scope=EVERYTHING, now=NOON + 62 * SECOND)
    still = give(park, hazard, ask.Close(), Actor("bo", "bureau"), now=NOON + 63 * SECOND)
    assert still.refusal is not None, "closing the incident by hand does not unsay what came since the claim"


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [([signal(1, device="T-1", kind="temperature_high")], "clear"), ([signal(1, device="T-1", kind="temperature_high_high")], "refuted"),
     ([signal(1, device="CAM-9", kind="intrusion")], "clear"), ([signal(1, device="CAM-2", zone="depot")], "clear"),
     ([signal(1, kind="camera_offline")], "blind"), ([signal(1, kind="tamper"), signal(2, "cleared", kind="tamper", at=0.1)], "clear"),
     ([signal(1, kind="tamper"), signal(2, kind="tamper", device="CAM-9"), signal(3, "cleared", kind="tamper", at=0.1)], "clear"),
     ([signal(1, "pulse", kind="smoke", at=2)], "refuted")],
)  # fmt: skip
def test_what_counts_as_evidence(park: Database, signals: Sequence[Signal], verdict: str) -> None:
    hazard = give(park, rectifying(park), ask.Claim(note="x", evidence=[PAPER]), OFFICER).hazard
    take(park, *signals)
    with park.read() as connection:
        answer = preview_gate(connection, hazard, now=NOON + 5 * SECOND)
    assert answer is not None and answer.verdict == verdict


@pytest.mark.parametrize(("zone", "kind"), [("smelter", "training"), ("depot", "fire"), ("pipe", "fire"), ("smelter", "odd_kind")])
def test_where_nothing_observes_the_gate_is_not_applicable(park: Database, zone: str, kind: str) -> None:
    hazard, _ = put_down(park, msgspec.structs.replace(BY_HAND, zone=zone, kind=kind))
    with park.read() as connection:
        answer = preview_gate(connection, hazard, now=NOON)
    assert answer is not None and answer.verdict == "not_applicable" and answer.reasons == ["no_watcher", "papers_needed"]


def test_a_device_that_raised_the_alarm_can_tell_also_without_a_detector_in_the_site(park: Database) -> None:
    take(park, signal(1, device="NVR-7"), signal(2, "cleared", device="NVR-7", at=1))
    with park.write() as connection:
        wake_zones(connection, now=NOON + DAY)
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
    hazard, _ = put_down(park, ask.Propose(zone="", kind="", grade="", title="", incident=incident.id), now=NOON + DAY)
    with park.read() as connection:
        answer = preview_gate(connection, hazard, now=NOON + DAY)
    assert answer is not None and {w.device for w in answer.watchers} == {"CAM-1", "NVR-7"}


def test_an_unregistered_device_speaks_only_for_its_own_hazard(park: Database) -> None:
    take(park, signal(1, zone="unassigned", device="N-1"), signal(2, zone="unassigned", device="N-2"))
    with park.read() as connection:
        incidents, _ = list_incidents(connection, scope=EVERYTHING)
    for incident in incidents:
        hazard, _ = put_down(park, ask.Propose(zone="", kind="", grade="", title="", incident=incident.id))
        with park.read() as connection:
            answer = preview_gate(connection, hazard, now=NOON)
        assert answer is not None and [e.incident for e in answer.evidence] == [incident.id]


def test_the_scope_of_an_enterprise_holds_on_every_query(park: Database) -> None:
    take(park, signal(1))
    own, _ = put_down(park, actor=OFFICER, scope=Scope(enterprise="alu"))
    assert own.origin is Origin.SELF_INSPECTION
    theirs, _ = put_down(park, msgspec.structs.replace(BY_HAND, zone="depot"))
    with park.read() as connection:
        assert [h.id for h in list_hazards(connection, scope=Scope(enterprise="alu"), now=NOON)[0]] == [own.id]
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        for read in (get_hazard, hazard_events):
            with pytest.raises(NotFound):
                read(connection, theirs.id, scope=Scope(enterprise="alu"))
    with pytest.raises(NotFound):
        give(park, theirs, ask.Comment(text="x"), OFFICER, scope=Scope(enterprise="alu"))
    for zone in ("depot", "pipe", "nowhere"):
        with pytest.raises(BadInput, match="no zone"):
            put_down(park, msgspec.structs.replace(BY_HAND, zone=zone), actor=OFFICER, scope=Scope(enterprise="alu"))
    with pytest.raises(NotFound):
        chem = Actor("c", "enterprise", "chem")
        put_down(park, msgspec.structs.replace(BY_HAND, incident=incident.id), actor=chem, scope=Scope(enterprise="chem"))
    with pytest.raises(BadInput, match="in another zone"):
        put_down(park, msgspec.structs.replace(BY_HAND, incident=incident.id, zone="depot"))


def test_lists_page_and_filter(park: Database) -> None:
    wanted = [("general", "smelter"), ("serious", "depot"), ("major", "smelter"), ("serious", "pipe")]
    made = [
        put_down(park, msgspec.structs.replace(BY_HAND, grade=grade, zone=zone), command_id=str(n), now=NOON + n * SECOND)[0]
        for n, (grade, zone) in enumerate(wanted)
    ]
    give(park, made[1], ask.Confirm(grade="serious"))
    give(park, made[3], ask.Dismiss(reason="误报"))

    def ids(now: int = NOON, **filters: Any) -> list[int]:
        found, cursor = [], None
        with park.read() as connection:
            while True:
                page, cursor = list_hazards(connection, scope=EVERYTHING, now=now, limit=1, cursor=cursor, **filters)
                found += [[m.id for m in made].index(h.id) for h in page]
                if cursor is None:
                    return found

    assert ids() == [3, 2, 1, 0]
    assert ids(states=["confirmed", "dismissed"]) == [3, 1] and ids(grades=["serious"]) == [3, 1]
    assert ids(zone="smelter") == [2, 0] and ids(enterprise="chem") == [1] and ids(incident="none") == []
    assert ids(overdue=True) == [] and ids(now=NOON + 2 * DAY, overdue=True) == [0]
    assert ids(now=NOON + 99 * DAY, overdue=True) == [2, 1, 0] and ids(now=NOON + 99 * DAY, overdue=False) == [3]


def test_where_the_place_counts_any_number_of_hazards_elsewhere_hides_no_repeat(park: Database) -> None:
    """Shanxi: a third one of the same kind in the same zone is a repeat."""
    with park.write() as connection:
        kiln = Zone("kiln", "回转窑", Grade.RED, "alu")
        apply_site(connection, structs.replace(SITE, policy="shanxi", zones=[*SITE.zones, kiln]), by="test", now=NOON)
    zones = ["kiln", "kiln", *["smelter"] * (MOST_NAMED + 2), "kiln"]
    made = [
        put_down(park, structs.replace(BY_HAND, grade="general", zone=zone), command_id=str(n), now=NOON + n * SECOND)[0]
        for n, zone in enumerate(zones)
    ]
    assert made[-1].policy.startswith("shanxi-") and made[-1].repeat_of == [made[1].id, made[0].id]


def test_sql_and_the_domain_agree_on_what_is_overdue(park: Database) -> None:
    put_down(park)
    for state, due_at in itertools.product(State, (None, NOON - 1, NOON, NOON + 1)):
        with park.write() as connection:
            connection.execute(update(schema.hazards).values(state=state.value, due_at=due_at))
            assert bool(connection.scalar(select(overdue_at(NOON)))) == is_overdue(state.value, due_at, NOON), (state, due_at)
            assert bool(connection.scalar(select(~overdue_at(NOON)))) != is_overdue(state.value, due_at, NOON), (state, due_at)


def test_an_entry_reads_back_as_it_was_written(park: Database) -> None:
    hazard, _ = put_down(park)
    with park.read() as connection:
        (row,) = hazard_events(connection, hazard.id, scope=EVERYTHING)[0]
        (stored,) = connection.scalars(select(schema.hazard_events.c.body).where(schema.hazard_events.c.hazard == hazard.id))
    assert stored == row.data and read_entry(stored) == row.entry
    assert row.entry.details["title"] == "炉前明火" and row.entry.command_id == "1"


def test_a_pack_with_which_nothing_can_be_proposed_costs_no_alarm(park: Database) -> None:
    """Rules of a city are data that people write: whatever they do, the alarm stands and the incident is as grave as it is."""
    broken = structs.replace(POLICY, version="broken-1", repeats=structs.replace(POLICY.repeats, days=999_999_999_999))
    with park.write() as connection:
        apply_policy(connection, broken, by="x", role="administrator", now=NOON)
    take(park, signal(1), signal(2, device="T-1", kind="temperature_high", at=1))
    with park.read() as connection:
        (incident,), _ = list_incidents(connection, scope=EVERYTHING)
        assert (incident.severity, incident.certainty.value) == (1, "observed")
        assert list_hazards(connection, scope=EVERYTHING, now=NOON)[0] == []
        assert connection.scalar(select(func.count()).select_from(schema.alarms)) == 2
    with park.write() as connection:
        apply_policy(connection, structs.replace(POLICY, version="sound-1"), by="x", role="administrator", now=NOON)
    take(park, signal(3, at=2))
    with park.read() as connection:
        assert len(list_hazards(connection, scope=EVERYTHING, now=NOON)[0]) == 1, "it is tried again with the next change"


def test_a_command_id_stands_for_one_request(park: Database) -> None:
    hazard, _ = put_down(park)
    give(park, hazard, ask.Comment(text="A"), command_id="c")
    assert give(park, hazard, ask.Comment(text="A"), command_id="c").repeated
    with pytest.raises(Conflict, match="another command"):
        give(park, hazard, ask.Comment(text="B"), command_id="c")
    assert put_down(park) == (give(park, hazard, ask.Comment(text="A"), command_id="c").hazard, False)
    with pytest.raises(Conflict, match="another command"):
        put_down(park, structs.replace(BY_HAND, grade="general"))
