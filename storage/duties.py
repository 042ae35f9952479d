"""Periodic duties (履职) in SQL: made when their period begins, told once a point, said to be done once.

What must not go in: periods and points (``hazards/ledger/duties.py``), roles.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, tuple_, update

from hazards.errors import NotFound, NotInState
from hazards.ledger.duties import Duty, awake, done, new_duties, newest_of, notice_of, on_duty_tick
from hazards.ledger.policy import Policy
from hazards.messages import WHOLE_SITE
from hazards.scope import Scope
from storage.bulk import insert_into
from storage.incident_queries import cursor_of, cursor_values, page
from storage.outbox import announce_duty
from storage.schema import duties

_fired = msgspec.json.Decoder(list[str])


def make_duties(connection: Connection, policy: Policy, *, now: int, zone: tzinfo) -> list[Duty]:
    """Put down the duties that have begun, each once whoever does it; those that are missing now."""
    quarterly = duties.c.period.contains("Q")  # a city may have changed from quarters to months, or back
    newest = select(duties.c.name, duties.c.body, func.max(duties.c.period)).group_by(duties.c.name, duties.c.body, quarterly)
    begun: dict[tuple[str, str], list[str]] = {}
    for name, body, period in connection.execute(newest):
        begun.setdefault((name, body), []).append(period)
    made = [
        duty
        for rule in policy.duties
        for post in rule.posts
        for duty in new_duties(rule, post, newest_of(rule, begun.get((rule.name, post), [])), now, zone)
    ]
    if made:
        rows = insert_into(connection, duties).values([_columns(duty) for duty in made])
        connection.execute(rows.on_conflict_do_nothing(index_elements=["id"]))
    return made


def missing_duties(connection: Connection, policy: Policy, *, now: int, zone: tzinfo) -> bool:
    """Whether ``make_duties`` would make any."""
    present = [duty.id for rule in policy.duties for post in rule.posts for duty in new_duties(rule, post, None, now, zone)]
    known = select(func.count()).select_from(duties).where(duties.c.id.in_(present))
    return connection.execute(known).scalar_one() < len(present)


def look_over_duties(connection: Connection, policy: Policy, *, zone: tzinfo) -> None:
    """Work out anew when the duties that are not done want to be looked at: their rules may have gone, come back, or have other points."""
    for row in connection.execute(select(duties).where(duties.c.done_at.is_(None)).with_for_update()).all():
        duty = _duty_of(row)
        if (anew := awake(duty, policy.duty(duty.name), zone)).wake_at != duty.wake_at:
            connection.execute(update(duties).where(duties.c.id == duty.id).values(wake_at=anew.wake_at))


def waking_duties(connection: Connection, *, now: int, limit: int = 100) -> list[str]:
    """Duties that want to be looked at, those that have waited longest first."""
    query = select(duties.c.id).where(duties.c.wake_at <= now).order_by(duties.c.wake_at).limit(limit)
    return list(connection.scalars(query))


def tick_duty(connection: Connection, duty_id: str, policy: Policy, *, now: int, zone: tzinfo) -> bool:
    """Look at one duty; whether somebody is told, by an outbox row of this transaction. Nothing for one that another worker has in hand."""
    query = select(duties).where(duties.c.id == duty_id, duties.c.wake_at <= now).with_for_update(skip_locked=True)
    row = connection.execute(query).first()
    if row is None:
        return False
    before = _duty_of(row)
    rule = policy.duty(before.name)
    after, told = on_duty_tick(before, rule, now, zone)
    connection.execute(update(duties).where(duties.c.id == duty_id).values(**_columns(after)))
    if told is None or rule is None:
        return False
    announce_duty(connection, notice_of(after, rule, told, now, policy), now=now)
    return True


def next_duty_wake(connection: Connection) -> int | None:
    """When a duty wants to be looked at next."""
    return connection.execute(select(func.min(duties.c.wake_at))).scalar()


def list_duties(
    connection: Connection, scope: Scope, *, posts: Sequence[str] = (), is_open: bool | None = None, cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Duty], str | None]:
    """Duties, latest due date first, and the cursor of the next page or None. ``is_open``: not said to be done yet.

    Duties are of the whole site: who sees a part of it sees none."""
    if not scope.sees(WHOLE_SITE, None):
        return [], None
    limit, query = page(limit), select(duties)
    if posts:
        query = query.where(duties.c.post.in_(posts))
    if is_open is not None:
        query = query.where(duties.c.done_at.is_(None) if is_open else duties.c.done_at.is_not(None))
    if cursor:
        query = query.where(tuple_(duties.c.due_at, duties.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(duties.c.due_at.desc(), duties.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].due_at, rows[limit - 1].id) if len(rows) > limit else None
    return [_duty_of(row) for row in rows[:limit]], following


def get_duty(connection: Connection, duty_id: str, scope: Scope, *, locking: bool = False) -> Duty:
    """One duty. Raises NotFound."""
    query = select(duties).where(duties.c.id == duty_id)
    row = connection.execute(query.with_for_update() if locking else query).first()
    if row is None or not scope.sees(WHOLE_SITE, None):
        raise NotFound("no such duty", where=duty_id)
    return _duty_of(row)


def finish_duty(connection: Connection, duty_id: str, scope: Scope, *, by: str, note: str, now: int) -> Duty:
    """Say that a duty was done. Raises NotFound, NotInState for one that is done already."""
    duty = get_duty(connection, duty_id, scope, locking=True)
    if duty.done_at is not None:
        raise NotInState(f"{duty.done_by} said already that it is done", where="/command")
    after = done(duty, by=by, note=note, now=now)
    connection.execute(update(duties).where(duties.c.id == duty_id).values(**_columns(after)))
    return after


def _columns(duty: Duty) -> dict[str, Any]:
    return msgspec.structs.asdict(duty) | {"fired": msgspec.json.encode(duty.fired).decode()}


def _duty_of(row: Row[Any]) -> Duty:
    return Duty(**{**row._mapping, "fired": _fired.decode(row.fired)})
