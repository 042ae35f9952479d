"""The evaluator alone, on real SQL: the order of its acts, outages, other workers, rebalances, what can't be read, what it forgets."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Connection, select, update

from bus.codecs import encode
from hazards.admission import Report
from hazards.errors import BrokerUnavailable, Conflict, MalformedMessage, StorageUnavailable
from hazards.sensor_rules import MICROS
from hazards.sensors import Limits, Sensor
from hazards.telemetry import Reading, RollupPack, TelemetryPack, pack_readings
from storage import schema
from storage.checkpoints import StaleCheckpoint, load_checkpoints
from storage.database import Database
from storage.telemetry_marks import marked
from streams import evaluate, saving
from streams.evaluate import Evaluator, Telemetry
from streams.patience import MovedOn
from streams.progress import Tally
from streams.saving import EVERY_IDLE
from tests.hazards.telemetry_histories import NOON, SECOND, sensor
from tests.streams.telemetry import PARK, Results, packs, uninterrupted

HOT = {s.series: s for s in [sensor("T-1", limits=Limits(high=60.0)), sensor("T-2", on_delay=5 * SECOND, limits=Limits(high=60.0))]}


class Event:
    """An event as Faust hands it over."""

    def __init__(self, value: bytes | None, log: list[str], *, generation: int = 1, offset: int = 0) -> None:
        self.message = SimpleNamespace(value=value, topic="telemetry", generation_id=generation, headers=[], partition=0, offset=offset)
        self.value, self._log, self.acked = value, log, False

    def ack(self) -> bool:
        self.acked = True
        self._log.append("ack")
        return True


@dataclass
class Group:
    """A membership that is told what to say."""

    now: Callable[[], int]
    number: int = 1
    flows: bool = True
    more: bool = False
    failure: Exception | None = None

    def generation(self) -> int:
        return self.number

    def flowing(self) -> bool:
        return self.flows

    def own_zones(self, zones: Iterable[str]) -> list[str]:
        return list(zones)

    def partition(self, zone: str) -> int:
        return 0 if zone == "hall" else 1

    def end_read_at(self, partition: int, through: int | None) -> int | None:
        return None if self.more else self.now()

    def fail(self, error: Exception) -> None:
        self.failure = error


@dataclass
class Notes:
    """An emitter that notes; it fails first with ``errors``."""

    log: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    alarms_away: bool = False
    refuse: Callable[[Report], bool] = lambda _: False
    alarms: list[Report] = field(default_factory=list)
    rollups: list[RollupPack] = field(default_factory=list)

    async def emit_alarms(self, reports: Sequence[Report]) -> None:
        if self.alarms_away:
            raise BrokerUnavailable("away")
        if self.errors:
            raise self.errors.pop(0)
        if any(self.refuse(r) for r in reports):
            raise MalformedMessage("no")
        self.alarms += reports
        self.log += [f"{r.device} {r.action}" for r in reports]

    async def emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.rollups += packs
        self.log.append("rollups")


class Scene:
    """An evaluator with a clock that is moved by hand."""

    def __init__(self, database: Database, sensors: Mapping[str, Sensor] | None = None, *, marks: bool = False) -> None:
        self.database, self.notes, self.group, self.now = database, Notes(), Group(lambda: self.now), NOON
        self.sensors: Mapping[str, Sensor] | None = HOT if sensors is None else sensors
        self.marks, self.in_charge = marks, True
        self.start()

    def start(self) -> None:
        """A new life."""
        telemetry = Telemetry(self.notes, lambda: self.sensors, marks=self.marks, in_charge=lambda: self.in_charge)
        self.tally = Tally()
        self.evaluator = Evaluator(self.database, telemetry, self.group, self.tally, lambda: self.now)

    async def read(self, *of: TelemetryPack | bytes, generation: int | None = None) -> list[Event]:
        """Packs come."""
        values = [p if isinstance(p, bytes) else encode(p) for p in of]
        events: Any = [Event(v, self.notes.log, generation=self.group.number if generation is None else generation) for v in values]
        await self.evaluator.apply(events)
        return list(events)

    async def save(self) -> None:
        """What is unsaved is saved."""
        await self.evaluator._save_now(every=0.0)

    async def tick(self, seconds: float) -> None:
        """It is ``seconds`` after noon."""
        self.now = NOON + int(seconds * SECOND)
        await self.evaluator.tick()

    def body(self, zone: str = "hall") -> tuple[int, bytes] | None:
        with self.database.read() as connection:
            found = load_checkpoints(connection, "evaluate", [zone]).get(zone)
        return (found.version, found.body) if found else None


def pack(at: float, value: float, series: str = "T-1/temperature", *, received: float | None = None) -> TelemetryPack:
    when = NOON + int(at * SECOND)
    return pack_readings("hall", [Reading(series, when, value)], when if received is None else NOON + int(received * SECOND))


async def test_alarms_at_once_then_roll_ups_then_the_checkpoint_then_acknowledged(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    (event, _) = await scene.read(pack(0, 70), pack(1, 70))
    assert (scene.notes.log, scene.body()) == (["T-1 raised"], None)
    assert (event.message.value, event.value) == (None, None)  # the bytes are not kept until then
    await scene.save()
    assert scene.notes.log == ["T-1 raised", "rollups", "ack", "ack"]
    assert (scene.body() or (0,))[0] == 1
    assert (scene.tally.readings, scene.tally.rule_alarms) == (2, 1)


async def test_a_change_waits_a_little_for_its_checkpoint_and_less_when_nothing_follows(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    for module in (evaluate, saving):
        monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    scene = Scene(sqlite_database)
    await scene.read(pack(0, 20))
    await scene.evaluator._save_now()
    assert scene.body() is None
    clock[0] += 1.1 * EVERY_IDLE
    scene.evaluator.waiting = lambda: 1
    await scene.evaluator._save_now()
    assert scene.body() is None
    scene.evaluator.waiting = lambda: 0
    await scene.evaluator._save_now()
    assert scene.body() is not None


async def test_a_new_life_goes_on_from_the_checkpoint(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.read(pack(0, 70))
    await scene.save()
    await scene.read(pack(1, 20))  # not saved
    scene.start()
    await scene.read(pack(1, 20), pack(0, 70), pack(2, 70))  # the second is a pack from before the checkpoint
    assert [r.source_id for r in scene.notes.alarms] == [
        f"T-1/temperature/{NOON}/raised", f"T-1/temperature/{NOON}/cleared", f"T-1/temperature/{NOON}/cleared",
        f"T-1/temperature/{NOON + 2 * SECOND}/raised",
    ]  # fmt: skip
    assert scene.evaluator.evaluation.counts.repeated == 1


async def test_what_a_tick_finds_is_saved_before_it_is_sent_and_is_sent_after_a_crash_between(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.tick(0)
    await scene.read(pack(0, 70, "T-2/temperature"))
    await scene.tick(6.5)
    assert scene.notes.log == []
    scene.notes.alarms_away = True
    saving = asyncio.create_task(scene.save())
    while not scene.tally.telemetry_trouble:
        await asyncio.sleep(0.01)
    saving.cancel()
    with suppress(asyncio.CancelledError):
        await saving
    scene.notes.alarms_away = False
    scene.start()  # a crash after the commit
    await scene.read(pack(1, 20, "T-2/temperature", received=7))  # it was over before the delay was: too late to take it back
    assert scene.notes.log == ["rollups", "ack"]
    await scene.evaluator._save_now()
    assert scene.notes.log[-2:] == ["T-2 raised", "T-2 cleared"]
    await scene.save()
    scene.start()
    await scene.read(pack(8, 20))
    await scene.evaluator._save_now()
    assert scene.notes.log.count("T-2 raised") == 1


async def test_what_was_saved_and_not_sent_is_sent_by_the_next_life_though_nothing_comes(sqlite_database: Database) -> None:
    silent = {s.series: s for s in [sensor("T-1", stale_after=10 * SECOND)]}
    scene = Scene(sqlite_database, silent)
    scene.notes.alarms_away = True
    await scene.tick(0)
    await scene.tick(20)
    saving = asyncio.create_task(scene.save())
    while not scene.tally.telemetry_trouble:
        await asyncio.sleep(0.01)
    saving.cancel()
    with suppress(asyncio.CancelledError):
        await saving
    scene.notes.alarms_away = False
    scene.start()
    await scene.tick(21)
    await scene.save()
    assert scene.notes.log == ["T-1 raised"]


async def test_a_delay_and_a_bucket_end_in_a_new_life_although_no_reading_comes(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.tick(0)
    await scene.read(pack(0, 70, "T-2/temperature"))
    await scene.save()
    scene.start()
    scene.in_charge = False  # another worker is at its last checkpoints
    await scene.tick(20)
    await scene.tick(30)
    assert not scene.evaluator.evaluation.zones
    scene.in_charge = True
    for second in (40, 44, 48):
        await scene.tick(second)
        await scene.save()
    assert [(r.device, r.action.value) for r in scene.notes.alarms] == [("T-2", "raised")]
    assert 1 in {p.resolution for p in scene.notes.rollups}


async def test_delays_and_silence_wait_while_nothing_can_come_and_for_what_is_under_way(sqlite_database: Database) -> None:
    silent = {s.series: s for s in [sensor("T-1", stale_after=10 * SECOND)]}
    scene = Scene(sqlite_database, silent)
    await scene.tick(0)  # the zone is watched though nothing came
    scene.group.flows = False  # the broker is away
    await scene.tick(300)
    scene.group.flows = True
    await scene.tick(301)
    await scene.read(pack(5, 1))  # a backlog of 296 s
    await scene.tick(301.1)
    await scene.read(pack(299, 1, received=299))
    await scene.tick(305)
    assert [r.action.value for r in scene.notes.alarms] == ["raised", "cleared"]  # it was silent from 5 to 299 s
    await scene.tick(318)
    await scene.save()
    assert len(scene.notes.alarms) == 2, "who was minutes behind may have more on its way"
    await scene.tick(366)
    await scene.save()
    assert [r.action.value for r in scene.notes.alarms[2:]] == ["raised"]


async def test_time_waits_for_a_pack_that_the_broker_has_however_late_it_is_read(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.tick(0)
    await scene.read(pack(0, 70, "T-2/temperature"))
    scene.group.more = True  # the consumer is held up; the pack that ends the alarm's condition is there
    for second in (7, 20, 70):
        await scene.tick(second)
        await scene.save()
    assert scene.notes.alarms == []
    await scene.read(pack(1, 20, "T-2/temperature"))
    scene.group.more = False
    await scene.tick(71)
    await scene.save()
    assert scene.notes.alarms == []


async def test_time_waits_in_a_zone_whose_packs_are_under_way_whatever_other_partitions_say(sqlite_database: Database) -> None:
    known = {s.series: s for s in [sensor("T-1", on_delay=5 * SECOND, limits=Limits(high=60.0)), sensor("T-9", "yard")]}
    scene = Scene(sqlite_database, known)
    await scene.tick(0)
    await scene.read(pack(0, 70))
    await scene.save()
    scene.group.number = 2  # a rebalance; the partition of the yard is read first
    now = NOON + 60 * SECOND
    scene.now = now
    await scene.read(pack_readings("yard", [Reading("T-9/temperature", now, 1.0)], now))
    await scene.tick(60.5)  # takes up the hall, which was at work lately
    await scene.save()
    assert "hall" in scene.evaluator.evaluation.zones and scene.notes.alarms == []
    await scene.read(pack(1, 20))
    await scene.tick(61)
    await scene.save()
    assert scene.notes.alarms == []


async def test_without_sql_it_waits_and_nothing_is_acknowledged(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, failing = Scene(sqlite_database), [True]

    async def away(work: Callable[[Connection], Any]) -> Any:
        if failing[0]:
            raise StorageUnavailable("away")
        return await Database.writing(sqlite_database, work)

    monkeypatch.setattr(sqlite_database, "writing", away)
    (event,) = await scene.read(pack(0, 70))
    saving = asyncio.create_task(scene.save())
    while not scene.tally.telemetry_trouble:
        await asyncio.sleep(0.01)
    await scene.read(pack(1, 20))  # it goes on meanwhile
    assert not event.acked
    failing[0] = False
    await saving
    assert event.acked and scene.tally.telemetry_trouble == ""
    assert scene.evaluator.unsaved.messages == 1


async def test_reading_pauses_when_much_is_unsaved(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "MOST_UNSAVED", 3)
    scene = Scene(sqlite_database)
    await scene.read(pack(0, 1), pack(1, 1))
    reading = asyncio.create_task(scene.read(pack(2, 1)))
    done, _ = await asyncio.wait([reading], timeout=0.1)
    assert not done
    await scene.save()
    await asyncio.wait_for(reading, 60)


async def test_without_the_emitter_it_waits_and_an_alarm_that_can_never_be_sent_holds_up_nobody(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    scene.notes.errors = [BrokerUnavailable("away")] * 3
    await scene.read(pack(0, 70))
    assert scene.notes.log == ["T-1 raised"]
    scene.notes.refuse = lambda r: r.device == "T-1"
    cold = structs.replace(HOT["T-2/temperature"], on_delay=0)
    scene.sensors = {**HOT, "T-2/temperature": cold}
    await scene.read(pack(1, 20), pack(1, 70, "T-2/temperature"))
    assert scene.notes.log == ["T-1 raised", "T-2 raised"]


async def test_a_zone_that_another_worker_wrote_is_read_again_unless_messages_wait_for_it(sqlite_database: Database) -> None:
    silent = {s.series: s for s in [sensor("T-1", stale_after=10 * SECOND, limits=Limits(high=60.0))]}
    scene, other = Scene(sqlite_database, silent), Scene(sqlite_database, silent)
    for who in (scene, other):
        await who.tick(0)
    await other.read(pack(0, 70))
    await other.save()
    await scene.tick(20)  # finds silence in what it knew
    await scene.save()
    assert scene.notes.alarms == []
    assert (scene.group.failure, scene.body() and scene.body()[0]) == (None, 1)  # type: ignore[index]
    await scene.read(pack(21, 70, received=21))  # as the other left it: the alarm stands
    assert [r.kind for r in scene.notes.alarms] == ["sensor_stale", "sensor_stale"]
    await other.read(pack(22, 20, received=22))
    await other.save()
    with pytest.raises(StaleCheckpoint):
        await scene.save()
    assert isinstance(scene.group.failure, Conflict)


async def test_a_zone_that_was_only_watched_is_taken_as_sql_has_it_at_its_first_message(sqlite_database: Database) -> None:
    silent = {s.series: s for s in [sensor("T-1", stale_after=100 * SECOND, limits=Limits(high=60.0))]}
    scene, other = Scene(sqlite_database, silent), Scene(sqlite_database, silent)
    for who in (scene, other):
        await who.tick(0)
    await other.read(pack(0, 70))
    await other.save()
    await scene.read(pack(1, 20))  # the other's broker was replaced by this one's
    assert [(r.action.value, r.source_id) for r in scene.notes.alarms] == [("cleared", f"T-1/temperature/{NOON}/cleared")]


async def test_a_rebalance_ends_every_wait(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    scene.notes.alarms_away = True
    reading = asyncio.create_task(scene.read(pack(0, 70)))
    while not scene.tally.telemetry_trouble:
        await asyncio.sleep(0.01)
    scene.group.number = 2
    (event,) = await asyncio.wait_for(reading, 60)
    scene.notes.alarms_away = False
    await scene.tick(1)
    await scene.save()
    assert not event.acked and scene.notes.alarms == [] and scene.body() is None


async def test_a_save_that_waits_through_a_rebalance_is_not_written(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker may have the zone by then, or this one anew: nothing of the former life may reach SQL or the count of the next."""
    scene, failing = Scene(sqlite_database), [True]

    async def away(work: Callable[[Connection], Any]) -> Any:
        if failing[0]:
            raise StorageUnavailable("away")
        return await Database.writing(sqlite_database, work)

    monkeypatch.setattr(sqlite_database, "writing", away)
    (event,) = await scene.read(pack(0, 70))
    saving = asyncio.create_task(scene.save())
    while not scene.tally.telemetry_trouble:
        await asyncio.sleep(0.01)
    scene.group.number = 2
    await scene.tick(1)  # the evaluator follows the group before the save looks again
    await scene.read(pack(0, 70))
    failing[0] = False
    with pytest.raises(MovedOn):
        await saving
    assert not event.acked and scene.body() is None
    assert scene.evaluator.unsaved.messages == 1
    await scene.save()
    assert (scene.body() or (0,))[0] == 1 and scene.evaluator.unsaved.messages == 0


async def test_after_a_rebalance_what_was_not_saved_is_dropped_and_old_messages_are_ignored(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.read(pack(0, 70))
    await scene.save()
    (dropped,) = await scene.read(pack(1, 20))
    scene.group.number = 2
    (ignored,) = await scene.read(pack(2, 70), generation=1)
    assert scene.evaluator.evaluation.zones == {}
    await scene.save()
    assert not dropped.acked and not ignored.acked
    await scene.read(pack(1, 20), pack(2, 70))
    assert [r.source_id for r in scene.notes.alarms[1:]] == [
        f"T-1/temperature/{NOON}/cleared", f"T-1/temperature/{NOON}/cleared", f"T-1/temperature/{NOON + 2 * SECOND}/raised",
    ]  # fmt: skip


async def test_what_cant_be_read_is_put_aside_with_the_reason_and_acknowledged(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    good = pack(0, 1)
    bad = {
        "garbage": b"\xff",
        "half": encode(good)[:-5],
        "columns": encode(structs.replace(good, at=good.at[:-1])),
        "lengths": encode(structs.replace(good, value=good.value * 2)),
        "nowhere": encode(structs.replace(good, series=[])),
        "no number": encode(pack(0, float("nan"))),
        "infinite": encode(pack(0, float("inf"))),
        "no time": encode(pack_readings("hall", [Reading("T-1/temperature", -5, 1.0)], NOON)),
        "receipt": encode(structs.replace(good, received_at=2**62)),
    }
    events = await scene.read(*bad.values(), good)
    await scene.save()
    assert all(e.acked for e in events)
    assert (scene.tally.dead_lettered, scene.evaluator.evaluation.counts.readings) == (len(bad), 1)
    rows = await sqlite_database.reading(lambda c: c.execute(select(schema.dead_letters)).all())
    assert {bytes(r.payload) for r in rows} == set(bad.values())
    assert all(r.topic == "telemetry" and "MalformedMessage" in r.reason for r in rows)


async def test_on_the_embedded_broker_a_mark_is_left_with_the_checkpoint_also_for_a_pack_that_came_twice(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database, marks=True)
    await scene.read(pack(0, 1))
    await scene.save()
    (again,) = await scene.read(pack(0, 1))
    await scene.save()
    assert again.acked
    with sqlite_database.read() as connection:
        assert marked(connection, [pack(0, 1).id], ["evaluate"]) == {pack(0, 1).id}


async def test_readings_wait_until_their_limits_are_known(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    scene.sensors = None
    reading = asyncio.create_task(scene.read(pack(0, 70)))
    await asyncio.sleep(0.1)
    assert scene.notes.log == []
    scene.sensors = HOT
    await reading
    assert scene.notes.log == ["T-1 raised"]


async def test_a_rule_that_is_gone_lets_its_alarm_go_with_the_reason(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.tick(0)
    await scene.read(pack(0, 70))
    await scene.save()
    standing = (scene.body() or (0, b""))[1]
    scene.sensors = {"T-1/temperature": structs.replace(HOT["T-1/temperature"], zone="yard")}
    await scene.tick(4)
    await scene.save()
    cleared = scene.notes.alarms.pop()
    assert (cleared.action, cleared.zone, cleared.details["reason"]) == ("cleared", "hall", "sensor_moved")
    with sqlite_database.write() as connection:  # and when the site changed while nobody ran
        connection.execute(update(schema.checkpoints).values(body=standing))
    scene.start()
    await scene.read(pack(5, 1))
    await scene.save()
    assert scene.notes.alarms.pop().source_id == cleared.source_id


async def test_a_state_that_cant_be_read_begins_anew(sqlite_database: Database) -> None:
    scene = Scene(sqlite_database)
    await scene.read(pack(0, 70))
    await scene.save()
    with sqlite_database.write() as connection:
        connection.execute(update(schema.checkpoints).values(body=b"\x00rubbish"))
    scene.start()
    await scene.read(pack(1, 70))
    await scene.save()
    assert (scene.body() or (0,))[0] == 2
    assert scene.notes.log.count("T-1 raised") == 2


async def test_any_crashes_and_batches_give_the_same_alarms_and_roll_ups(sqlite_database: Database) -> None:
    """Lives end after any batch, saved or not; what was not acknowledged comes again, some of what was, too."""
    scene, stream = Scene(sqlite_database, PARK), packs(20, NOON)
    expected, results = uninterrupted(stream), Results()
    position, life = 0, 0
    while position < len(stream):
        life += 1
        scene.start()
        start = max(0, position - 7 * (life % 3))
        events = list[Event]()
        for n, size in enumerate((13, 29, 17, 40)):
            events += await scene.read(*stream[start + len(events) : start + len(events) + size])
            if (n + life) % 3 == 0:
                await scene.save()
        position = start + next((n for n, e in enumerate(events) if not e.acked), len(events))
    await scene.save()
    scene.now = NOON + 3600 * SECOND
    for seconds in (0, 5):
        await scene.tick(3600 + seconds)
    await scene.save()
    results.add(scene.notes.alarms, scene.notes.rollups)
    assert life > 3
    assert results.alarms == expected.alarms
    assert results.rollups == expected.rollups
    assert MICROS == SECOND
