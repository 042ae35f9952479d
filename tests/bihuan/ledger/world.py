"""A ledger with hazards, days that pass, an anchoring job, an outside, and somebody with the database's own password."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from bihuan.ledger.anchoring import Anchoring, AnchorPlan
from bihuan.ledger.key import AnchorKey, load_key
from bihuan.ledger.verify import Verification
from hazards.ledger import commands as ask
from hazards.ledger.anchors import Head, HeadsDigest, canonical, digest_of
from hazards.ledger.hazard import Actor
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.record import GENESIS, Entry, chained, held, read_entry
from hazards.ledger.record import canonical as entry_bytes
from hazards.scope import EVERYTHING
from storage import schema
from storage.anchors import AnchorRow, all_anchors, deliveries_of
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.hazard_rows import body_of, columns_of, hazard_of
from storage.hazards import command_hazard, propose_hazard
from storage.site_store import apply_site
from storage.uploads import keep_upload
from tests.hazards.signals import NOON, SECOND
from tests.storage.tampering import lift_guards
from tests.storage.test_hazards import SITE

DAY = 24 * 3600 * SECOND
OPERATOR, OFFICER, DEPARTMENT = Actor("wang", "operator"), Actor("li", "enterprise", "alu"), Actor("zhao", "department")
EVENTS, HEADS, ANCHORS = schema.hazard_events, schema.anchor_heads, schema.anchors


class World:
    """``now`` is the clock; ``outside`` the folder of anchors."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.now = database, folder, NOON
        self.outside, self.key_path = folder / "outside", folder / "ledger-anchor.key"
        self.outside.mkdir()
        self.evidence = EvidenceStore(folder / "evidence")
        with database.write() as connection:
            apply_site(connection, SITE, by="test", now=NOON)

    def job(self, **plan: Any) -> Anchoring:
        """An anchoring job as configured by ``plan``."""
        plan = {"key": self.key_path, "folder": str(self.outside), "poll": 0.05, "first_pause": 0.05} | plan
        return Anchoring(self.database, AnchorPlan(**plan), lambda: SITE, lambda: self.now)

    def anchor(self, **plan: Any) -> None:
        """One look of the job at the clock; deliveries have ended when this returns."""
        asyncio.run(self._stepped(self.job(**({"poll": 60.0} | plan))))

    async def _stepped(self, job: Anchoring) -> None:
        await job.step()

    def hazard(self, number: int, comments: int = 0) -> str:
        """A new hazard with ``comments`` after its first event."""
        command = ask.Propose(zone="smelter", kind=f"kind_{number}", grade="serious", title=f"隐患 {number}")  # another kind: no repeat
        with self.database.write() as connection:
            made, _ = propose_hazard(connection, command, actor=OPERATOR, scope=EVERYTHING, command_id=str(number), now=self.now)
        for n in range(comments):
            self.comment(made.id, f"第 {n} 次")
        return made.id

    def give(self, hazard: str, command: ask.HazardCommand, actor: Actor = OPERATOR) -> None:
        """A command."""
        self.now += SECOND
        with self.database.write() as connection:
            command_hazard(connection, hazard, command, actor=actor, scope=EVERYTHING, now=self.now)

    def comment(self, hazard: str, text: str = "看过") -> None:
        """One more event."""
        self.give(hazard, ask.Comment(text=text))

    def claimed_with(self, number: int, picture: bytes) -> tuple[str, str]:
        """A hazard whose claim names a picture; its id and the picture's SHA-256."""
        hazard = self.hazard(number)
        self.give(hazard, ask.Confirm(grade="serious"), DEPARTMENT)
        self.give(hazard, ask.StartRectification(), OFFICER)
        sha256 = self.evidence.put(picture, media_type="image/png", device="d", zone="smelter", taken_at=self.now)
        with self.database.write() as connection:
            keep_upload(connection, sha256, media_type="image/png", size=len(picture), device="d", zone="smelter", taken_at=self.now)
        paper = Paper(stage=Stage.AFTER, taken_at=self.now, place="炉前", sha256=sha256)
        self.give(hazard, ask.Claim(note="已处理", evidence=[paper]), OFFICER)
        return hazard, sha256

    def anchors(self) -> list[AnchorRow]:
        """Every anchor."""
        with self.database.read() as connection:
            return list(all_anchors(connection))

    def delivered(self) -> list[tuple[int, str, bool]]:
        """(anchor, place without its prefix's end, whether it arrived)."""
        with self.database.read() as connection:
            found = deliveries_of(connection, [row.number for row in all_anchors(connection)])
        return [(row.anchor, row.place, row.delivered_at is not None) for rows in found.values() for row in rows]

    def key(self) -> AnchorKey:
        """The key that signs."""
        key = load_key(self.key_path)
        assert key is not None
        return key

    def verify(self, *, outside: bool = True, keys: Sequence[str] | None = None) -> list[str]:
        """The lines of `bihuan ledger verify`."""
        trusted = [self.key().public] if keys is None else keys
        run = Verification(self.database, self.evidence, trusted, self.outside if outside else None)
        return [finding.line() for finding in run.findings()]

    # --- somebody with the database's own password ---
    def tamper(self, work: Callable[[Connection], Any]) -> None:
        """Change what is never changed."""
        with self.database.write() as connection:
            lift_guards(connection)
            work(connection)


def rewrite(connection: Connection, hazard: str, first: int, actor: str = "mallory") -> None:
    """Write the record of a hazard anew from ``first`` on, every digest right, and its row to fit."""
    holds = held(put(connection, hazard, last_actor=actor))
    _chain_anew(connection, hazard, first, actor=actor, holds=holds)


def without_holds(connection: Connection, hazard: str) -> None:
    """Make the record of a hazard what a program wrote that did not know ``Entry.holds``."""
    _chain_anew(connection, hazard, 1, holds=msgspec.UNSET)


def _chain_anew(connection: Connection, hazard: str, first: int, **changes: Any) -> None:
    rows = connection.execute(select(EVENTS).where(EVENTS.c.hazard == hazard).order_by(EVENTS.c.number)).all()
    previous = GENESIS
    for row in rows:
        entry: Entry = read_entry(row.body)
        entry = msgspec.structs.replace(entry, **changes) if row.number >= first else entry
        data = entry_bytes(entry)
        previous = chained(previous, data)
        here = (EVENTS.c.hazard == hazard, EVENTS.c.number == row.number)
        connection.execute(update(EVENTS).where(*here).values(body=data, digest=previous, actor=entry.actor))


def put(connection: Connection, hazard: str, **changes: Any) -> bytes:
    """Change a hazard's row, its body and every column; the new body."""
    here = schema.hazards.c.id == hazard
    stood = hazard_of(connection.execute(select(schema.hazards.c.body).where(here)).one())
    anew = msgspec.structs.replace(stood, **changes)
    body = body_of(anew)
    connection.execute(update(schema.hazards).where(here).values(**columns_of(anew), body=body.decode()))
    return body


def cut(connection: Connection, hazard: str, last: int) -> None:
    """Cut the record off after ``last``, with comments behind it, and set the hazard's row back to what it was."""
    connection.execute(EVENTS.delete().where(EVENTS.c.hazard == hazard, EVENTS.c.number > last))
    newest = read_entry(connection.execute(select(EVENTS.c.body).where(EVENTS.c.hazard == hazard, EVENTS.c.number == last)).scalar_one())
    put(connection, hazard, version=last, updated_at=newest.at, last_event=newest.event, last_actor=newest.actor)


def forget(connection: Connection, hazard: str) -> None:
    """Make a hazard vanish."""
    connection.execute(EVENTS.delete().where(EVENTS.c.hazard == hazard))
    connection.execute(schema.hazards.delete().where(schema.hazards.c.id == hazard))


def anchor_anew(connection: Connection, key: AnchorKey | None) -> None:
    """Make the anchors in the database fit the record as it is now. ``key``: signs them; None leaves the signatures that were."""
    previous, numbers = GENESIS, dict[str, int]()
    counted = hazards = 0
    for row in list(all_anchors(connection)):
        kept = list[Head]()
        for head in connection.execute(select(HEADS).where(HEADS.c.anchor == row.number).order_by(HEADS.c.place)).all():
            there = select(EVENTS.c.number, EVENTS.c.digest).where(EVENTS.c.hazard == head.hazard, EVENTS.c.number <= head.number)
            newest = connection.execute(there.order_by(EVENTS.c.number.desc()).limit(1)).first()
            if newest is not None and newest.number > numbers.get(head.hazard, 0):
                kept.append(Head(head.hazard, newest.number, newest.digest))
        connection.execute(HEADS.delete().where(HEADS.c.anchor == row.number))
        digest = HeadsDigest()
        digest.add(kept)
        for place, new in enumerate(kept):
            hazards += new.hazard not in numbers
            counted += new.number - numbers.get(new.hazard, 0)
            numbers[new.hazard] = new.number
            values = {"anchor": row.number, "place": place, "hazard": new.hazard, "number": new.number, "digest": new.digest}
            connection.execute(HEADS.insert().values(**values))
        anchor = msgspec.structs.replace(row.anchor(), events=counted, hazards=hazards, changed=digest.count, heads=digest.value(),
                                         previous=previous, key=key.public if key else row.anchor().key)  # fmt: skip
        statement = canonical(anchor)
        previous = digest_of(statement)
        values = {"body": statement, "digest": previous, "signature": key.sign(statement) if key else row.signature}
        connection.execute(update(ANCHORS).where(ANCHORS.c.number == row.number).values(**values))
