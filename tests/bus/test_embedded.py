"""The embedded broker's command line, and knowing that it is up."""

import socket
import time
from pathlib import Path

import pytest

from bus.embedded import embedded_broker_command, is_up, wait_until_up
from hazards.errors import BrokerUnavailable
from tests.real.processes import end, start


async def test_up_within_seconds_of_its_start(free_port: int, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port}"
    assert not await is_up(address)
    broker = start(embedded_broker_command(free_port), tmp_path / "broker.log")
    try:
        await wait_until_up(f"127.0.0.1:1,{address}", 60)
    finally:
        end(broker)
    assert not await is_up(address)


async def test_an_open_port_is_not_a_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            await wait_until_up(f"127.0.0.1:{server.getsockname()[1]}", 0.1)
        assert time.monotonic() - began < 20
