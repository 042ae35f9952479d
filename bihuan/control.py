"""The channel between the supervisor and a part: JSON lines over a socket pair, both ends.

To the part: ``Start`` once, then ``Order``. From it: ``Prepared``, ``Ready``, ``Beat``, ``Done``. End of the stream means that the
other side is gone. What must not go in: what the parts do, when one is restarted.
"""

import asyncio
import os
import socket
from typing import Any

import msgspec
from msgspec import Struct, field

from bihuan.configuration import Settings
from hazards.errors import Misconfigured
from hazards.zones import Site

VARIABLE = "BIHUAN_CONTROL"
"""Environment variable: file descriptor of the control socket and the supervisor's process id, "FD:PID"."""
_LINE_LIMIT = 64 * 1024 * 1024  # a whole site travels in Start


class Start(Struct, frozen=True, tag="start", kw_only=True):
    """The first line a part gets. ``prepare``: this part brings the data folder up to date before it works."""

    name: str
    settings: Settings
    broker: str = ""  # bootstrap servers
    generation: int = 0  # which embedded broker, counted from 0
    doorbell: int = 0  # loopback UDP port of the relay's doorbell, 0: the database notifies
    followers: tuple[int, ...] = ()  # loopback UDP ports of all who follow the outbox, to be rung too
    bell: int = 0  # the one of them that this run listens on
    listen: int = -1  # inherited listening socket of the API
    heir: bool = False  # a worker of another broker is still at work: this one is in charge when it gets the order "take_over"
    prepare: bool = False
    site: Site | None = None  # to apply, only with ``prepare``
    password: str = ""  # of the first administrator, only with ``prepare``


class Order(Struct, frozen=True, tag="order"):
    """Something to do; answered by ``Done`` with the same number."""

    number: int
    name: str
    argument: str = ""


class Prepared(Struct, frozen=True, tag="prepared"):
    """The data folder is up to date. ``administrator``: the first administrator was created just now."""

    administrator: bool = False
    problem: str = ""  # why it never can be: the system does not start


class Ready(Struct, frozen=True, tag="ready"):
    """The part does its work."""


class Beat(Struct, frozen=True, tag="beat", omit_defaults=True, kw_only=True):
    """A sign of life from the part's event loop, once a second, with how far it is.

    ``broker``: the bootstrap servers it writes to, ``broker_bytes``: written there by this process. ``applied``: alarms this worker
    applied. ``behind``: age in seconds of the oldest accepted alarm that SQL has not applied and this worker should have.
    ``unapplied``: accepted alarms in the journal.
    """

    broker: str = ""
    broker_bytes: int = 0
    applied: int = 0
    behind: float = 0.0
    unapplied: int = 0
    note: dict[str, Any] = field(default_factory=dict)


class Done(Struct, frozen=True, tag="done"):
    """An order was carried out, or why not."""

    number: int
    error: str = ""


ToPart = Start | Order
FromPart = Prepared | Ready | Beat | Done

_encoder = msgspec.json.Encoder()
_to_part = msgspec.json.Decoder(ToPart)
_from_part = msgspec.json.Decoder(FromPart)


class Channel:
    """One end of the pair on an event loop. Sending never blocks: the lines are small and few."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def over(cls, end: socket.socket) -> "Channel":
        """A channel over a connected socket, which it owns from now on."""
        end.setblocking(False)
        return cls(*await asyncio.open_connection(sock=end, limit=_LINE_LIMIT))

    def send(self, message: ToPart | FromPart) -> None:
        """Send one message; silently nothing if the other side is gone (its end is seen by ``read``)."""
        if not self._writer.is_closing():
            self._writer.write(_encoder.encode(message) + b"\n")

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except (ConnectionError, ValueError):
            return b""

    async def order(self) -> ToPart | None:
        """The supervisor's next message, None when it is gone."""
        line = await self._line()
        return _to_part.decode(line) if line.endswith(b"\n") else None

    async def news(self) -> FromPart | None:
        """The part's next message, None when it is gone. Raises msgspec.DecodeError on what is none."""
        line = await self._line()
        return _from_part.decode(line) if line.endswith(b"\n") else None

    def close(self) -> None:
        """End the channel."""
        self._writer.close()


def inherited() -> tuple[socket.socket, int]:
    """The control socket this process was started with and the supervisor's process id. Raises Misconfigured."""
    descriptor, _, parent = os.environ.get(VARIABLE, "").partition(":")
    if not descriptor.isdigit() or not parent.isdigit():
        raise Misconfigured("this is a part of bihuan and is started by `bihuan up`", where=VARIABLE)
    end = socket.socket(fileno=int(descriptor))
    end.set_inheritable(False)  # a decoder process must not keep the channel open after us
    return end, int(parent)
