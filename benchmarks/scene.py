"""Everything switched on, in one place: the site and the ledger on which ``bihuan bench merge`` measures. What is new in merging or in
rules is added here, so that every figure of that bench pays for it.

What must not go in: load (``readings``, ``park``), measuring.
"""

import random
from itertools import cycle, islice
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
from hazards.works import WORKS
from hazards.zones import Site
from storage.declarations import declare
from storage.site_store import Registry

ALARM_ZONES = 40
"""Zones of the park whose devices send single alarms."""
HAZARDS_A_ZONE = 5
BENCH = Actor("bench", "administrator")


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
    """In every zone one declaration in force, of each kind in turn, and a key period of the whole site."""
    of_zone = {device.zone: device.id for device in registry.devices.values()}
    asked = [Declare(kind=Declared.KEY_PERIOD, reason="bench", ends_at=now + 2 * HOUR)]
    for zone, template in zip(of_zone, cycle(_declarations(now)), strict=False):
        devices = [of_zone[zone]] if template.kind is not Declared.PERMIT else []
        asked.append(structs.replace(template, zone=zone, devices=devices))
    for number, command in enumerate(asked):
        declare(connection, command, actor=BENCH, scope=EVERYTHING, command_id=f"bench-{number}", now=now)


def _declarations(now: int) -> list[Declare]:
    until, work = now + 2 * HOUR, next(work for work in WORKS.values() if not work.levels and work.longest >= 2 * HOUR)
    return [
        Declare(kind=Declared.PERMIT, work=work.name, guardian="bench", ends_at=until), Declare(kind=Declared.CALIBRATION, ends_at=until),
        Declare(kind=Declared.SHUTDOWN, reason="bench", ends_at=until),
        Declare(kind=Declared.OUT_OF_SERVICE, reason="bench", ends_at=until),
        Declare(kind=Declared.SHELVED, reason="bench", ends_at=until, alarms=["intrusion"]),
    ]  # fmt: skip


SEEDS: tuple[Seed, ...] = (open_hazards, declared)
"""What the ledger holds beside the site."""


def set_up(load: Load, folder: Path) -> None:
    """A ledger in ``folder`` with the whole scene."""
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder, site(load, folder), SEEDS)
