"""Policy packs in SQL: every version that was ever applied, never changed, never deleted; applying one is on the record.

A hazard keeps the version under which it was opened. What must not go in: reading files, what a pack says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from hazards.errors import Conflict, Misconfigured
from hazards.ledger.own_rules import brought_up
from hazards.ledger.policy import Policy, basis_of
from hazards.ledger.record import IN_FORCE, PACK, PACK_APPLIED, Entry
from hazards.zones import Site
from storage import schema
from storage.alarm_rules import Author, follow_files, said_by
from storage.record import keep_entry

DEFAULT = "guangyuan"
"""The pack in force where the site names none, or one that was never applied."""
POLICIES_LOCK = 0x7061_636B  # "pack"
_policies = msgspec.json.Decoder(Policy)


@dataclass(frozen=True, slots=True)
class Version:
    """One version as applied."""

    id: str
    version: str
    zh: str
    en: str
    digest: str
    applied_at: int
    applied_by: str


def newest_number(connection: Connection) -> int:
    """Grows with every version that is applied; 0 for none."""
    return connection.execute(select(func.max(schema.policies.c.number))).scalar() or 0


def policy_in_force(connection: Connection, wanted: str) -> Policy | None:
    """The newest version of the pack ``wanted``, else of the default; None when none was ever applied."""
    newest = _newest(connection, wanted) or _newest(connection, DEFAULT)
    return None if newest is None else _by_digest(connection, newest.digest)


def every_policy(connection: Connection) -> dict[str, Policy]:
    """Every pack that was ever applied, by version."""
    rows = connection.execute(select(schema.policies.c.version, schema.policies.c.digest)).all()
    return {row.version: _by_digest(connection, row.digest) for row in rows}


def _newest(connection: Connection, name: str) -> Any:
    table = schema.policies
    query = select(table.c.version, table.c.digest).where(table.c.id == name)
    return connection.execute(query.order_by(table.c.number.desc()).limit(1)).first()


_known: dict[str, Policy] = {}


def _by_digest(connection: Connection, digest: str) -> Policy:
    """The pack with that digest, read once a process: a digest says what is in it, so what is kept here never becomes wrong."""
    if digest not in _known:
        body = connection.execute(select(schema.policies.c.body).where(schema.policies.c.digest == digest)).scalar_one()
        _known[digest] = brought_up(_policies.decode(body))
    return _known[digest]


def has_version(connection: Connection, version: str) -> bool:
    """Whether a pack of that version was applied."""
    return connection.execute(select(schema.policies.c.number).where(schema.policies.c.version == version)).first() is not None


def versions(connection: Connection) -> Sequence[Version]:
    """All versions, newest first."""
    table = schema.policies
    query = select(table.c.id, table.c.version, table.c.zh, table.c.en, table.c.digest, table.c.applied_at, table.c.applied_by)
    return [Version(*row) for row in connection.execute(query.order_by(table.c.number.desc()))]


def apply_policy(connection: Connection, policy: Policy, *, by: str, role: str, now: int) -> bool:
    """Make ``policy`` the newest version of its pack; whether anything changed. Raises Conflict for a version that says something else.

    A version that was applied before says the same when all of it is the same; what a newer program added to packs does not count."""
    table = schema.policies
    if connection.dialect.name == "postgresql":  # one at a time: several hosts prepare the same database
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POLICIES_LOCK})
    body = msgspec.json.encode(policy, order="sorted")
    digest = sha256(body).hexdigest()
    taken = connection.execute(select(table.c.digest, table.c.id).where(table.c.version == policy.version)).first()
    if taken is not None:
        if _by_digest(connection, taken.digest) == policy:
            if (newest := _newest(connection, policy.id)) is not None and newest.version != policy.version:
                what = f"the version {policy.version} was applied before {newest.version}, which holds"
                raise Conflict(what, where="/version", hint="to go back, give the same contents a new version")
            return False
        what = f"the version {policy.version} is taken by other contents of the pack {taken.id}"
        raise Conflict(what, where="/version", hint="give the pack a version of its own")
    before = _newest(connection, policy.id)
    row = {"id": policy.id, "version": policy.version, "zh": policy.zh, "en": policy.en, "body": body.decode(), "digest": digest,
           "applied_at": now, "applied_by": by}  # fmt: skip
    connection.execute(table.insert().values(**row))
    details = {"version": policy.version, "digest": digest} | ({"before": before.version, "digest_before": before.digest} if before else {})
    _record(connection, policy, details, by=by, role=role, now=now)
    site = newest_site(connection)
    follow_files(connection, said_by(site, policy_in_force(connection, site.policy)), Author(by, role, now))
    return True


def _record(connection: Connection, policy: Policy, details: dict[str, str], *, by: str, role: str, now: int) -> None:
    """The change of a pack as an entry of the ledger's record."""
    events, subject = schema.hazard_events, PACK + policy.id
    last = connection.execute(select(func.max(events.c.number)).where(events.c.hazard == subject)).scalar()
    keep_entry(connection, Entry(hazard=subject, number=(last or 0) + 1, at=now, actor=by, role=role, event=PACK_APPLIED, state=IN_FORCE,
                                 policy=policy.version, basis=basis_of(policy.rule("record")), details=details))  # fmt: skip


def newest_site(connection: Connection) -> Site:
    """The site as it was last applied; an empty one before the first."""
    table = schema.site
    body = connection.execute(select(table.c.body).order_by(table.c.version.desc()).limit(1)).scalar()
    return Site(id="", name="") if body is None else msgspec.json.decode(body, type=Site)


def required(policy: Policy | None) -> Policy:
    """``policy``. Raises Misconfigured where no pack was ever applied."""
    if policy is None:
        raise Misconfigured("no policy pack was ever applied", where="policies", hint="bihuan policy apply FILE")
    return policy
