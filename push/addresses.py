"""Guard against requests to internal addresses (SSRF): every address of a name is checked, and the checked one is connected to.

The check stands twice: in the resolver, so that one bad address among good ones refuses the name, and where the socket is made, which
also sees literal addresses and can't be talked round by an answer that changes in between (DNS rebinding).
Ranges: IANA special-purpose address registries (RFC 6890 and its updates). What must not go in: URLs, signing.
"""

import errno
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_Address = IPv4Address | IPv6Address
_Networks = tuple[tuple[IPv4Network | IPv6Network, str], ...]


def _table(*rows: tuple[str, str]) -> _Networks:
    return tuple((ip_network(network), name) for network, name in rows)


NEVER: _Networks = _table(
    ("0.0.0.0/8", "this network"),
    ("169.254.0.0/16", "link-local, among them cloud metadata"),
    ("100.100.100.200/32", "cloud metadata"),
    ("192.0.0.192/32", "cloud metadata"),
    ("168.63.129.16/32", "cloud platform service"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved or broadcast"),
    ("::/128", "unspecified"),
    ("fd00:ec2::254/128", "cloud metadata"),
    ("fd20:ce::254/128", "cloud metadata"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
    ("100::/64", "discard-only"),
    ("2001::/32", "Teredo tunnel"),
    ("2002::/16", "6to4 tunnel"),
    ("64:ff9b:1::/48", "local-use translation"),
)
"""Refused for every endpoint."""

PRIVATE: _Networks = _table(
    ("127.0.0.0/8", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("198.18.0.0/15", "benchmarking"),
    ("::1/128", "loopback"),
    ("fc00::/7", "private (unique local)"),
    ("2001:db8::/32", "documentation"),
)
"""Refused unless the endpoint says ``allow_private: true``."""

_EMBEDDING: _Networks = _table(("::ffff:0:0/96", "IPv4-mapped"), ("64:ff9b::/96", "NAT64"), ("::/96", "IPv4-compatible"))
"""IPv6 addresses whose last 32 bits are the IPv4 address that is meant."""


class AddressRefused(PermissionError):
    """The guard refused. An OSError, because that is what aiohttp carries through its connector."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EACCES, what)


def refusal(address: str, *, allow_private: bool = False) -> str | None:
    """Why no connection may go to ``address`` (a literal), or None when it may."""
    try:
        found = ip_address(address)
    except ValueError:
        return f"{address!r} is no address"
    meant = _embedded(found)
    for table, open_ in ((NEVER, False), (PRIVATE, allow_private)):
        for network, name in table:
            if meant in network:
                return None if open_ else f"{address} is {name}"
    return None if meant.is_global else f"{address} is not a public address"


def _embedded(address: _Address) -> _Address:
    if isinstance(address, IPv6Address) and int(address) > 1:  # :: and ::1 are themselves
        plain = IPv6Address(int(address))  # without its scope
        if any(plain in network for network, _ in _EMBEDDING):
            return IPv4Address(int(plain) & 0xFFFF_FFFF)
    return address


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
