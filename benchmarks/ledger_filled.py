"""A ledger as after years of use: open and closed hazards with whole records in right chains, put in by the thousand.

What must not go in: how a hazard lives (``benchmarks/ledger_lives.py``), measuring.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from msgspec import structs
from sqlalchemy import Connection, text

from benchmarks.ledger_lives import DAY, MINUTE, Copier, Life, lives
from benchmarks.park import write_park
from bihuan.preparation import ensure_packs
from bihuan.site_file import parse_site
from hazards.identity import hazard_of_command
from storage import schema
from storage.bulk import insert_rows
from storage.checkpoints import Checkpoint, save_checkpoints
from storage.database import Database
from storage.hazard_facts import policy_of, zone_of
from storage.ledger_clocks import AGENT, ZONE
from storage.migrations import upgrade
from storage.site_store import Registry, apply_site, load_registry

CHUNK = 2_000
"""Hazards of one transaction."""
SPREAD = 40 * MINUTE
"""Copies of one life begin within so long before it, µs."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much: open hazards, events on the record in all, zones of the park."""

    open: int = 100_000
    events: int = 1_000_000
    zones: int = 200


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put in, and how long that took."""

    hazards: int
    events: int
    seconds: float


def fill(url: str, folder: Path, sizes: Sizes) -> Filled:
    """Open hazards of every age and state, and as many closed ones as the wanted events take. The site's file is in ``folder``."""
    began, now = time.perf_counter(), time.time_ns() // 1000
    database = Database(url)
    try:
        registry = _prepared(database, folder, sizes.zones, now)
        chance, hazards, events = random.Random(1), 0, 0
        for closed in (False, True):
            copies = copies_of_lives(registry, now, chance, closed=closed)
            while events < sizes.events if closed else hazards < sizes.open:
                chunk = list(islice(copies, min(CHUNK, (sizes.events - events) // 8 + 1 if closed else sizes.open - hazards)))
                with database.write() as connection:
                    if database.is_sqlite:
                        connection.exec_driver_sql("PRAGMA cache_size = -400000")  # ids are spread over all of the index
                    insert_copies(connection, chunk)
                hazards, events = hazards + len(chunk), events + sum(len(record) for _, record in chunk)
        if not database.is_sqlite:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE hazards, hazard_events"))  # as the autovacuum does in a minute
        return Filled(hazards, events, time.perf_counter() - began)
    finally:
        database.close()


Copy = tuple[dict[str, object], list[dict[str, object]]]
"""Row of a hazard, rows of its record."""


def copies_of_lives(registry: Registry, now: int, chance: random.Random, *, closed: bool) -> Iterator[Copy]:
    """Hazards without end, one in each zone of ``registry`` in turn; their clocks sleep."""
    policy, zone, zones = policy_of(registry), zone_of(registry), list(registry.zones.values())
    copiers = [Copier(_asleep(life, now)) for life in lives(policy, zone, now, closed=closed)]
    for n in count():
        place, identity = zones[n % len(zones)], hazard_of_command("bench", f"{closed}-{n}")
        yield copiers[n % len(copiers)].rows(identity, place.id, place.enterprise or "", chance.randrange(SPREAD))


def insert_copies(connection: Connection, copies: Sequence[Copy]) -> None:
    """Put ``copies`` into the ledger."""
    insert_rows(connection, schema.hazards, [row for row, _ in copies])
    insert_rows(connection, schema.hazard_events, [event for _, record in copies for event in record])


def _prepared(database: Database, folder: Path, zones: int, now: int) -> Registry:
    """Tables, packs and a park; the clocks are told for which time zone the hazards were woken."""
    upgrade(database)
    ensure_packs(database)
    site = write_park(folder / "site.yaml", zones)
    with database.write() as connection:
        apply_site(connection, parse_site(site.read_bytes(), file=str(site), folder=folder).site, by="bench", now=now)
        registry = load_registry(connection)
        save_checkpoints(connection, AGENT, [Checkpoint(ZONE, 0, registry.site.time_zone.encode())], now=now)
    return registry


def _asleep(life: Life, now: int) -> Life:
    """``life`` whose clocks want nothing for a day, so that they do not work while something is measured."""
    if life.hazard.wake_at is None:
        return life
    return Life(structs.replace(life.hazard, wake_at=max(life.hazard.wake_at, now + DAY)), life.entries)
