"""Connections that go only where they may: every address of a name is checked, and the checked one is connected to.

The check stands twice: in the resolver, so that one bad address among good ones refuses the name, and where the socket is made, which
also sees literal addresses and can't be talked round by an answer that changes in between (DNS rebinding).
What must not go in: the ranges (``push/addresses.py``), URLs, signing.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from push.addresses import refusal


class AddressRefused(PermissionError):
    """The guard refused. An OSError, because that is what aiohttp carries through its connector."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EACCES, what)


class NameResolver(AbstractResolver):
    """The machine's own look-up on threads of its own: names that never answer must not take them from anybody else."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of ``host``. Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(where[0]), port=port, family=kind, proto=protocol, flags=numeric)
            for kind, _, protocol, _, where in found
        ]

    async def close(self) -> None:
        """Wait for nobody: a look-up that hangs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class CheckingResolver(AbstractResolver):
    """Resolves through ``inner`` and refuses a name when any of its addresses is refused."""

    def __init__(self, inner: AbstractResolver, *, allow_private: bool) -> None:
        self._inner, self._allow_private = inner, allow_private

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of ``host``, all of them checked. Raises AddressRefused, OSError."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if why := refusal(result["host"], allow_private=self._allow_private):
                raise AddressRefused(f"{host} is refused: {why}")
        return found

    async def close(self) -> None:
        """Close the resolver inside."""
        await self._inner.close()


def checking_sockets(*, allow_private: bool) -> Callable[[tuple[Any, ...]], socket.socket]:
    """A ``socket_factory`` for aiohttp's connector that makes no socket for an address that is refused."""

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, where = info
        if why := refusal(str(where[0]), allow_private=allow_private):
            raise AddressRefused(f"refused: {why}")
        return socket.socket(family, kind, protocol)

    return make
