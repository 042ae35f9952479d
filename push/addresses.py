"""Which addresses a webhook may go to, as data: the guard against requests to internal addresses (SSRF). Pure.

Ranges: IANA special-purpose address registries (RFC 6890 and its updates). What must not go in: names, sockets
(``push/guard.py``).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

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
