"""The door: what it returns is on disk, in the zone of its device, once."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from bus.codecs import decode
from hazards.admission import Report
from hazards.errors import JournalFull, MalformedMessage, TooLarge
from hazards.messages import Action, Clock, Signal
from hazards.zones import Device, Site
from ingest.door import Door
from storage.journal import Journal, Lane
from storage.site_store import Registry

NOW = 1_795_313_730_000_000
REPORT = Report(source="device/CAM-2", source_id="a", device="CAM-2", kind="intrusion", action=Action.RAISED, at=NOW - 1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite", max_rows=100)
    yield journal
    journal.close()


@pytest.fixture
def door(journal: Journal) -> Door:
    site = Site(id="park", name="Park", synthetic=True)
    registry = Registry(1, site, {}, {"CAM-2": Device(id="CAM-2", zone="depot", type="camera")})
    return Door(journal, lambda: registry, lambda: NOW)


async def kept(journal: Journal) -> list[Signal]:
    return [decode(Signal, entry.payload) for entry in await journal.read(Lane.ALARMS, 0, 1000)]


async def test_what_is_returned_is_on_disk_in_the_zone_of_its_device(door: Door, journal: Journal) -> None:
    unknown = structs.replace(REPORT, device="NEW", source_id="b", kind="never_seen", at=0)
    signals = await door.accept([REPORT, unknown])
    assert signals == await kept(journal)
    assert [(s.zone, s.clock, s.received_at, s.synthetic) for s in signals] == [
        ("depot", Clock.TRUSTED, NOW, True), ("unassigned", Clock.WRONG, NOW, True),
    ]  # fmt: skip
    assert [e.zone for e in await journal.read(Lane.ALARMS, 0, 9)] == ["depot", "unassigned"]


async def test_the_same_report_twice_is_one_signal(door: Door, journal: Journal) -> None:
    (first,) = await door.accept([REPORT, REPORT])
    (again,) = await door.accept([REPORT])
    assert first.id == again.id and len(await kept(journal)) == 1
    assert await door.accept([]) == []


async def test_a_full_journal_takes_nothing_of_a_batch(door: Door, journal: Journal) -> None:
    with pytest.raises(JournalFull):
        await door.accept([structs.replace(REPORT, source_id=str(n)) for n in range(101)])
    assert await kept(journal) == []


async def test_what_can_never_be_carried_is_refused_at_once(door: Door, journal: Journal) -> None:
    with pytest.raises(TooLarge):
        await door.accept([structs.replace(REPORT, message="x" * 600_000)])
    for details in ({"n": 2**70}, {"o": SimpleNamespace()}, {"s": "\ud800"}):
        with pytest.raises(MalformedMessage):
            await door.accept([structs.replace(REPORT, details=details)])
    assert await kept(journal) == []


async def test_nul_characters_do_not_reach_sql_and_the_id_stays(door: Door) -> None:
    (signal,) = await door.accept([structs.replace(REPORT, device="CAM\0", message="a\0b")])
    assert (signal.device, signal.message) == ("CAM\ufffd", "a\ufffdb")
    (same,) = await door.accept([REPORT])
    assert same.id == signal.id
