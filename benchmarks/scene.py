"""Everything switched on, in one place: the site and the ledger on which ``bihuan bench merge`` measures. What is new in merging or in
rules is added here, so that every figure of that bench pays for it.

What must not go in: load (``readings``, ``park``), measuring.
"""

import random
from itertools import islice
from pathlib import Path

from msgspec import structs
from sqlalchemy import Connection

from benchmarks.ledger_filled import copies_of_lives, insert_copies
from benchmarks.park import write_park
from benchmarks.parts import Seed, prepare
from benchmarks.readings import Load
from bihuan.site_file import parse_site
from hazards.declarations import Declared
from hazards.declaring import Declare
from hazards.ledger.hazard import Actor
from hazards.ledger.limits import HOUR
from hazards.scope import EVERYTHING
from hazards.zones import Site
from storage.declarations import declare
from storage.site_store import Registry

ALARM_ZONES = 40
"""Zones of the park whose devices send single alarms."""
HAZARDS_A_ZONE = 5
_OFFICER, _OPERATOR, _AUTHORITY = Actor("bench-officer", "enterprise"), Actor("bench", "operator"), Actor("bench-office", "safety_office")


def site(load: Load, folder: Path) -> Site:
    """The zones and sensors of ``load`` (four limits with deadband and delays, a rate, staleness each) and the zones and devices of the
    park of single alarms."""
    sensors, file = load.site(), write_park(folder / "site.yaml", ALARM_ZONES)
    alarms = parse_site(file.read_bytes(), file=str(file), folder=folder).site
    return structs.replace(
        alarms, zones=[*alarms.zones, *sensors.zones], devices=[*alarms.devices, *sensors.devices],
    )  # fmt: skip


def open_hazards(connection: Connection, registry: Registry, now: int) -> None:
    """Open hazards of every age and state in every zone, some of them overdue."""
    copies = copies_of_lives(registry, now, random.Random(1), closed=False)
    insert_copies(connection, list(islice(copies, HAZARDS_A_ZONE * len(registry.zones))))


def declared(connection: Connection, registry: Registry, now: int) -> None:
    """A permit, a calibration of one device and a shelved alarm in every zone, in force all the time; a key period of the whole site."""
    began, ends = now - HOUR, now + HOUR
    rows = [Declare(kind=Declared.KEY_PERIOD, starts_at=began, ends_at=ends, reason="bench")]
    for zone in registry.zones:
        device = next((d.id for d in registry.devices.values() if d.zone == zone), None)
        rows.append(Declare(kind=Declared.PERMIT, zone=zone, starts_at=began, ends_at=ends, work="lifting", guardian="bench"))
        if device is not None:
            rows.append(Declare(kind=Declared.SHELVED, zone=zone, starts_at=began, ends_at=ends, devices=[device], alarms=["loitering"],
                                reason="bench"))  # fmt: skip
    for number, row in enumerate(rows):
        actor = _AUTHORITY if row.kind is Declared.KEY_PERIOD else _OFFICER if row.kind is Declared.PERMIT else _OPERATOR
        declare(connection, row, actor=actor, scope=EVERYTHING, command_id=f"bench-{number}", now=began)


SEEDS: tuple[Seed, ...] = (open_hazards, declared)
"""What the ledger holds beside the site. Alarm rules are those of the default pack."""


def set_up(load: Load, folder: Path) -> None:
    """A ledger in ``folder`` with the whole scene."""
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder, site(load, folder), SEEDS)
