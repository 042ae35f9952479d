"""From an incident in SQL to a receiver that checks the signature, over SQLite and PostgreSQL."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import UTC

import msgspec
import pytest
from aiohttp import web

from hazards.incidents import Acknowledge, Close, Comment
from hazards.ledger import commands as ask
from hazards.messages import Signal
from hazards.scope import EVERYTHING
from storage.commands import command_incident
from storage.database import Database
from storage.duties import make_duties, tick_duty
from storage.outbox import give_positions
from tests.hazards.signals import signal as _signal
from tests.packs import POLICY
from tests.push.pushing import ENVIRONMENT, HALLS, World, hook, now, steady, until
from tests.push.receiver import Receiver, status
from tests.real.ports import free_port
from tests.storage.test_hazards import DEPARTMENT, OFFICER, OPERATOR, give, put_down


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    made = World(database)
    yield made
    await made.bell.close()


def signal(number: int, action: str = "raised", **more: object) -> Signal:
    """A signal of now."""
    at = now()
    return msgspec.structs.replace(_signal(number, action, **more), at=at, received_at=at)  # type: ignore[arg-type]


def another(number: int, *, severity: int | None = None) -> Signal:
    """The signal of an incident of its own, one of very many."""
    return signal(number, kind=f"kind_{number}", zone=f"hall-{number % HALLS}", severity=severity)


def kinds(receiver: Receiver, path: str = "/hook") -> list[str]:
    return [got.body["type"] for got in receiver.got if got.path == path]


async def test_an_incident_is_pushed_from_its_beginning_to_its_end_in_order(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url()))
    async with world.pushing():
        world.happens(signal(1, kind="smoke", severity=2))
        await receiver.until(1)
        world.happens(signal(2, kind="smoke", severity=2))  # another of the same: not worth a push
        world.happens(signal(3, kind="flame", severity=1))
        await receiver.until(2)
        (incident,) = world.rows("incidents")
        with world.database.write() as connection:
            command_incident(connection, incident.id, Comment(text="看一下"), actor="wang", scope=EVERYTHING, now=now())
            command_incident(connection, incident.id, Acknowledge(), actor="wang", scope=EVERYTHING, now=now())
            command_incident(connection, incident.id, Close(reason="已扑灭"), actor="wang", scope=EVERYTHING, now=now())
        with world.database.write() as connection:
            give_positions(connection)
        world.bell.ring()
        await receiver.until(4)
        assert await steady(lambda: kinds(receiver)) == [
            "incident.opened", "incident.severity_raised", "incident.acknowledged", "incident.closed",
        ]  # fmt: skip
        await until(lambda: {d.state for d in world.deliveries()} == {"delivered"})
    first = receiver.got[0].body
    data = first["data"]
    assert data["id"] == incident.id and data["zone_name"] == "熔铸车间" and data["enterprise_name"] == "示例铝业"
    assert data["kind_names"][0]["name"] == {"zh": "烟雾", "en": "smoke"}
    assert data["why"]["zh"] and data["certainty"] == "possible" and data["synthetic"] is False
    assert data["links"]["self"] == f"https://park.example/api/v1/incidents/{incident.id}"
    assert first["timestamp"].endswith("+08:00")
    assert [got.body["data"]["severity"] for got in receiver.got] == [2, 1, 1, 1]
    assert len({got.id for got in receiver.got}) == 4


async def test_an_enterprise_gets_its_own_and_an_endpoint_of_nobody_gets_all(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url("/alu")), hook(receiver.url("/city"), None, "CITY_SECRET"))
    async with world.pushing():
        world.happens(signal(1, zone="smelter"), signal(2, zone="tank", device="G-1"), signal(3, zone="pipe", device="P"))
        await receiver.until(4)
        await steady(lambda: None, 0.3)
    assert {g.body["data"]["zone"] for g in receiver.got if g.path == "/alu"} == {"smelter"}
    assert sorted(g.body["data"]["zone"] for g in receiver.got if g.path == "/city") == ["pipe", "smelter", "tank"]


async def test_steps_of_a_hazard_are_pushed_and_comments_are_not(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url()))
    async with world.pushing():
        hazard, _ = put_down(world.database, now=now())
        for command, actor in (
            (ask.Comment(text="看一下"), OPERATOR), (ask.Confirm(grade="serious"), DEPARTMENT), (ask.StartRectification(), OFFICER),
        ):  # fmt: skip
            give(world.database, hazard, command, actor, now=now())
        with world.database.write() as connection:
            give_positions(connection)
        world.bell.ring()
        await receiver.until(3)
        assert await steady(lambda: kinds(receiver), 0.3) == ["hazard.proposed", "hazard.confirmed", "hazard.rectification_started"]
    data = receiver.got[1].body["data"]
    assert data["title"] == "炉前明火" and data["grade_name"]["zh"] == "较大" and data["zone_name"] == "熔铸车间"
    assert data["basis"]["rule"] == "confirmed_by_person" and data["links"]["self"] == f"https://park.example/api/v1/hazards/{hazard.id}"
    assert {d.severity for d in world.deliveries()} == {2}


async def test_a_duty_of_a_body_that_is_overdue_is_pushed_to_those_who_hear_everything(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url("/alu")), hook(receiver.url("/city"), None, "CITY_SECRET"))
    async with world.pushing():
        with world.database.write() as connection:
            duty = next(d for d in make_duties(connection, POLICY, now=now(), zone=UTC) if d.id.startswith("monthly_inspection:department"))
            assert tick_duty(connection, duty.id, POLICY, now=duty.due_at + 1_000_000, zone=UTC)
            give_positions(connection)
        world.bell.ring()
        await receiver.until(1)
        assert await steady(lambda: kinds(receiver, "/alu"), 0.3) == [] and kinds(receiver, "/city") == ["duty.overdue"]
    data = receiver.got[0].body["data"]
    assert (data["id"], data["tells"], data["name"]["zh"]) == (duty.id, ["department", "safety_office"], "每月专项检查")
    assert data["links"] == {"list": "https://park.example/api/v1/duties", "console": "https://park.example/"}
    assert {d.severity for d in world.deliveries()} == {3}


async def test_errors_and_then_success_is_one_message_with_one_id(world: World, receiver: Receiver) -> None:
    receiver.answers = [status(500), status(500), status(200)]
    world.apply(hook(receiver.url()))
    async with world.pushing():
        world.happens(signal(1))
        got = await receiver.until(3)
        await until(lambda: world.deliveries()[0].state == "delivered")
    assert len({g.id for g in got}) == 1 and len({g.raw for g in got}) == 1
    assert got[1].at - got[0].at >= 2.0 and got[2].at - got[1].at >= 5.0, "2 s, then 5 s; test_schedule has the jitter"
    attempts = sorted(world.rows("delivery_attempts"), key=lambda r: r.number)
    assert [(a.number, a.status) for a in attempts] == [(1, 500), (2, 500), (3, 200)]
    (endpoint,) = world.rows("endpoints")
    assert endpoint.failures == 0 and endpoint.delivered_at


async def test_410_turns_the_endpoint_off_and_what_comes_later_is_kept_as_cancelled(world: World, receiver: Receiver) -> None:
    receiver.answers = [status(410)]
    world.apply(hook(receiver.url()))
    async with world.pushing():
        world.happens(signal(1))
        await until(lambda: any(e.turned_off_at for e in world.rows("endpoints")))
        world.happens(signal(2, kind="intrusion"))
        await until(lambda: len(world.deliveries()) == 2)
        assert await steady(lambda: len(receiver.got)) == 1
    first, second = world.deliveries()
    assert (first.state, second.state) == ("dead", "cancelled") and "turned off" in second.last_error
    assert "410" in world.rows("endpoints")[0].turned_off_why


async def test_429_leaves_the_whole_endpoint_alone_as_long_as_it_asks(world: World, receiver: Receiver) -> None:
    receiver.answers = [status(429, Retry_After="3"), status(204)]
    world.apply(hook(receiver.url()))
    async with world.pushing():
        world.happens(signal(1))
        await receiver.until(1)
        await until(lambda: world.rows("endpoints")[0].paused_until is not None)
        world.happens(signal(2, kind="intrusion"))
        got = await receiver.until(3)
    assert got[1].at - got[0].at >= 2.9 and got[2].at - got[0].at >= 2.9
    assert world.rows("endpoints")[0].paused_until is None


@pytest.mark.parametrize("broken", ["silent", "refusing"])
async def test_one_dead_endpoint_does_not_hold_up_another(world: World, receiver: Receiver, broken: str) -> None:
    async def silent(request: object) -> object:
        return await asyncio.sleep(60)

    receiver.by_path = {"/dead": silent}  # type: ignore[dict-item]
    dead = receiver.url("/dead") if broken == "silent" else f"http://127.0.0.1:{free_port()}/"
    world.apply(hook(dead), hook(receiver.url("/alive"), None, "CITY_SECRET"))
    async with world.pushing(timeout=20.0, parallel=8):
        for n in range(20):
            world.happens(another(n))
        await until(lambda: len(kinds(receiver, "/alive")) == 20)
        assert len(kinds(receiver, "/dead")) <= 4
    assert {d.state for d in world.deliveries() if d.delivered_at} == {"delivered"}


async def test_what_is_grave_goes_first_and_never_more_at_once_than_allowed(world: World, receiver: Receiver) -> None:
    async def slow(request: object) -> object:
        await asyncio.sleep(0.05)
        return web.Response()

    receiver.answers = [slow]  # type: ignore[list-item]
    world.apply(hook(receiver.url()))
    world.happens(*(another(n, severity=3 - n % 3) for n in range(40)))
    async with world.pushing():
        await receiver.until(40)
    said = [g.body["data"]["severity"] for g in receiver.got]
    assert receiver.most == 4
    assert sum(a > b for a, b in itertools.pairwise(said)) <= 4, said


async def test_without_a_secret_deliveries_wait_and_go_out_once_there_is_one(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url()))
    async with world.pushing(environment={}):
        world.happens(signal(1))
        await until(lambda: len(world.deliveries()) == 1)
        assert await steady(lambda: receiver.got) == []
    (waiting,) = world.deliveries()
    assert waiting.state == "waiting" and "ALU_SECRET" in waiting.last_error
    assert "ALU_SECRET" in world.progress[-1].trouble
    async with world.pushing(environment=ENVIRONMENT):
        await receiver.until(1)


async def test_an_endpoint_that_leaves_the_site_gets_nothing_more(world: World, receiver: Receiver) -> None:
    receiver.answers = [status(500)]
    world.apply(hook(receiver.url()))
    async with world.pushing():
        world.happens(signal(1, severity=3, kind="odd"))
        await until(lambda: len(world.rows("delivery_attempts")) == 1)
        world.apply()
        await until(lambda: world.deliveries()[0].state == "cancelled")
        world.happens(signal(2, kind="intrusion"))
        assert await steady(lambda: len(world.deliveries())) == 1
    assert "no longer in the site" in world.deliveries()[0].last_error


async def test_an_internal_address_is_refused_and_the_record_says_so(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url(), allow_private=False))
    async with world.pushing():
        world.happens(signal(1))
        await until(lambda: world.rows("delivery_attempts"))
    assert receiver.got == []
    assert "loopback" in world.rows("delivery_attempts")[0].error


async def test_two_push_processes_send_each_message_once(world: World, receiver: Receiver) -> None:
    other = World(world.database)
    world.apply(hook(receiver.url()))
    async with world.pushing(), other.pushing():
        for n in range(20):
            world.happens(another(n))
            other.bell.ring()
        await receiver.until(20)
        await steady(lambda: None, 0.3)
        assert sum(w.progress[-1].leading for w in (world, other)) == 1
    assert len(receiver.got) == 20 == len({g.id for g in receiver.got})
    await other.bell.close()


async def test_a_standby_takes_over_when_the_leader_ends(world: World, receiver: Receiver) -> None:
    other = World(world.database)
    world.apply(hook(receiver.url()))
    async with other.pushing():
        await until(lambda: other.progress and other.progress[-1].leading)
        async with world.pushing():
            await until(lambda: bool(world.progress))
            assert not world.progress[-1].leading
    async with world.pushing():
        world.happens(signal(1))
        await receiver.until(1)
    await other.bell.close()


async def test_from_commit_to_receiver_it_is_woken_and_does_not_wait_for_its_poll(world: World, receiver: Receiver) -> None:
    world.apply(hook(receiver.url()))
    took = []
    async with world.pushing(poll=100.0):
        world.happens(signal(0))
        await receiver.until(1)
        for n in range(1, 11):
            made = another(n)
            await asyncio.to_thread(world.happens, made)
            committed = time.time()
            await receiver.until(n + 1)
            took.append(receiver.got[-1].at - committed)
    assert max(took) < 30, "woken by the bell: the fallback alone takes longer"
    print("ms:", [round(t * 1000, 1) for t in took])
