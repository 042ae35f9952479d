"""The address guard: every family of internal address, however it is written, and names that change their mind."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from push.addresses import refusal
from push.guard import AddressRefused, CheckingResolver, checking_sockets

PUBLIC = ["8.8.8.8", "114.114.114.114", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = ["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
           "198.18.0.1", "192.0.2.1", "::1", "fc00::1", "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
           "::127.0.0.1", "2001:db8::1"]  # fmt: skip
NEVER = ["0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1",
         "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "fd00:ec2::254",
         "::ffff:169.254.169.254", "::ffff:0.0.0.0", "2002:7f00:1::", "2002:808:808::1", "2001::1", "100::1", "64:ff9b:1::1",
         "", "localhost", "127.1", "0x7f000001", "2130706433"]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_pass_only_where_the_endpoint_says_so(address: str) -> None:
    why = refusal(address)
    assert why is not None and address in why
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize("address", NEVER)
def test_addresses_that_no_webhook_has_never_pass(address: str) -> None:
    assert refusal(address) is not None
    assert refusal(address, allow_private=True) is not None


class Names(AbstractResolver):
    """Gives its answers one after the other, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=0) for a in answer]

    async def close(self) -> None:
        pass


async def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    resolver = CheckingResolver(Names(["8.8.8.8", "10.0.0.1"]), allow_private=False)
    with pytest.raises(AddressRefused, match=r"evil\.example.*10\.0\.0\.1 is private"):
        await resolver.resolve("evil.example", 443)
    assert [r["host"] for r in await CheckingResolver(Names(["8.8.8.8"]), allow_private=False).resolve("good.example", 443)] == ["8.8.8.8"]


def test_no_socket_is_made_for_a_literal_address_that_is_refused() -> None:
    make = checking_sockets(allow_private=False)
    with pytest.raises(AddressRefused, match="loopback"):
        make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    with pytest.raises(AddressRefused, match="link-local"):
        make((socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 2)))
    made = make((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)))
    made.close()


async def test_a_name_that_changes_its_address_after_the_check_reaches_nobody() -> None:
    """DNS rebinding: whoever asks once for the check and again for the connection would be talked round."""
    reached: list[Any] = []

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(writer.get_extra_info("sockname"))
        writer.close()

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    assert await CheckingResolver(names, allow_private=False).resolve("rebinding.example", port)
    for resolver in (CheckingResolver(names, allow_private=False), _Unchecked(names)):
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, socket_factory=checking_sockets(allow_private=False))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError, match="refused"):
                await session.post(f"http://rebinding.example:{port}/")
    server.close()
    await server.wait_closed()
    assert names.asked == 3 and reached == []


class _Unchecked(AbstractResolver):
    """A resolver whose check was talked round."""

    def __init__(self, inner: AbstractResolver) -> None:
        self.inner = inner

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return await self.inner.resolve(host, port, family)

    async def close(self) -> None:
        pass
