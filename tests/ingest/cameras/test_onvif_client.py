"""Finding cameras and asking one for its sub-stream, against a small SOAP server that checks the digest as a camera does.

No real camera was to be had: what a firmware does otherwise shows only there."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
import pytest_asyncio
from aiohttp import web

from hazards.errors import NotPermitted, SourceLost
from ingest import onvif
from ingest.cameras.onvif_client import discover, offers, sub_stream_of
from tests.real.ports import free_port

AHEAD = timedelta(hours=5)
"""The camera's clock is wrong: a digest by ours would be refused."""
USER, PASSWORD = "admin", "hunter22"


def envelope(body: str) -> str:
    return f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{body}</s:Body></s:Envelope>'


def encoder(token: str, size: tuple[int, int], encoding: str = "H264") -> str:
    return (
        f'<trt:Profiles token="{token}"><tt:Name>{token}</tt:Name><tt:VideoEncoderConfiguration token="v"><tt:Name>v</tt:Name>'
        f"<tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{size[0]}</tt:Width><tt:Height>{size[1]}</tt:Height></tt:Resolution>"
        "<tt:RateControl><tt:FrameRateLimit>12</tt:FrameRateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>"
    )


class SoapCamera:
    """A camera's device and media services."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    def _allowed(self, body: str) -> bool:
        """Whether the digest is right and fresh, by the camera's clock."""
        parts = {name: re.search(rf"<\w+:{name}(?: [^>]*)?>([^<]*)<", body) for name in ("Username", "Password", "Nonce", "Created")}
        if not all(parts.values()):
            return False
        user, given, nonce, created = (match.group(1) for match in parts.values() if match)
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + PASSWORD.encode()).digest()
        age = datetime.now(UTC) + AHEAD - datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return user == USER and given == base64.b64encode(digest).decode() and abs(age) < timedelta(seconds=10)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        (question,) = re.findall(r"<(Get\w+)", body)
        self.asked.append(question)
        if question == "GetSystemDateAndTime":
            now = datetime.now(UTC) + AHEAD
            parts = ("Hour", "Minute", "Second", "Year", "Month", "Day")
            at = "".join(f"<tt:{part}>{getattr(now, part.lower())}</tt:{part}>" for part in parts)
            return self._soap(f"<tds:R xmlns:tds='d' xmlns:tt='t'><tt:UTCDateTime>{at}</tt:UTCDateTime></tds:R>")
        if not self._allowed(body):
            code = "<s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
            return self._soap(f"<s:Fault><s:Code>{code}</s:Code></s:Fault>", status=400)
        return self._soap(self._told(question, body))

    def _told(self, question: str, body: str) -> str:
        if question == "GetCapabilities":
            return "<C xmlns:tt='t'><tt:Media><tt:XAddr>http://10.255.255.1/onvif/media</tt:XAddr></tt:Media></C>"
        if question == "GetProfiles":
            profiles = encoder("main", (2560, 1440)) + encoder("sub", (704, 576)) + encoder("third", (352, 288))
            return f"<trt:GetProfilesResponse xmlns:trt='m' xmlns:tt='t'>{profiles}</trt:GetProfilesResponse>"
        token = re.search(r"<ProfileToken>(\w+)<", body)
        return f"<R xmlns:tt='t'><MediaUri><tt:Uri>rtsp://192.0.2.7:554/{token.group(1) if token else ''}</tt:Uri></MediaUri></R>"

    @staticmethod
    def _soap(body: str, status: int = 200) -> web.Response:
        return web.Response(text=envelope(body), status=status, content_type="application/soap+xml")


@pytest_asyncio.fixture
async def soap() -> AsyncIterator[SoapCamera]:
    """A camera on this machine."""
    camera = SoapCamera(free_port())
    application = web.Application()
    application.router.add_post("/{service:.*}", camera.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", camera.port).start()
    yield camera
    await runner.cleanup()


def device(camera: SoapCamera) -> onvif.Found:
    return onvif.Found("urn:uuid:1", (f"http://127.0.0.1:{camera.port}/onvif/device_service",), "Gate")


async def test_a_camera_is_asked_for_its_sub_stream_by_its_own_clock(soap: SoapCamera) -> None:
    offer = await sub_stream_of(device(soap), user=USER, password=PASSWORD)
    assert offer.url == "rtsp://192.0.2.7:554/sub"
    assert offer.profile == onvif.Profile("sub", "sub", "H264", 704, 576, 12.0)
    assert soap.asked == ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles", "GetStreamUri"]


async def test_a_wrong_password_is_said(soap: SoapCamera) -> None:
    with pytest.raises(NotPermitted):
        await sub_stream_of(device(soap), user=USER, password="wrong")
    (offer,) = await offers([device(soap)], user=USER, password="wrong")
    assert offer.problem == "the camera refused the password"


async def test_a_camera_that_is_gone_is_lost() -> None:
    with pytest.raises(SourceLost):
        await sub_stream_of(onvif.Found("x", (f"http://127.0.0.1:{free_port()}/onvif",)))


class Responder(asyncio.DatagramProtocol):
    """Answers a probe, after some nonsense."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        assert b"NetworkVideoTransmitter" in data
        self.transport.sendto(b"\xff\xfenonsense", addr)
        answer = (
            "<d:ProbeMatches xmlns:d='d' xmlns:a='a'><d:ProbeMatch><a:Address>urn:uuid:7</a:Address>"
            "<d:Scopes>onvif://www.onvif.org/name/Gate</d:Scopes><d:XAddrs>http://192.0.2.7/onvif</d:XAddrs></d:ProbeMatch></d:ProbeMatches>"
        )
        self.transport.sendto(envelope(answer).encode(), addr)


async def test_devices_that_answer_are_found_once() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Responder, local_addr=("127.0.0.1", 0))
    try:
        found = await discover(0.6, target=transport.get_extra_info("sockname"), interface="127.0.0.1")
        assert found == [onvif.Found("urn:uuid:7", ("http://192.0.2.7/onvif",), "Gate")]
    finally:
        transport.close()


async def test_a_network_without_cameras_is_an_empty_list() -> None:
    assert await discover(0.2, target=("127.0.0.1", free_port()), interface="127.0.0.1") == []
