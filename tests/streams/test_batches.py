"""Micro-batches: an idle stream works at once, a busy one gathers; order, bounds and failures."""

import asyncio
from collections.abc import Sequence

import pytest

from streams.batches import Batches


class Work:
    """Notes batches; each waits for a permit."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.permits = asyncio.Semaphore(0)
        self.begun = asyncio.Event()

    async def __call__(self, batch: Sequence[int]) -> None:
        self.batches.append(list(batch))
        self.begun.set()
        await self.permits.acquire()


async def test_the_first_is_worked_on_at_once_the_rest_gathers() -> None:
    work = Work()
    async with Batches(work, at_most=10, heaviest=1000, weight=lambda _: 1) as batches:
        await batches.add(0)
        await work.begun.wait()
        for n in range(1, 6):
            await batches.add(n)
        assert (work.batches, len(batches)) == ([[0]], 5)
        work.begun.clear()
        work.permits.release()
        await work.begun.wait()
    assert work.batches == [[0], [1, 2, 3, 4, 5]]


async def test_a_batch_is_bounded_by_count_and_by_weight() -> None:
    work = Work()
    async with Batches(work, at_most=3, heaviest=10, weight=lambda n: n) as batches:
        for n in (1, 1, 1, 1, 9, 2, 50, 1):
            await batches.add(n)
            work.permits.release()
        while sum(map(len, work.batches)) < 8:
            work.permits.release()
            await asyncio.sleep(0)
    assert [n for batch in work.batches for n in batch] == [1, 1, 1, 1, 9, 2, 50, 1]
    assert all(len(b) <= 3 and (sum(b) <= 10 or len(b) == 1) for b in work.batches)


async def test_adding_waits_when_too_much_waits() -> None:
    work = Work()
    async with Batches(work, at_most=2, heaviest=10, weight=lambda _: 1) as batches:
        await batches.add(0)
        await work.begun.wait()
        await batches.add(1)
        await batches.add(2)
        adding = asyncio.create_task(batches.add(3))
        done, _ = await asyncio.wait([adding], timeout=0.05)
        assert not done
        work.permits.release()
        await adding


async def test_what_the_work_raises_comes_out_of_adding() -> None:
    async def fail(_: Sequence[int]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        async with Batches(fail, at_most=1, heaviest=10, weight=lambda _: 1) as batches:
            for n in range(5):
                await batches.add(n)
                await asyncio.sleep(0)


async def test_a_whole_batch_that_waits_is_known() -> None:
    work = Work()
    async with Batches(work, at_most=3, heaviest=10, weight=lambda n: n) as batches:
        await batches.add(1)
        await work.begun.wait()
        found = []
        for weight in (4, 5, 1):
            found.append(batches.full)
            await batches.add(weight)
        assert [*found, batches.full] == [False, False, False, True]
        work.permits.release()
    async with Batches(work, at_most=9, heaviest=10, weight=lambda n: n) as batches:
        await batches.add(1)
        await asyncio.sleep(0)
        await batches.add(10)
        assert batches.full
        work.permits.release()
