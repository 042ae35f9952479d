"""The job that anchors the ledger: makes the anchor of each day that is over and delivers every anchor until it has arrived.

One process of a database does it (``storage.leadership``). It looks at the clock every ``poll`` seconds instead of sleeping to midnight,
so that a clock or time zone that changes, and a machine that slept, make no difference. An anchor's row is written once; a kill at any
moment leaves either none, which is then made, or the one that is delivered as it is.
What must not go in: how letters and files are made, what an anchor says.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from api.present import zone_of_time
from bihuan.ledger.key import AnchorKey, load_key, make_key
from bihuan.ledger.mail import MailServer, letter, send
from hazards.errors import BihuanError, Conflict, Misconfigured, Unavailable
from hazards.ledger.anchors import Head, HeadsDigest, canonical, days_due, next_anchor
from hazards.zones import Site
from storage import anchors as store
from storage.anchor_files import document_parts, file_name, keep_in_folder
from storage.anchors import AnchorRow
from storage.database import Database
from storage.leadership import ANCHOR, Leadership

log = structlog.get_logger("anchors")

FOLDER, EMAIL = "folder:", "email:"
AT_ONCE = 50
"""Anchors delivered to a place before the others have their turn."""
MAILED_HEADS = 50_000
"""More heads than this (about 6 MB) are left out of a letter."""
LONGEST_PAUSE = 3600.0


class AnchorPlan(Struct, frozen=True, kw_only=True):
    """What was configured. ``folder`` "": none; ``recipients``: addresses that get letters from ``server``."""

    key: Path
    folder: str = ""
    recipients: Sequence[str] = ()
    server: MailServer | None = None
    poll: float = 30.0
    first_pause: float = 30.0

    def places(self) -> list[str]:
        """Every place of delivery by its name in SQL."""
        return [*([FOLDER + self.folder] if self.folder else []), *(EMAIL + address for address in self.recipients)]


@dataclass
class Anchoring:
    """One process's part in it. ``site``: the site in force; ``now``: UTC µs."""

    database: Database
    plan: AnchorPlan
    site: Callable[[], Site]
    now: Callable[[], int] = lambda: time.time_ns() // 1000
    _pause: dict[str, float] = field(default_factory=dict)
    _rest_until: dict[str, float] = field(default_factory=dict)
    _delivering: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _said: str = ""

    async def run(self) -> None:
        """Until cancelled."""
        leadership = Leadership(self.database, ANCHOR)
        try:
            while True:
                try:
                    if await asyncio.to_thread(leadership.take):
                        await self.step()
                except msgspec.DecodeError as e:
                    self._say(f"the newest anchor in the database was spoiled, run `bihuan ledger verify`: {e}")
                except BihuanError as e:
                    self._say(str(e))
                    if isinstance(e, Misconfigured):  # such as a machine without the key: another one may have it
                        await asyncio.to_thread(leadership.give_up)
                except Exception:
                    log.exception("anchoring failed and is tried again")
                await asyncio.sleep(self.plan.poll)
        finally:
            for task in self._delivering.values():
                task.cancel()
            leadership.give_up()

    async def step(self) -> None:
        """Make the anchor that is due, if one is; deliver what is not delivered."""
        last = await self.database.reading(store.last_anchor)
        key = await asyncio.to_thread(self._key, last)
        first_event = await self.database.reading(store.first_event_at) if last is None else None
        site = self.site()
        zone = zone_of_time(site.time_zone)
        days = days_due(self.now(), zone, last.anchor() if last else None, first_event)
        if days is not None:
            await self._make(last, days, key, site)
        self._said = ""
        await self._deliver_all()

    # --- making ---
    def _key(self, last: AnchorRow | None) -> AnchorKey:
        """The key, made at the very first start. Raises Misconfigured where another one signed before."""
        key = load_key(self.plan.key)
        if last is None:
            if key is None:
                key = make_key(self.plan.key)
                log.info("the key of the ledger's anchors was made: keep a copy outside", file=str(self.plan.key), public_key=key.public)
            return key
        signed_by = last.anchor().key
        if key is None:
            raise Misconfigured("the key of the ledger's anchors is gone: no anchor is made", where=str(self.plan.key),
                                hint="put the file back, or make another with `bihuan ledger key --new`")  # fmt: skip
        if key.public != signed_by and signed_by not in {h.old for h in key.handovers}:
            raise Misconfigured("another key signed the anchors before: no anchor is made", where=str(self.plan.key),
                                hint="put the right key file here; `bihuan ledger key --new` hands over to a new one")  # fmt: skip
        return key

    async def _make(self, last: AnchorRow | None, days: tuple[date, date], key: AnchorKey, site: Site) -> None:
        began, number = time.monotonic(), last.number + 1 if last else 1
        while await self.database.writing(lambda c: store.clear_unsealed(c, number)):
            pass
        created_at, digest, loop = self.now(), HeadsDigest(), asyncio.get_running_loop()

        def take(heads: list[Head]) -> None:  # on the reading thread: writes have their own
            place = digest.count
            digest.add(heads)
            written: Future[None] = asyncio.run_coroutine_threadsafe(
                self.database.writing(lambda c: store.keep_heads(c, number, place, heads)), loop
            )
            written.result()

        try:
            totals = await self.database.reading(lambda c: store.gather_heads(c, take))
            before = (last.anchor(), last.digest) if last else None
            anchor = next_anchor(
                before, days, digest, site=site.id, time_zone=str(zone_of_time(site.time_zone)), created_at=created_at,
                events=totals.events, hazards=totals.hazards, key=key.public,
            )
            statement = canonical(anchor)
            signature = key.sign(statement)
            places = self.plan.places()
            await self.database.writing(lambda c: store.seal_anchor(c, anchor, statement, signature, key.handovers, places))
        except (IntegrityError, Conflict):  # whoever made it meanwhile made it whole
            log.warning("another process makes this anchor", number=number)
            return
        if totals.accounted != totals.events or (last and totals.events < last.anchor().events):
            log.error("events are missing from the ledger: run `bihuan ledger verify`", events=totals.events, expected=totals.accounted)
        log.info("the ledger is anchored", number=number, first_day=anchor.first_day, day=anchor.day, events=anchor.events,
                 changed=anchor.changed, seconds=round(time.monotonic() - began, 3))  # fmt: skip

    # --- delivering ---
    async def _deliver_all(self) -> None:
        """Each place on its own: a share that hangs must not hold up the letters, nor the next anchor."""
        for place in self.plan.places():
            running = self._delivering.get(place)
            if (running is None or running.done()) and time.monotonic() >= self._rest_until.get(place, 0.0):
                self._delivering[place] = asyncio.create_task(self._deliver(place))
        running_now = [task for task in self._delivering.values() if not task.done()]
        if running_now:
            await asyncio.wait(running_now, timeout=self.plan.poll)

    async def _deliver(self, place: str) -> None:
        rows = await self.database.reading(
            lambda c: store.undelivered(c, place, from_the_first=place.startswith(FOLDER), limit=AT_ONCE)
        )
        failed = False
        for row in rows:
            trouble: BihuanError | None = None
            try:
                await asyncio.to_thread(self._hand_over, row, place)
            except BihuanError as e:
                trouble = e
                log.error("an anchor was not delivered", number=row.number, day=row.day, place=place, error=str(e))  # noqa: TRY400
            await self._note(row, place, str(trouble or ""))
            failed = failed or trouble is not None
            if trouble is not None and not isinstance(trouble, Conflict):  # a foreign file of that name holds up itself only
                break
        if failed:
            pause = self._pause.get(place, self.plan.first_pause)
            self._pause[place], self._rest_until[place] = min(pause * 2, LONGEST_PAUSE), time.monotonic() + pause
        else:
            self._pause.pop(place, None)

    async def _note(self, row: AnchorRow, place: str, trouble: str) -> None:
        now = self.now()
        await self.database.writing(lambda c: store.note_delivery(c, row.number, place, now=now, trouble=trouble))

    def _hand_over(self, row: AnchorRow, place: str) -> None:
        """On a thread. Raises Unavailable, Conflict."""
        anchor = row.anchor()
        if place.startswith(FOLDER):
            parts = document_parts(row, store.heads_of(self.database, row.number))
            keep_in_folder(Path(place.removeprefix(FOLDER)), file_name(anchor), parts)
            return
        if self.plan.server is None:
            raise Unavailable("no mail server is configured", where="BIHUAN_ANCHOR_SMTP")
        whole, recipient = anchor.changed <= MAILED_HEADS, place.removeprefix(EMAIL)
        document = b"".join(document_parts(row, store.heads_of(self.database, row.number) if whole else None))
        message = letter(row, anchor, file_name(anchor), document, sender=self.plan.server.sender, recipient=recipient, with_heads=whole)
        send(self.plan.server, message, recipient)

    def _say(self, what: str) -> None:
        """Trouble that stands is said once."""
        if what != self._said:
            log.error("the ledger is not anchored", error=what)
        self._said = what
