"""What is due and what came of it, on SQLite and PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import select

from storage import schema
from storage.database import Database
from storage.deliveries import Attempted, Due, EndpointRow, Look, State, look, put_deliveries, record_attempts, sync_endpoints, told_before

HERE, THERE = EndpointRow("here", "alu", "https://here.example/"), EndpointRow("there", None, "https://there.example/")
NOON = 1_000_000


@pytest.fixture(autouse=True)
def endpoints(database: Database) -> None:
    with database.write() as connection:
        sync_endpoints(connection, [HERE, THERE], now=1)


def put(database: Database, *rows: dict[str, Any]) -> None:
    with database.write() as connection:
        put_deliveries(connection, rows)


def delivery(position: int, *, endpoint: str = "here", subject: str = "", severity: int = 2, next_at: int = NOON) -> dict[str, Any]:
    return {
        "id": f"{endpoint}-{position}", "endpoint": endpoint, "enterprise": None, "position": position,
        "subject": subject or f"s{position}", "event": "incident.opened", "severity": severity, "body": b"{}",
        "told": f'{{"at":{position}}}', "state": "waiting", "next_at": next_at, "created_at": position, "last_error": None,
    }  # fmt: skip


def see(database: Database, *, now: int = NOON, most: int = 4, in_flight: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Look:
    with database.read() as connection:
        return look(connection, only or ("here", "there"), now=now, most=most, in_flight=in_flight)


def ids(found: Look) -> list[str]:
    return [d.id for d in found.due]


def tried(database: Database, due: Due, *, state: State = State.WAITING, at: int = NOON, next_at: int | None = None, **more: Any) -> None:
    status, error = (200, "") if state is State.DELIVERED else (500, "HTTP 500")
    attempt = Attempted(due, at, 5, status, error, state, next_at, **more)
    with database.write() as connection:
        record_attempts(connection, [attempt], down_from=3)


def row_of(database: Database, table: str, identity: str) -> Any:
    found = schema.metadata.tables[table]
    with database.read() as connection:
        return connection.execute(select(found).where(found.c.id == identity)).one()


def test_the_gravest_goes_first_then_the_oldest(database: Database) -> None:
    put(database, delivery(1, severity=3), delivery(2, severity=1), delivery(3, severity=1, endpoint="there"), delivery(4, severity=2))
    assert ids(see(database)) == ["here-2", "there-3", "here-4", "here-1"]
    assert ids(see(database, only=("there",))) == ["there-3"]


def test_of_one_subject_the_earliest_goes_first_however_grave_the_later(database: Database) -> None:
    put(database, delivery(1, subject="i", severity=2), delivery(2, subject="i", severity=1), delivery(3, severity=2))
    assert ids(see(database)) == ["here-1", "here-3"]
    assert ids(see(database, in_flight=("here-1",))) == ["here-3"], "the later waits while the earlier is on its way"


def test_an_earlier_one_that_waits_for_a_retry_does_not_hold_up_the_later(database: Database) -> None:
    put(database, delivery(1, subject="i", next_at=NOON + 9), delivery(2, subject="i", severity=1))
    found = see(database)
    assert ids(found) == ["here-2"] and found.next_at == NOON + 9


def test_a_backlog_gives_each_endpoint_only_its_share(database: Database) -> None:
    put(database, *(delivery(n) for n in range(1, 100)), delivery(100, endpoint="there"))
    assert ids(see(database, most=2)) == ["here-1", "here-2", "there-100"]


def test_nothing_is_due_for_an_endpoint_that_is_paused_or_off(database: Database) -> None:
    put(database, delivery(1), delivery(2, endpoint="there"))
    (first, second) = see(database).due
    tried(database, first, next_at=NOON + 5, slow_down=True, paused_until=NOON + 50)
    tried(database, second, state=State.DEAD, gone=True)
    put(database, delivery(3), delivery(4, endpoint="there"))
    found = see(database, now=NOON + 20)
    assert ids(found) == [] and found.next_at == NOON + 50
    assert ids(see(database, now=NOON + 60)) == ["here-1", "here-3"]


def test_an_attempt_that_two_processes_record_counts_once(database: Database) -> None:
    put(database, delivery(1))
    (due,) = see(database).due
    tried(database, due, state=State.DELIVERED)
    tried(database, due, next_at=NOON + 5)
    row = row_of(database, "deliveries", "here-1")
    assert (row.state, row.attempts) == ("delivered", 1)
    assert row_of(database, "endpoints", "here").failures == 0


def test_an_endpoint_that_comes_back_gets_at_once_what_waits(database: Database) -> None:
    put(database, delivery(1), delivery(2), delivery(3, endpoint="there"))
    for _ in range(3):
        (due,) = [d for d in see(database, now=NOON * 11).due if d.id == "here-1"]
        tried(database, due, next_at=NOON * 10)
    assert row_of(database, "endpoints", "here").failures == 3
    put(database, delivery(4, next_at=NOON * 20), delivery(5, endpoint="there", next_at=NOON * 20))
    (due,) = [d for d in see(database).due if d.id == "here-2"]
    tried(database, due, state=State.DELIVERED, at=NOON)
    assert ids(see(database)) == ["here-1", "there-3", "here-4"], "not the other endpoint's"


def test_one_message_that_fails_among_others_that_pass_keeps_to_its_plan(database: Database) -> None:
    put(database, delivery(1), delivery(2))
    first, second = see(database).due
    tried(database, first, next_at=NOON * 10)
    tried(database, second, state=State.DELIVERED)
    assert row_of(database, "deliveries", "here-1").next_at == NOON * 10


def test_what_waits_for_an_endpoint_that_left_is_cancelled_and_it_may_come_back(database: Database) -> None:
    put(database, delivery(1), delivery(2, endpoint="there"))
    with database.write() as connection:
        sync_endpoints(connection, [THERE], now=9)
    assert ids(see(database)) == ["there-2"]
    assert row_of(database, "deliveries", "here-1").state == "cancelled"
    with database.write() as connection:
        sync_endpoints(connection, [HERE, THERE], now=10)
    put(database, delivery(3))
    assert ids(see(database)) == ["there-2", "here-3"]


def test_the_same_delivery_is_put_once(database: Database) -> None:
    put(database, delivery(1))
    put(database, delivery(1), delivery(2))
    assert ids(see(database)) == ["here-1", "here-2"]


def test_what_was_told_last_is_what_counts(database: Database) -> None:
    put(database, delivery(1, subject="i"), delivery(7, subject="i"), delivery(3, subject="i", endpoint="there"), delivery(9, subject="j"))
    with database.read() as connection:
        assert told_before(connection, {"i", "k"}) == {("here", "i"): '{"at":7}', ("there", "i"): '{"at":3}'}
