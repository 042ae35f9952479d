"""Pictures and clips of cameras' alarms in SQL: what there is, what must not be thrown away, what goes first when room is needed.

A file is held (冻结) while a hazard or a hold of its zone and time refers to it. The bytes are in ``storage/evidence.py``.
What must not go in: files, keys, HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, func, or_, select, tuple_, update

from hazards.camera_evidence import Role, Signed, Statement
from storage.bulk import insert_into
from storage.schema import alarms, camera_evidence, evidence, evidence_holds, hazard_incidents

_kept = camera_evidence.c
_FIELDS = tuple(field.name for field in msgspec.structs.fields(Statement))


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """One file. ``held``: something refers to it; ``removed_at``: its bytes are gone since (µs), ``removed_for`` says why."""

    signed: Signed
    held: bool
    removed_at: int | None
    removed_for: str


def keep_camera_evidence(connection: Connection, signed: Sequence[Signed], *, now: int) -> None:
    """Note files whose bytes are on disk; the same again changes nothing."""
    rows = [
        {**{name: getattr(s.statement, name) for name in _FIELDS}, "role": s.statement.role.value, "signature": s.signature,
         "public_key": s.public_key, "kept_at": now, "cited": False}
        for s in signed
    ]  # fmt: skip
    if rows:
        connection.execute(insert_into(connection, camera_evidence).on_conflict_do_nothing(), rows)


def incident_evidence(connection: Connection, incident: str) -> list[KeptEvidence]:
    """The files of the alarms of ``incident``, oldest alarm first, removed ones too."""
    of_alarm = and_(_kept.device == alarms.c.device, _kept.kind == alarms.c.kind, _kept.onset == alarms.c.at)
    query = select(camera_evidence, _held().label("held")).join(alarms, of_alarm).where(alarms.c.incident == incident).distinct()
    rows = connection.execute(query.order_by(_kept.onset, _kept.device, _kept.role)).all()
    return [_read(row) for row in rows]


def zones_of(connection: Connection, sha256: str) -> list[str]:
    """The zones of whose cameras the file is."""
    return list(connection.scalars(select(_kept.zone).where(_kept.sha256 == sha256).distinct()))


def statements_of(connection: Connection, sha256: str) -> list[Signed]:
    """What was signed of the file, once for each alarm that it is of."""
    return [_read(row).signed for row in connection.execute(select(camera_evidence, false().label("held")).where(_kept.sha256 == sha256))]


def cite(connection: Connection, files: Sequence[str]) -> None:
    """A hazard names ``files`` (SHA-256): they are held for good."""
    if files:
        connection.execute(update(camera_evidence).where(_kept.sha256.in_(files)).values(cited=True))


def kept_bytes(connection: Connection) -> int:
    """Bytes of all files that are there."""
    return connection.scalar(select(func.coalesce(func.sum(_kept.size), 0)).where(_kept.removed_at.is_(None))) or 0


def oldest_free(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[Statement]:
    """The oldest files that nothing refers to; only those that end before ``before`` (µs), if given."""
    query = select(camera_evidence).where(_kept.removed_at.is_(None), ~_held())
    if before is not None:
        query = query.where(_kept.ends < before)
    return [_statement(row) for row in connection.execute(query.order_by(_kept.begins, _kept.sha256).limit(limit))]


def needed_elsewhere(connection: Connection, sha256: str) -> bool:
    """Whether the bytes are also an upload's, or another alarm's that was not removed."""
    uploaded = connection.execute(select(evidence.c.zone).where(evidence.c.sha256 == sha256).limit(1)).first()
    there = connection.execute(select(_kept.role).where(_kept.sha256 == sha256, _kept.removed_at.is_(None)).limit(1)).first()
    return uploaded is not None or there is not None


def mark_removed(connection: Connection, files: Sequence[Statement], *, why: str, now: int) -> list[str]:
    """Note of those of ``files`` that nothing refers to that they are gone; the SHA-256 of those."""
    if not files:
        return []
    those = tuple_(_kept.device, _kept.kind, _kept.onset, _kept.role).in_([(f.device, f.kind, f.onset, f.role.value) for f in files])
    gone = update(camera_evidence).where(those, _kept.removed_at.is_(None), ~_held())
    marked = connection.scalars(gone.values(removed_at=now, removed_for=why).returning(_kept.sha256))
    return list(dict.fromkeys(marked))


def _held() -> ColumnElement[bool]:
    """Something refers to the file: a hazard that names it, a hazard that its alarm's incident is linked with, a hold."""
    linked = exists().where(
        alarms.c.at == _kept.onset, alarms.c.device == _kept.device, alarms.c.kind == _kept.kind,
        hazard_incidents.c.incident == alarms.c.incident,
    )  # fmt: skip
    holds = evidence_holds.c
    held = exists().where(
        holds.zone == _kept.zone, holds.lifted_at.is_(None), holds.begins <= _kept.ends, holds.ends >= _kept.begins
    )  # fmt: skip
    return or_(_kept.cited.is_(True), linked, held)


def _statement(row: Row[Any]) -> Statement:
    return Statement(**{name: getattr(row, name) for name in _FIELDS if name != "role"}, role=Role(row.role))


def _read(row: Row[Any]) -> KeptEvidence:
    signed = Signed(statement=_statement(row), signature=row.signature, public_key=row.public_key)
    return KeptEvidence(signed, bool(row.held), row.removed_at, row.removed_for or "")
