"""One attempt against receivers that behave, misbehave and are not there."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from push.endpoints import Endpoint
from push.sending import Sender
from push.signing import secret_bytes
from tests.push.receiver import SECRET, Answer, Receiver, status
from tests.real.ports import free_port


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with Sender(timeout=4.0) as made:
        yield made


def at(url: str, *, allow_private: bool = True) -> Endpoint:
    return Endpoint("e", url, None, allow_private, (secret_bytes(SECRET),))


async def huge(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(status=200)
    await answer.prepare(request)
    for _ in range(20_000):
        await answer.write(b"x" * 10_000)
    return answer


async def dripping(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(status=200)
    await answer.prepare(request)
    for _ in range(600):
        await answer.write(b"x")
        await asyncio.sleep(0.1)
    return answer


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def slamming(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


CASES: dict[str, tuple[Answer, int | None, str]] = {
    "success": (status(204), 204, ""),
    "success with a huge body": (huge, 200, ""),
    "success with a body that drips": (dripping, 200, ""),
    "an error": (status(500), 500, "HTTP 500 Internal Server Error"),
    "an unknown status": (status(599), 599, "HTTP 599"),
    "a redirect": (status(302, Location="/elsewhere"), 302, "HTTP 302: redirects are not followed"),
    "silence": (silent, None, "no answer within 4 s"),
    "a slammed door": (slamming, None, "the connection was closed before an answer came"),
}


@pytest.mark.parametrize("name", list(CASES))
async def test_each_answer_is_understood_within_the_time_out(receiver: Receiver, sender: Sender, name: str) -> None:
    answer, code, error = CASES[name]
    receiver.answers = [answer]
    began = time.monotonic()
    outcome = await sender.send(at(receiver.url()), "m1", b'{"a":1}')
    assert (outcome.status, outcome.error) == (code, error)
    assert time.monotonic() - began < 30, "the time-out of 4 s ended it, and not the 60 s for which it goes on"
    assert [g.path for g in receiver.got] == ["/hook"], "sent once, and a redirect is not followed"
    assert receiver.got[0].raw == b'{"a":1}'


async def test_retry_after_comes_with_the_outcome(receiver: Receiver, sender: Sender) -> None:
    receiver.answers = [status(429, Retry_After="7")]
    outcome = await sender.send(at(receiver.url()), "m1", b"{}")
    assert (outcome.status, outcome.wait) == (429, 7_000_000)


async def test_nobody_listens(sender: Sender) -> None:
    outcome = await sender.send(at(f"http://127.0.0.1:{free_port()}/"), "m1", b"{}")
    assert outcome.status is None and outcome.error.startswith("no connection: ")


LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "0"]


@pytest.mark.parametrize("host", LOOPBACK)
async def test_without_allow_private_no_writing_of_an_internal_address_is_reached(receiver: Receiver, sender: Sender, host: str) -> None:
    outcome = await sender.send(at(f"http://{host}:{receiver.port}/", allow_private=False), "m1", b"{}")
    assert outcome.status is None and outcome.error and receiver.got == []


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[::]", "[::ffff:169.254.169.254]", "224.0.0.1"])
async def test_metadata_and_the_like_are_refused_even_with_allow_private(receiver: Receiver, sender: Sender, host: str) -> None:
    outcome = await sender.send(at(f"http://{host}:{receiver.port}/"), "m1", b"{}")
    assert outcome.status is None and "not allowed" in outcome.error and receiver.got == []


async def test_a_connection_that_was_opened_for_one_is_not_lent_to_another(receiver: Receiver, sender: Sender) -> None:
    """A connection kept open to a private receiver must not serve an endpoint that may not reach it."""
    assert (await sender.send(at(receiver.url()), "m1", b"{}")).status == 204
    outcome = await sender.send(at(receiver.url(), allow_private=False), "m2", b"{}")
    assert outcome.status is None and "loopback" in outcome.error and len(receiver.got) == 1


GARBAGE = [b"HTTP/1.1 2\x0000 OK\r\n\r\n", b"\x00\xff\xfe garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10**6, b""]


@pytest.mark.parametrize("said", GARBAGE)
async def test_what_is_no_http_is_an_outcome_that_any_database_keeps(sender: Sender, said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        with contextlib.suppress(ConnectionError):
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    outcome = await sender.send(at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"), "m1", b"{}")
    assert outcome.status is None and outcome.error.isprintable() and 0 < len(outcome.error) <= 300
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://user:hunter2@[bad/", "gopher://x/", "http://x:99999/"])
async def test_a_url_that_is_none_is_an_outcome_and_no_accident(sender: Sender, url: str) -> None:
    outcome = await sender.send(at(url), "m1", b"{}")
    assert outcome.status is None and outcome.error and "hunter2" not in outcome.error


async def test_no_certificate_of_its_own_making_is_trusted(sender: Sender, tmp_path: object) -> None:
    import ssl
    import subprocess
    from pathlib import Path

    folder = Path(str(tmp_path))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    outcome = await sender.send(at(f"https://127.0.0.1:{port}/"), "m1", b"{}")
    assert outcome.status is None and "certificate" in outcome.error
    server.close()
    await server.wait_closed()
