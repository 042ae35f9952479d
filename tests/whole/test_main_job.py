"""The main job on real input: a fire before a camera becomes one incident with its picture on the feed, and clears when it ends."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.client import Client, FeedEvent, alarm_event
from tests.real.rtsp import Rtsp, encode_for_rtsp
from tests.real.system import RunningSystem

FIRE_SECONDS, QUIET_SECONDS = 12, 150
"""The clip: fire, then a fire-free scene for longer than the test lasts, since the server plays it in a loop."""


@pytest.fixture
def fire_then_quiet(media: Path, tmp_path: Path) -> Path:
    """A real fire, cut to a real scene without one."""
    fire, quiet = media / "fire/04_wood_stove.mp4", media / "negative/03_bottles.mp4"
    return encode_for_rtsp(tmp_path / "fire.mp4", (fire, 2, FIRE_SECONDS), (quiet, 0, QUIET_SECONDS))


@pytest.fixture
def quiet_only(media: Path, tmp_path: Path) -> Path:
    """The scene without a fire."""
    return encode_for_rtsp(tmp_path / "quiet.mp4", (media / "negative/03_bottles.mp4", 0, 60))


def camera(url: str) -> dict[str, Any]:
    """A camera of the first zone, as in a site file."""
    return {"id": "CAM-1", "zone": "zone-0", "type": "camera", "url": url, "detectors": ["flame"]}


async def until_event(events: AsyncIterator[FeedEvent], wanted: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
    """The next incident on the feed that is ``wanted``."""
    async with asyncio.timeout(seconds):
        async for event in events:
            if isinstance(event.data, dict) and "family" in event.data and wanted(event.data):
                found: dict[str, Any] = event.data
                return found
    raise AssertionError("the feed ended")


async def fires(client: Client) -> list[dict[str, Any]]:
    """Every incident of the camera's zone and the family fire."""
    return [i for i in await client.incidents() if (i["zone"], i["family"]) == ("zone-0", "fire")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flavour", ["embedded", "kafka"])
async def test_a_fire_on_a_camera_makes_one_incident_that_clears_and_stays_acknowledged(
    running_system: Callable[..., RunningSystem], rtsp: Rtsp, fire_then_quiet: Path, quiet_only: Path, flavour: str
) -> None:
    server = rtsp(gate=fire_then_quiet)
    system = await asyncio.to_thread(running_system, flavour, cameras=[camera(server.url("gate"))])
    began = time.monotonic()
    async with system.client("operator") as client, aclosing(client.feed("0")) as events:
        opened = await until_event(events, lambda i: i["family"] == "fire" and i["state"] == "active", 120)
        print(f"{flavour}: on the feed {time.monotonic() - began:.1f} s after the system was ready")
        assert (opened["zone"], opened["kinds"], opened["devices"], opened["severity"]) == ("zone-0", ["flame"], ["CAM-1"], 2)
        await the_picture_is_served(client, opened)

        answer = await client.command(opened["id"], "acknowledge")
        assert answer.status == 200, answer.text
        acknowledged = await until_event(events, lambda i: i["id"] == opened["id"] and i["acknowledged_by"] is not None, 60)

        cleared = await until_event(events, lambda i: i["id"] == opened["id"] and i["state"] in ("cleared", "closed"), 120)
        assert cleared["acknowledged_by"] == acknowledged["acknowledged_by"]
        assert [i["id"] for i in await fires(client)] == [opened["id"]], "one fire, one incident"
        alarms = await client.alarms_of(opened["id"])
        assert {a["action"] for a in alarms} == {"raised", "cleared"}

    port = server.port
    await asyncio.to_thread(system.stop)
    server.stop()
    await asyncio.to_thread(rtsp, port=port, gate=quiet_only)
    await asyncio.to_thread(system.start)
    async with system.client("operator") as client:
        await it_still_works(client)
        again = await client.incident(opened["id"])
        assert again["acknowledged_by"] == acknowledged["acknowledged_by"], "an acknowledgement survives a restart"
        assert again["state"] in ("cleared", "closed")
        assert [i["id"] for i in await fires(client)] == [opened["id"]]


async def it_still_works(client: Client) -> None:
    """An alarm of another zone goes all the way to the feed."""
    async with aclosing(client.feed("0")) as events:
        answer = await client.post_alarms(alarm_event("after", "D-1-0", "flame", "raised", source="main-job"))
        assert answer.status == 202, answer.text
        await until_event(events, lambda i: i["zone"] == "zone-1", 60)


async def the_picture_is_served(client: Client, incident: dict[str, Any]) -> None:
    """The incident's snapshot is a JPEG under the hash of its content."""
    answer = await client.request("GET", incident["snapshot_url"])
    assert answer.status == 200, answer.text
    assert hashlib.sha256(answer.body).hexdigest() == incident["snapshot"]
    assert answer.body[:3] == b"\xff\xd8\xff"
