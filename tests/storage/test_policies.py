"""Packs in SQL: every version stays, a change is on the record, a hazard keeps the one under which it was opened."""

import threading

import msgspec
import pytest
from msgspec import structs
from sqlalchemy import select

from bihuan.preparation import ensure_packs
from hazards.errors import Conflict
from hazards.ledger import commands as ask
from hazards.ledger.policy import KindRow, Policy
from hazards.ledger.record import first_broken, read_entry
from hazards.scope import EVERYTHING
from hazards.zones import Device, Site
from storage import schema
from storage.database import Database
from storage.hazard_queries import get_hazard
from storage.hazards import preview_gate
from storage.incident_queries import list_incidents
from storage.migrations import upgrade
from storage.policies import apply_policy, versions
from storage.site_store import apply_site, current_registry
from tests.hazards.signals import NOON, SECOND, signal
from tests.packs import PACKS, POLICY
from tests.storage.test_hazards import SITE, put_down, take

NEXT = structs.replace(POLICY, version="guangyuan-next", zh="新版")


def test_a_new_version_is_in_force_at_once_and_the_old_one_stays(database: Database) -> None:
    with database.write() as connection:
        assert not apply_policy(connection, POLICY, by="somebody", role="administrator", now=5), "the same again changes nothing"
        assert apply_policy(connection, NEXT, by="somebody", role="administrator", now=6)
    with database.read() as connection:
        registry = current_registry(connection)
        assert registry.policy == NEXT
        assert registry.policy_under(POLICY.version) == POLICY and registry.policy_under("nothing") is registry.policy
        assert [v.version for v in versions(connection) if v.id == "guangyuan"] == [NEXT.version, POLICY.version]


def test_a_version_says_one_thing_for_ever(database: Database) -> None:
    with pytest.raises(Conflict, match="is taken by other contents"), database.write() as connection:
        apply_policy(connection, structs.replace(NEXT, version=POLICY.version), by="x", role="administrator", now=5)


def test_the_site_says_which_pack_holds_and_the_default_holds_where_it_names_none(database: Database) -> None:
    for wanted, holds in (("shanxi", "shanxi"), ("", "guangyuan"), ("nowhere", "guangyuan")):
        with database.write() as connection:
            apply_site(connection, Site(id="park", name="Park", policy=wanted), by="x", now=1)
        with database.read() as connection:
            policy = current_registry(connection).policy
            assert policy is not None and policy.id == holds


def test_a_change_of_pack_is_an_entry_of_the_record(database: Database) -> None:
    with database.write() as connection:
        apply_policy(connection, NEXT, by="wang", role="administrator", now=7)
    table = schema.hazard_events
    with database.read() as connection:
        rows = list(connection.execute(select(table).where(table.c.hazard == "policy:guangyuan").order_by(table.c.number)))
    assert [read_entry(row.body).event for row in rows] == ["policy_applied"] * 2
    entry = read_entry(rows[1].body)
    assert (entry.actor, entry.details["before"], entry.details["version"]) == ("wang", POLICY.version, NEXT.version)
    assert first_broken((row.number, row.body, row.digest) for row in rows) is None


def apply(database: Database, policy: Policy) -> bool:
    with database.write() as connection:
        return apply_policy(connection, policy, by="wang", role="administrator", now=NOON)


def test_a_version_is_the_same_also_after_the_program_learned_more_about_packs(database: Database) -> None:
    """What was applied before packs could say how much a device must have seen."""
    assert apply(database, structs.replace(NEXT, version="before"))
    body = msgspec.json.decode(msgspec.json.encode(structs.replace(NEXT, version="older")))
    del body["gate"]
    row = {"id": "guangyuan", "version": "older", "zh": "", "en": "", "body": msgspec.json.encode(body).decode(), "digest": "d" * 64}
    with database.write() as connection:
        connection.execute(schema.policies.insert().values(**row, applied_at=1, applied_by="x"))
    assert not apply(database, structs.replace(NEXT, version="older"))
    with pytest.raises(Conflict, match="the version older is taken"):
        apply(database, structs.replace(NEXT, version="older", en="another"))


def test_hosts_that_prepare_one_database_at_the_same_time_apply_each_pack_once(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database)
    start, made, wrong = threading.Barrier(3), list[str](), list[BaseException]()

    def prepare() -> None:
        own = Database(database_url)
        try:
            start.wait(60)
            made.extend(ensure_packs(own))
        except BaseException as e:
            wrong.append(e)
        finally:
            own.close()

    threads = [threading.Thread(target=prepare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    with database.read() as connection:
        assert wrong == [] and len(made) == len(versions(connection)) == PACKS
    database.close()


def test_a_hazard_is_proposed_graver_by_the_pack_under_which_it_was_opened(database: Database) -> None:
    """The pack in force does not have the rule any more."""
    thermometer = Device("T-2", "depot", "sensor", settings={"metric": "temperature"})
    with database.write() as connection:
        apply_site(connection, structs.replace(SITE, devices=[*SITE.devices, thermometer]), by="test", now=NOON)
    take(database, signal(1), signal(2, device="CAM-2", zone="depot"))
    with database.read() as connection:
        incidents = {i.zone: i.id for i in list_incidents(connection, scope=EVERYTHING)[0]}

    def propose(zone: str) -> str:
        low = ask.Propose(zone="", kind="", grade="general", title="", incident=incidents[zone])
        return put_down(database, low, command_id=zone)[0].id

    old = propose("smelter")
    assert apply(database, structs.replace(POLICY, version="guangyuan-mild", proposals=()))
    new = propose("depot")
    take(database, signal(3, device="T-1", kind="temperature_high", at=1), signal(4, at=2))
    take(database, signal(5, device="T-2", zone="depot", kind="temperature_high", at=1), signal(6, device="CAM-2", zone="depot", at=2))
    with database.read() as connection:
        hazards = [get_hazard(connection, each, scope=EVERYTHING) for each in (old, new)]
        severities = {i.zone: i.severity for i in list_incidents(connection, scope=EVERYTHING)[0]}
    assert severities == {"smelter": 1, "depot": 1}
    assert [(h.grade, h.policy) for h in hazards] == [("major", POLICY.version), ("general", "guangyuan-mild")]


def test_what_devices_can_tell_of_a_kind_is_the_packs_under_which_the_hazard_was_opened(database: Database) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    old, _ = put_down(database, command_id="old")
    paper_only = KindRow(name="fire", zh="火灾隐患（资料）", en="fire, by papers")
    assert apply(database, structs.replace(POLICY, version="guangyuan-papers", kinds=(paper_only,)))
    new, _ = put_down(database, command_id="new")
    take(database, signal(1))
    with database.read() as connection:
        gates = [preview_gate(connection, hazard, now=NOON + SECOND) for hazard in (old, new)]
    assert [gate.verdict.value for gate in gates if gate is not None] == ["refuted", "not_applicable"]
