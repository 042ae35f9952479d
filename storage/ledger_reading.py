"""The whole ledger for verifying: page by page of hazards, each page one short snapshot, no more than a page's heads in memory.

Pages are cut in the database's own order of ids, so that nothing depends on how a language sorts. What must not go in: verdicts.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, String, and_, cast, false, func, literal, or_, select
from sqlalchemy.exc import OperationalError

from hazards.declarations import DERIVED
from hazards.ledger.anchors import Head
from hazards.ledger.record import DECLARATION, IN_FORCE, PACK, RULE, WITHDRAWN
from hazards.ledger.verification import Standing, StoredEvent
from storage import schema
from storage.anchors import as_bytes, as_stored, in_one_snapshot
from storage.declaration_rows import stood_of
from storage.hazard_rows import standing_of

HAZARDS_A_PAGE = 200
EVENTS_AT_ONCE = 500


@dataclass
class LedgerPage:
    """Hazards in (``after``, ``upto``] by id. ``standing``: what each row says; ``anchored``: (anchor, head) by hazard.

    A declaration counts as a hazard, and so does a policy pack or alarm rule, with a version for each of its own; ``versions``: what each
    of these holds, as SHA-256, by subject and version."""

    after: str
    upto: str | None
    standing: dict[str, Standing] = field(default_factory=dict)
    anchored: dict[str, list[tuple[int, Head]]] = field(default_factory=dict)
    versions: dict[tuple[str, str], str] = field(default_factory=dict)

    def hazards(self) -> set[str]:
        """Those of which there is a row or an anchored head."""
        return self.standing.keys() | self.anchored.keys()


def ledger_size(connection: Connection) -> int:
    """How many events the ledger has."""
    return int(connection.execute(select(func.count()).select_from(schema.hazard_events)).scalar_one())


def open_page(connection: Connection, after: str) -> LedgerPage:
    """The page after the id ``after`` ("" for the first), with nothing in it yet. ``upto`` None: it is the last one."""
    in_one_snapshot(connection)
    ids = schema.hazard_events.c.hazard
    following = select(ids).where(ids > after).distinct().order_by(ids).limit(HAZARDS_A_PAGE)
    found = list(connection.scalars(following))
    return LedgerPage(after, found[-1] if len(found) == HAZARDS_A_PAGE else None)


def fill_page(connection: Connection, page: LedgerPage) -> None:
    """All of the page but its events. Raises ValueError for texts that are none."""
    hazards, heads = schema.hazards, schema.anchor_heads
    with _texts():
        for row in connection.execute(_within(select(heads), heads.c.hazard, page).order_by(heads.c.hazard, heads.c.number)):
            page.anchored.setdefault(row.hazard, []).append((row.anchor, Head(row.hazard, row.number, row.digest)))
        rows = _within(select(*map(as_stored, hazards.c)), hazards.c.id, page)
        for row in connection.execute(rows, execution_options={"yield_per": HAZARDS_A_PAGE}):
            page.standing[row.id] = standing_of(row)
        _take_versions(connection, page)
        _take_declarations(connection, page)


@contextmanager
def _texts() -> Iterator[None]:
    """SQLite lets somebody put bytes that are no text where text belongs, and says so as if it were away."""
    try:
        yield
    except OperationalError as e:
        if "decode to UTF-8" in str(e.orig):
            raise ValueError(str(e.orig)) from e
        raise


def _take_versions(connection: Connection, page: LedgerPage) -> None:
    """What is kept whole, version by version: policy packs and alarm rules."""
    packs, rules, found = schema.policies, schema.alarm_rules, dict[str, Standing]()
    for prefix, name, version, table, gone in (
        (PACK, packs.c.id, packs.c.version, packs, false()),
        (RULE, rules.c.rule, cast(rules.c.number, String), rules, rules.c.withdrawn),
    ):
        subject = literal(prefix, String) + name
        query = select(subject.label("subject"), version.label("version"), table.c.body, gone.label("gone"))
        for row in connection.execute(_within(query, subject, page).order_by(*table.primary_key)):
            state = WITHDRAWN if row.gone else IN_FORCE
            counted = found[row.subject].version + 1 if row.subject in found else 1
            found[row.subject] = Standing(counted, state, {"state": state})
            page.versions[row.subject, row.version] = sha256(row.body.encode()).hexdigest()
    page.standing = found | page.standing  # a hazard's row under the name of a pack is one that nobody recorded


def _take_declarations(connection: Connection, page: LedgerPage) -> None:
    """Those that people entered; measures of hazards are on the hazards' own records."""
    table = schema.declarations
    subject = literal(DECLARATION, String) + table.c.id
    entered = select(*map(as_stored, table.c)).where(table.c.kind.not_in([kind.value for kind in DERIVED]))
    rows = connection.execute(_within(entered, subject, page))
    page.standing = {DECLARATION + row.id: stood_of(row) for row in rows} | page.standing


def events_of(connection: Connection, page: LedgerPage) -> Iterator[tuple[str, StoredEvent]]:
    """The events of a page by hazard and number, as they are stored; a hazard of any length is streamed.

    Raises ValueError for texts that are none."""
    table = schema.hazard_events
    facts = (table.c.hazard, table.c.number, table.c.at, table.c.actor, table.c.event, table.c.command_id)
    columns = (*facts, as_stored(table.c.body), table.c.digest)
    query = _within(select(*columns), table.c.hazard, page).order_by(table.c.hazard, table.c.number)
    with _texts():
        for rows in connection.execute(query, execution_options={"yield_per": EVENTS_AT_ONCE}).partitions():
            for hazard, number, at, actor, event, command_id, data, digest in rows:
                yield hazard, StoredEvent(number, at, actor, event, command_id, as_bytes(data), digest)


def digests_of(connection: Connection, heads: Sequence[Head]) -> Mapping[tuple[str, int], str]:
    """The stored digests of these events, where they are there."""
    table, found = schema.hazard_events, dict[tuple[str, int], str]()
    for n in range(0, len(heads), 200):
        wanted = or_(*(and_(table.c.hazard == h.hazard, table.c.number == h.number) for h in heads[n : n + 200]))
        for row in connection.execute(select(table.c.hazard, table.c.number, table.c.digest).where(wanted)):
            found[row.hazard, row.number] = row.digest
    return found


def last_number(connection: Connection, hazard: str) -> int:
    """The number of the newest event of a hazard; 0 without any."""
    table = schema.hazard_events
    return int(connection.execute(select(func.max(table.c.number)).where(table.c.hazard == hazard)).scalar() or 0)


def _within(query: Select[Any], column: Any, page: LedgerPage) -> Select[Any]:
    query = query.where(column > page.after)
    return query if page.upto is None else query.where(column <= page.upto)
