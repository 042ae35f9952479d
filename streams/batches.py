"""Natural micro-batches: while one batch is being worked on, the next one gathers; nothing ever waits for a timer.

An idle stream applies a single message at once, a busy one takes all that came meanwhile, up to a bound.
What must not go in: what is done with a batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """``async with Batches(work, …) as b: await b.add(item)``: items reach ``work`` once each, in order, one batch at a time.

    ``add`` waits while ``at_most`` items are waiting. What ``work`` raises comes out of the next ``add``.
    A batch ends at ``at_most`` items or before their ``weight`` passes ``heaviest``; one item always fits."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]], *, at_most: int, heaviest: int, weight: Callable[[T], int]) -> None:
        self._work, self._weight = work, weight
        self._at_most, self._heaviest = at_most, heaviest
        self._waiting: deque[T] = deque()
        self._gathered, self._room = asyncio.Event(), asyncio.Event()
        self._runner: asyncio.Task[None]

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether another whole batch waits."""
        return len(self._waiting) >= self._at_most or sum(map(self._weight, self._waiting)) >= self._heaviest

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run())
        self._runner.add_done_callback(lambda _: self._room.set())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._runner.cancel()
        await asyncio.gather(self._runner, return_exceptions=True)

    async def add(self, item: T) -> None:
        """Queue ``item``."""
        while len(self._waiting) >= self._at_most and not self._runner.done():
            self._room.clear()
            await self._room.wait()
        if self._runner.done():
            self._runner.result()
        self._waiting.append(item)
        self._gathered.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._gathered.clear()
                await self._gathered.wait()
            batch = self._take()
            self._room.set()
            await self._work(batch)

    def _take(self) -> list[T]:
        batch = [self._waiting.popleft()]
        heavy = self._weight(batch[0])
        while self._waiting and len(batch) < self._at_most:
            heavy += self._weight(self._waiting[0])
            if heavy > self._heaviest:
                break
            batch.append(self._waiting.popleft())
        return batch
