"""Work of a part that must go on whatever happens to it. What must not go in: any such work."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def kept(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` again when it fails: it must not end because one transaction did."""
    while True:
        try:
            await work()
        except Exception as e:
            log.exception(f"{name} failed and begins again", error=str(e))
        await asyncio.sleep(0.5)
