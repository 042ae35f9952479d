"""The receiver that the documentation gives works as it stands."""

import asyncio
import os
import re
import sys
from pathlib import Path

from storage.database import Database
from tests.push.pushing import World, hook
from tests.push.receiver import SECRET
from tests.push.test_run import signal
from tests.real.ports import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


async def test_the_receiver_of_the_documentation_takes_a_message_once(sqlite_database: Database) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    port, world = free_port(), World(sqlite_database)
    assert "9099" in program
    receiving = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program.replace("9099", str(port)), env=os.environ | {"ALU_WEBHOOK_SECRET": SECRET, "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert receiving.stdout is not None
    try:
        world.apply(hook(f"http://127.0.0.1:{port}/"))
        async with world.pushing():
            world.happens(signal(1, kind="smoke", severity=2))
            async with asyncio.timeout(60):
                assert (await receiving.stdout.readline()).decode().strip() == "incident.opened 熔铸车间 2"
    finally:
        receiving.kill()
        await receiving.wait()
        await world.bell.close()
