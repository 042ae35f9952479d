"""Dead letters over HTTP and on the command line: an administrator sees why, sends again, and is told what can't be."""

import base64

import httpx
import pytest

from bus.codecs import SignalPack, encode
from bus.topics import ALARMS
from hazards.messages import UNASSIGNED, Signal
from hazards.signal_check import check_signal
from storage.dead_letter_queries import get_letter
from storage.dead_letters import DeadLetter, dead_letter, keep_dead_letters, settled_ids
from tests.api.conftest import System, bearer
from tests.hazards.signals import NOON
from tests.streams.signals import alarm

URL = "/api/v1/dead-letters"


def put_aside(system: System, letter: DeadLetter) -> None:
    with system.database.write() as connection:
        keep_dead_letters(connection, [letter], now=NOON)


def parked(signal: Signal) -> DeadLetter:
    """As an older version puts aside what it does not know."""
    payload = encode(SignalPack(signal.zone, [signal]))
    return dead_letter(ALARMS.name, payload, "UnknownSchema: version signals/1 is not known", signal=signal.id)


@pytest.fixture
def administrator(system: System) -> dict[str, str]:
    return bearer(system.token("administrator"))


async def test_a_parked_alarm_is_listed_with_its_reason_and_applied_when_it_is_sent_again(
    client: httpx.AsyncClient, system: System, administrator: dict[str, str]
) -> None:
    signal = alarm(1, UNASSIGNED)
    letter = parked(signal)
    put_aside(system, letter)
    (item,) = (await client.get(URL, headers=administrator)).json()["items"]
    assert (item["id"], item["topic"], item["parked"], item["resent_at"]) == (letter.id, "alarms", True, None)
    assert base64.b64decode(item["beginning"]) == letter.payload[:384] and item["size"] == len(letter.payload)
    answer = await client.post(f"{URL}/{letter.id}/resend", headers=administrator)
    assert answer.status_code == 200 and answer.json()["resent_at"]
    assert (await client.get(URL, params={"waiting": True}, headers=administrator)).json()["items"] == []
    assert await system.apply() == 1
    (incident,) = (await client.get("/api/v1/incidents", headers=administrator)).json()["items"]
    assert incident["alarm_count"] == 1


async def test_one_that_is_sent_again_is_no_longer_settled_until_it_is_put_aside_once_more(
    client: httpx.AsyncClient, system: System, administrator: dict[str, str]
) -> None:
    signal = alarm(2, UNASSIGNED)
    letter = parked(signal)
    put_aside(system, letter)
    with system.database.read() as connection:
        assert settled_ids(connection, [signal.id]) == {signal.id}
    await client.post(f"{URL}/{letter.id}/resend", headers=administrator)
    with system.database.read() as connection:
        assert settled_ids(connection, [signal.id]) == set()
    put_aside(system, letter)
    with system.database.read() as connection:
        assert settled_ids(connection, [signal.id]) == {signal.id} and get_letter(connection, letter.id).resent_at is None


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("alarms", encode(SignalPack("z", [])).replace(b"signals/1", b"signals/9"), "this version can't read it"),
        ("alarms", b"\xff\x00", "can't be read"), ("telemetry", b"", "can't be read"), ("mqtt/plant/T-1", b"{}", "can't be sent again"),
    ],
)  # fmt: skip
async def test_what_can_not_be_sent_again_says_why_and_stays(
    client: httpx.AsyncClient, system: System, administrator: dict[str, str], topic: str, payload: bytes, said: str
) -> None:
    letter = dead_letter(topic, payload, "nonsense")
    put_aside(system, letter)
    answer = await client.post(f"{URL}/{letter.id}/resend", headers=administrator)
    assert answer.status_code == 409 and said in answer.json()["detail"]
    assert (await client.get(URL, params={"waiting": True, "topic": topic}, headers=administrator)).json()["items"]


async def test_pages_of_letters(client: httpx.AsyncClient, system: System, administrator: dict[str, str]) -> None:
    for n in range(5):
        put_aside(system, dead_letter("alarms", bytes([n]), "nonsense"))
    first = (await client.get(URL, params={"limit": 3}, headers=administrator)).json()
    second = (await client.get(URL, params={"limit": 3, "cursor": first["next"]}, headers=administrator)).json()
    assert len({x["id"] for x in first["items"] + second["items"]}) == 5 and second["next"] is None
    assert (await client.post(f"{URL}/nothing/resend", headers=administrator)).status_code == 404


def test_a_nul_reaches_no_text_of_sql() -> None:
    letter = dead_letter("alarms", b"x", "a\0b", signal="s\0")
    assert (letter.reason, letter.signal) == ("a\ufffdb", None)


def test_a_signal_of_a_door_is_not_changed() -> None:
    signal = alarm(1, UNASSIGNED)
    assert check_signal(signal) is signal
