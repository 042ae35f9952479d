"""One connection to a broker: messages as they arrive, acknowledged by hand. The thin edge over aiomqtt and the paho client in it.

aiomqtt has no acknowledgement by hand and discards what its queue can't hold, so messages are taken and acknowledged at its paho client;
connecting, subscribing and the event loop's sockets are aiomqtt's. What must not go in: what a message means.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import paho.mqtt.client as paho
from msgspec import Struct
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.mqtt.settings import SCHEMES, MqttSettings

RECEIVE_MAXIMUM = 2_000
"""Messages that an MQTT 5 broker may have underway to us unacknowledged (MQTT 5, 3.1.2.11.3). With 3.1.1 the broker's own setting holds."""
LARGEST_PACKET = 8_000_000
"""Bytes; an MQTT 5 broker does not send us more (3.1.2.11.4)."""
INBOX_MESSAGES, INBOX_BYTES = 20_000, 64_000_000
KEEPALIVE = 20


class Arrived(Struct, frozen=True):
    """One message. ``at``: receipt in UTC µs; ``again``: the broker says that it has sent it before."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    again: bool
    mid: int
    at: int


class _TlsSocket(ssl.SSLSocket):
    """paho leaves a socket open whose handshake failed."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise


def _trusting(ca: str) -> ssl.SSLContext:
    """What connections are checked by: the certificates in file ``ca``, or the machine's."""
    context = ssl.create_default_context(cafile=ca or None)
    context.sslsocket_class = _TlsSocket
    return context


class Overflow(aiomqtt.MqttError):
    """More arrived than is held in memory; what was not taken comes again on the next connection."""


class Link:
    """``async with Link(…) as link`` is a connection with a session that outlives it. Raises aiomqtt.MqttError and OSError."""

    def __init__(self, settings: MqttSettings, client_id: str, password: str | None, now: Callable[[], int]) -> None:
        self._settings, self._client_id, self._password, self._now = settings, client_id, password, now
        self._inbox: deque[Arrived] = deque()
        self._arrived = asyncio.Event()
        self._bytes = self._unheld = 0
        self.dropped = 0

    async def __aenter__(self) -> "Link":
        """Connect; what the broker kept for us may arrive at once."""
        parts = urlsplit(self._settings.url)
        tls = await asyncio.to_thread(_trusting, self._settings.ca) if parts.scheme == "mqtts" else None
        self._client = aiomqtt.Client(
            parts.hostname or "", parts.port or SCHEMES[parts.scheme], identifier=self._client_id, tls_context=tls, keepalive=KEEPALIVE,
            username=self._settings.username or None, password=self._password, timeout=10, **self._session(),
        )  # fmt: skip
        self._paho = self._client._client
        self._paho.manual_ack_set(True)
        self._paho.on_message = self._on_message
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        """Disconnect; the broker keeps the session."""
        await self._client.__aexit__(*error)

    def _session(self) -> Mapping[str, Any]:
        if not self._settings.is_5:
            return {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": False}
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has types, but not here
        properties.SessionExpiryInterval = self._settings.session_expiry
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = LARGEST_PACKET
        return {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": properties}

    async def subscribe(self, topic_filter: str, qos: int) -> str:
        """Subscribe; "" or the broker's reason for refusing."""
        (code,) = await self._client.subscribe(topic_filter, qos=qos)
        number = code if isinstance(code, int) else code.value
        return "" if number < 128 else str(code)

    async def unsubscribe(self, topic_filter: str) -> None:
        """Tell the broker that the session no longer wants it."""
        await self._client.unsubscribe(topic_filter)

    async def settle(self) -> None:
        """Return when the broker has read all that was acknowledged: it reads in order, so its answer to anything comes after that."""
        await self._client.unsubscribe("bihuan/nothing")

    async def lost(self) -> None:
        """Return never; raises MqttError when the connection ends."""
        async for _ in self._client.messages:
            pass

    async def next(self) -> Arrived:
        """The next message. Raises Overflow once all that is held was given out and something was not held."""
        while not self._inbox:
            if self._unheld:
                raise Overflow(f"{self._unheld} messages more than are held in memory")
            self._arrived.clear()
            await self._arrived.wait()
        message = self._inbox.popleft()
        self._bytes -= len(message.payload)
        return message

    def acknowledge(self, message: Arrived) -> None:
        """Tell the broker that ``message`` need not be sent again. On a connection that is gone it has no effect."""
        if message.qos:
            self._paho.ack(message.mid, message.qos)

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        if len(self._inbox) >= INBOX_MESSAGES or (self._inbox and self._bytes + len(message.payload) > INBOX_BYTES):
            if message.qos:
                self._unheld += 1  # not acknowledged, so the broker keeps it
            else:
                self.dropped += 1  # at most once: that is what its sender asked for
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = message._topic.decode("utf-8", "replace")
        self._inbox.append(
            Arrived(topic, bytes(message.payload), message.qos, bool(message.retain), bool(message.dup), message.mid, self._now())
        )  # fmt: skip
        self._bytes += len(message.payload)
        self._arrived.set()
