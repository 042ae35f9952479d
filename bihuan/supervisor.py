"""The supervisor: starts the parts, keeps them alive, replaces the embedded broker, stops everything in the right order.

It is small and imports nothing heavy, because it must never be what fails. What must not go in: anything a part does.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from bihuan.broker_care import BrokerCare, free_port
from bihuan.broker_change import Lane
from bihuan.child import part_command
from bihuan.configuration import Settings
from bihuan.control import Prepared, Start
from bihuan.keeper import Keeper, Patience
from hazards.errors import Misconfigured, Unavailable
from hazards.zones import Site

log = structlog.get_logger()

STOP_STAGES: tuple[tuple[tuple[str, ...], float], ...] = (
    (("demo", "video", "mqtt"), 2.0),
    (("ingest",), 1.5),
    (("worker",), 2.0),
    (("store",), 1.0),
    (("push", "ledger"), 1.0),
    (("api",), 1.5),
)
"""Who ends after whom, and within how many seconds: intake, ingest, worker, store, push, feeds and API. The broker is last."""
READERS = ("worker", "store")
"""Parts that read the broker: they belong to its lane and are replaced with it."""
LATE = ("store", "push", "ledger", "mqtt")
"""Parts that nobody waits for at a start: two cores import what accepts and merges alarms sooner without them."""
FOR_A_SECTION = {"push": "webhooks", "mqtt": "mqtt"}
"""Of them those that have nothing to do until the site has a section, as the API says: a process is 70 MB."""
LATE_AFTER = 10.0
"""Seconds after which they start although others are not ready."""
STORE_STALL = 60.0
"""Seconds without progress after which the store is replaced: a slow time series may take half of that for one write."""


class Supervisor:
    """One running system, or some parts of one. ``say`` prints a line for the person at the terminal.

    ``well`` is called every half second while all parts work."""

    def __init__(
        self,
        settings: Settings,
        parts: Sequence[str],
        *,
        site: Site | None = None,
        listen: socket.socket | None = None,
        password: str = "",
        say: Callable[[str], None] = print,
        command: Callable[[str], Sequence[str]] = part_command,
        prepares: bool = True,
        well: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = command
        self.settings, self.parts, self._site, self._listen = settings, parts, site, listen
        self._password, self._say, self._well = password, say, well
        self._doorbell = 0 if settings.database else free_port(socket.SOCK_DGRAM)
        self._bells = {} if settings.database else {name: free_port(socket.SOCK_DGRAM) for name in ("store-0", "store-1", "push")}
        self._patience = Patience(beat=settings.beat_timeout, stall=settings.stall_timeout)
        self._unprepared: str | None = next(iter(parts)) if prepares else None  # the first part brings the data folder up to date
        self.keepers: dict[str, Keeper] = {}
        self.care = BrokerCare(settings, self.keepers, self._awaited_readers)
        self.stopping = asyncio.Event()
        self.failed = False  # a part refused to work: a setting is wrong
        self._late: list[str] = []
        self._late_from = 0.0
        self._background: list[asyncio.Task[None]] = []

    @property
    def lane(self) -> Lane:
        """The present broker and its readers."""
        return self.care.lane

    # --- start ---
    def _start_message(self, name: str, lane: Callable[[], Lane]) -> Callable[[], Start]:
        def start() -> Start:
            prepare = name == self._unprepared
            bell = f"store-{lane().generation % 2}" if name == "store" else name  # two stores overlap while the broker is replaced
            return Start(
                name=name,
                settings=self.settings,
                broker=lane().address,
                generation=lane().generation,
                heir=name == "worker" and lane() is not self.lane,
                doorbell=self._doorbell,
                followers=tuple(self._bells.values()),
                bell=self._bells.get(bell, 0),
                listen=self._listen.fileno() if self._listen is not None and name == "api" else -1,
                prepare=prepare,
                site=self._site if prepare else None,
                password=self._password if prepare else "",
            )

        return start

    def _keeper(self, name: str, part: str, lane: Callable[[], Lane], *, again: bool = True) -> Keeper:
        keep = [self._listen.fileno()] if self._listen is not None and part == "api" else []
        patience = replace(self._patience, stall=max(STORE_STALL, self._patience.stall)) if part == "store" else self._patience
        keeper = Keeper(name, self._command(part), self._start_message(name, lane), patience, part=part, keep=keep, again=again)
        keeper.launch()
        return keeper

    def _awaited_readers(self, lane: Lane) -> list[Keeper]:
        """Those without which a lane is not whole."""
        return self._readers(lane, [part for part in READERS if part not in self._late])

    def _readers(self, lane: Lane, parts: Sequence[str]) -> list[Keeper]:
        found: list[Keeper] = []
        for part in (p for p in parts if p in self.parts):
            count = self.settings.workers if part == "worker" and self.settings.kafka else 1
            names = [part] if count == 1 else [f"{part}-{n}" for n in range(1, count + 1)]
            again = lane.broker is None or part != "worker"  # a worker that ended takes its lane with it, see BrokerCare
            found += [self._keeper(name, part, lambda: lane, again=again) for name in names]
        return found

    async def start(self) -> None:
        """Start the first part and the lane; when the first has prepared the data folder all others. Raises Misconfigured.

        The others wait for that because two cores import the API's packages sooner alone: alarms are accepted earlier."""
        others = [part for part in self.parts if part not in READERS]
        if self._unprepared is not None:
            self._add(others[:1])
        if not self.settings.kafka and not set(READERS).isdisjoint(self.parts):
            await self.care.start_embedded()
        self._late = [part for part in LATE if part in self.parts] if "api" in self.parts else []
        self._late_from = time.monotonic() + LATE_AFTER
        self.lane.readers = self._awaited_readers(self.lane)
        if self._unprepared is not None:
            first = self.keepers[others[0]] if others else self.lane.readers[0]
            self._unprepared = first.name
            first.begin()
            self._welcome(await self._preparation(first))
            self._unprepared = None
        self._add([part for part in others if part not in self.keepers and part not in self._late])
        for keeper in self._everybody():
            keeper.begin()
        self._background.append(asyncio.create_task(self._look_after()))

    def _add(self, parts: Sequence[str]) -> None:
        for part in parts:
            self.keepers[part] = self._keeper(part, part, lambda: self.lane)

    def _everybody(self) -> list[Keeper]:
        return [*self.keepers.values(), *(r for lane in self.care.lanes() for r in lane.readers)]

    def _start_late(self) -> None:
        """Start what nobody waits for, once the others work: at the start, after a change of brokers, when the site has a new section."""
        api = self.keepers.get("api")
        if api is None:
            return
        everybody, sections = self._everybody(), api.beat.note.get("sections", ())
        present = {keeper.part for keeper in everybody}
        wanted = [part for part in self._late if (section := FOR_A_SECTION.get(part)) is None or section in sections]
        missing = [part for part in wanted if part not in present]
        if not missing or (time.monotonic() < self._late_from and not all(keeper.is_ready for keeper in everybody)):
            return
        self._add([part for part in missing if part not in READERS])
        self.lane.readers += self._readers(self.lane, [part for part in missing if part in READERS])
        for keeper in self._everybody():
            keeper.begin()

    async def _preparation(self, first: Keeper) -> Prepared:
        """What the first part says of the data folder; nothing when a signal comes before it."""
        stopped = asyncio.create_task(self.stopping.wait())
        told: list[asyncio.Future[Any]] = [first.prepared, stopped]
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        prepared = first.prepared.result() if first.prepared.done() else Prepared()
        if prepared.problem:
            raise Misconfigured(prepared.problem)
        return prepared

    def _welcome(self, prepared: Prepared) -> None:
        if prepared.administrator:
            self._say(f"administrator: admin\npassword: {self._password}")
            self._say("(shown this once; change it in the console or with `bihuan user password admin`)")

    # --- while it runs ---
    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            if any(k.refused for k in self._everybody()):
                self.failed = True  # the part has said why on standard error
                self.stopping.set()
                return
            try:
                self._start_late()
                if all(k.is_ready for k in self._everybody()):
                    self._well()
                await self.care.look()
            except Exception:  # without these looks a dead broker would never be replaced
                log.exception("a look at the system failed")

    # --- the end ---
    async def stop(self) -> None:
        """Stop in order within ``stop_timeout`` seconds, then kill what is left."""
        until = time.monotonic() + self.settings.stop_timeout
        pending = {task for task in self._background if not task.done()}
        while pending:  # whatever swallows one cancellation must not hold up the end
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.5)
        if (api := self.keepers.get("api")) is not None and api.is_ready:
            with suppress(Exception):  # an intake that can't be closed ends with its process
                await api.order("close_intake", timeout=1.0)
        for names, seconds in STOP_STAGES:
            stage = [keeper for keeper in self._everybody() if keeper.part in names]
            left = max(0.1, min(seconds, until - time.monotonic()))
            await asyncio.gather(*(k.stop(left) for k in stage))
        for lane in self.care.lanes():
            if lane.broker is not None:
                lane.broker.kill()
                await lane.broker.wait(1.0)

    def kill(self) -> None:
        """End everything now."""
        for keeper in self._everybody():
            keeper.kill()
        for lane in self.care.lanes():
            if lane.broker is not None:
                lane.broker.kill()

    def _signal(self) -> None:
        if self.stopping.is_set():  # the second Ctrl-C: whoever presses it means it
            self.kill()
            os._exit(130)
        self.stopping.set()

    async def run(self) -> bool:
        """Start, work until a signal, stop. Returns whether all went well; raises Misconfigured when it can't start."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._signal)
        try:
            await self.start()
            address = asyncio.create_task(self._announce())
            await self.stopping.wait()
            address.cancel()
            log.info("stopping")
        finally:
            await self.stop()
        sys.stdout.flush()
        return not self.failed

    async def _announce(self) -> None:
        """Print the address as soon as the API answers; without an API say that the parts work."""
        api = self.keepers.get("api")
        if api is None:
            self._say(f"bihuan {', '.join(self.parts)}: started")
        else:
            while not api.is_ready:
                with suppress(TimeoutError):
                    try:
                        await api.when_ready(60)
                    except Unavailable:
                        return  # it has said why, and the system stops
            host, port = self._listen.getsockname()[:2] if self._listen is not None else (self.settings.host, self.settings.port)
            self._say(f"bihuan is at http://{host if host != '0.0.0.0' else '127.0.0.1'}:{port}")  # noqa: S104 - shown, not bound
        sys.stdout.flush()
