"""Waiting for what is away: with back-off, saying so, for as long as it takes. What must not go in: what is done meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random

from hazards.errors import Unavailable

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def patiently(what: str, work: Callable[[], Awaitable[T]]) -> T:
    """``work``, repeated with back-off while what it needs is away."""

    def waiting(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("forwarder.waits", waits_for=what, tries=state.attempt_number, error=str(error))

    pause = wait_exponential(multiplier=0.05, max=2.0) + wait_random(0, 0.05)
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(Unavailable), wait=pause, before_sleep=waiting):
        with attempt:
            return await work()
    raise AssertionError("tenacity ends only by return or raise")


async def wait_briefly(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, ``seconds`` at most."""
    try:
        async with asyncio.timeout(seconds):  # not wait_for: on Python 3.11 it can swallow a cancellation
            await event.wait()
    except TimeoutError:
        pass
