"""Asks the network for ONVIF cameras, and a camera for the address of its sub-stream. The words are ``ingest.onvif``'s.

What must not go in: XML, the choice of a stream.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp

from hazards.errors import BihuanError, MalformedMessage, SourceLost
from ingest import onvif

ANSWER_SECONDS = 8.0
_SOAP_TYPE = "application/soap+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Offer:
    """A camera with the stream that would be watched; ``problem``: why there is none."""

    device: onvif.Found
    profile: onvif.Profile | None = None
    url: str = ""
    problem: str = ""


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.devices: dict[str, onvif.Found] = {}

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Keep what a device says of itself; nonsense from the network is nobody's fault."""
        try:
            answered = onvif.found(data)
        except MalformedMessage:
            return
        for device in answered:
            self.devices[device.id or device.addresses[0]] = device


async def discover(seconds: float = 3.0, *, target: tuple[str, int] = onvif.MULTICAST, interface: str = "") -> list[onvif.Found]:
    """The devices that answer within ``seconds``. ``interface``: our address on the network of the cameras, "" for the usual one.

    Raises SourceLost where nothing can be sent."""
    loop = asyncio.get_running_loop()
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setblocking(False)
    try:
        channel.bind((interface, 0))
        if interface:
            channel.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        transport, answers = await loop.create_datagram_endpoint(_Answers, sock=channel)
    except OSError as e:
        channel.close()
        raise SourceLost(f"no way into the network: {e.strerror or e}", where=interface) from e
    try:
        for _ in range(2):  # a datagram may be lost
            transport.sendto(onvif.probe(uuid.uuid4()), target)
            await asyncio.sleep(seconds / 2)
    finally:
        transport.close()
    return sorted(answers.devices.values(), key=lambda d: d.addresses)


async def offers(devices: list[onvif.Found], *, user: str = "", password: str = "") -> list[Offer]:
    """What each of ``devices`` would be watched by, asked with ``user`` and ``password``."""
    return list(await asyncio.gather(*(_offer(device, user, password) for device in devices)))


async def _offer(device: onvif.Found, user: str, password: str) -> Offer:
    try:
        return await sub_stream_of(device, user=user, password=password)
    except BihuanError as e:
        return Offer(device, problem=e.what)


async def sub_stream_of(device: onvif.Found, *, user: str = "", password: str = "") -> Offer:
    """The sub-stream of one camera. Raises NotPermitted, SourceUnreadable, SourceLost, MalformedMessage."""
    address = device.addresses[0]
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        ahead = await _clock_ahead(session, address)

        def login() -> onvif.Login | None:
            return onvif.Login(user, password, os.urandom(16), datetime.now(UTC) + ahead) if user else None

        named = onvif.media_address_of(await _ask(session, address, lambda: onvif.get_capabilities(login())))
        media = onvif.on_host_of(named, address)
        profile = onvif.sub_stream(onvif.profiles_of(await _ask(session, media, lambda: onvif.get_profiles(login()))))
        uri = onvif.stream_uri_of(await _ask(session, media, lambda: onvif.get_stream_uri(profile.token, login())))
    return Offer(device, profile, uri)


async def _clock_ahead(session: aiohttp.ClientSession, address: str) -> timedelta:
    """By how much the camera's clock is ahead of ours; nothing where it does not say."""
    try:
        theirs = onvif.time_of(await _ask(session, address, onvif.get_time))
    except BihuanError:
        return timedelta()
    return theirs - datetime.now(UTC) if theirs else timedelta()


async def _ask(session: aiohttp.ClientSession, address: str, question: Callable[[], bytes]) -> bytes:
    try:
        headers = {"Content-Type": _SOAP_TYPE}
        async with session.post(address, data=question(), headers=headers, allow_redirects=False) as answer:
            body = b""
            async for chunk in answer.content.iter_chunked(65_536):
                body += chunk
                if len(body) > onvif.LONGEST:
                    break  # the parser refuses it
            onvif.raise_fault(answer.status, body)
            return body
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as e:
        raise SourceLost(f"no answer: {str(e) or type(e).__name__}", where=address) from e
