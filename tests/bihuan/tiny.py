"""A real, tiny child program for the supervisor's tests: ``python tiny.py PART``. It speaks the control channel like every part.

Files in the data folder steer it: ``PART.hang`` stops its event loop once, ``PART.stall`` claims that it is behind,
``PART.never`` keeps it from saying that it is ready.
"""

import asyncio
import os
import time
from pathlib import Path

from bihuan.control import Beat, Prepared
from bihuan.parts.part import Part, run


async def work(part: Part) -> None:
    folder = part.settings.folder
    name = part.start.name
    log = folder / "log"
    broker = part.start.broker
    written = 0

    async def switch_broker(address: str) -> None:
        nonlocal broker, written
        if (folder / f"{name}.refuse").exists():
            raise RuntimeError("not now")
        broker, written = address, 0
        note(f"{name} switched")

    async def switch_telemetry(address: str) -> None:
        note(f"{name} switched telemetry")

    async def take_over(_: str) -> None:
        note(f"{name} in charge")

    async def close_intake(_: str) -> None:
        note(f"{name} closed intake")

    def note(text: str) -> None:
        with log.open("a") as file:
            file.write(text + "\n")

    def beat() -> Beat:
        nonlocal written
        if (folder / f"{name}.write").exists():
            written += 200_000
        stalled = (folder / f"{name}.stall").exists()
        note = {"sections": ["webhooks"] if (folder / "webhooks").exists() else []}
        applied = 0 if stalled else time.monotonic_ns()
        return Beat(note=note, broker=broker, broker_bytes=written, applied=applied, behind=99.0 if stalled else 0.0)

    part.orders |= {"switch_broker": switch_broker, "switch_telemetry": switch_telemetry, "close_intake": close_intake,
                    "take_over": take_over}  # fmt: skip
    part.progress = beat
    note(f"{name} started on {broker or 'nothing'}")
    (folder / f"{name}.pid.part").write_text(str(os.getpid()))
    (folder / f"{name}.pid.part").replace(folder / f"{name}.pid")  # whoever looks meanwhile sees the old one, never half of one
    if not (folder / f"{name}.never").exists():
        part.ready()
    hang = folder / f"{name}.hang"
    while not part.stopping.is_set():
        if hang.exists():
            hang.unlink()
            time.sleep(600)
        try:
            await asyncio.wait_for(part.stopping.wait(), 0.05)
        except TimeoutError:
            pass
    note(f"{name} stopped")


if __name__ == "__main__":
    assert Prepared and Path
    run(work)
