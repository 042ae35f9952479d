"""argon2 away from the event loop, in a bounded pool, and the throttle before it. What must not go in: SQL, HTTP."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from hazards.errors import Throttled
from storage.accounts import hash_password, verify_password

T = TypeVar("T")


class Passwords:
    """Hashes and verifies in ``threads`` threads; when ``waiting`` callers wait already, the next is refused."""

    def __init__(self, *, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._free = threads + waiting

    async def _run(self, work: Callable[[], T]) -> T:
        if self._free <= 0:
            raise Throttled("too many people sign in at once", hint="try again in a few seconds")
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free += 1

    async def hash(self, password: str) -> str:
        """argon2id hash; raises BadInput for a length that is not allowed, Throttled when too many wait."""
        return await self._run(lambda: hash_password(password))

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether it is the password; raises Throttled when too many wait."""
        return await self._run(lambda: verify_password(password_hash, password))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Throttle:
    """Counts failed sign-ins for each (name, address) and each address in a sliding window.

    A name alone is never barred: otherwise anybody could lock a colleague out. Attempts are counted when they
    begin, so many at once don't slip through; a success gives its own back.
    """

    REMEMBERED = 20_000  # keys; the longest untouched are forgotten first

    def __init__(self, *, failures: int, failures_of_address: int, window: float, clock: Callable[[], float] = monotonic) -> None:
        self._most = {"pair": failures, "address": failures_of_address}
        self._window, self._clock = window, clock
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def begin(self, name: str, address: str) -> None:
        """Count an attempt. Raises Throttled, with the attempt not counted."""
        keys = self._keys(name, address)
        for key in keys:
            if len(self._recent(key)) >= self._most[key[0]]:
                raise Throttled("too many failed sign-ins", hint=f"wait {self._window / 60:.0f} minutes")
        for key in keys:
            self._recent(key).append(self._clock())

    def succeeded(self, name: str, address: str) -> None:
        """The attempt that was begun last was no failure."""
        pair, whole = self._keys(name, address)
        self._failures.pop(pair, None)
        if recent := self._recent(whole):
            recent.pop()

    def _keys(self, name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
        return ("pair", f"{address} {name}"), ("address", address)

    def _recent(self, key: tuple[str, str]) -> deque[float]:
        times = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        while times and times[0] <= self._clock() - self._window:
            times.popleft()
        while len(self._failures) > self.REMEMBERED:
            self._failures.popitem(last=False)
        return times
