"""Alarm rules in SQL: every version that ever held, never changed, never deleted; each change is on the record as ``rule:ID``.

Who wins: the site file over the policy pack, the console over both; a file that changed a rule after a console edit wins, and its
version says what it replaced. A file that says the same as before undoes nothing, and one that no longer has a rule does not end what
was edited at the console. What must not go in: whether a rule makes sense (``hazards/rules.py``), reading files, who may change what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, func, select, text

from hazards.errors import BadInput, Conflict, NotFound
from hazards.ledger.policy import Policy, basis_of
from hazards.ledger.record import IN_FORCE, RULE, RULE_CHANGED, WITHDRAWN, Entry
from hazards.rules import AlarmRule, Words
from hazards.zones import Site
from storage import schema
from storage.record import keep_entry

RULES_LOCK = 0x7275_6C65  # "rule"
FILES = ("pack", "site")
CONSOLE = "console"
OF_SITE = "site"  # a basis: somebody of this site said so
_rules = msgspec.json.Decoder(AlarmRule)
_table = schema.alarm_rules


class Change(StrEnum):
    """What made a version."""

    FILE = "file"  # the site file or the pack says it so
    GONE = "gone"  # no file has it any more
    EDITED = "edited"
    RESTORED = "restored"  # an older version holds again
    WITHDRAWN = "withdrawn"  # the file's rule holds again; without one the rule ends


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes rules, and when (UTC µs)."""

    by: str
    role: str
    now: int


@dataclass(frozen=True, slots=True)
class Files:
    """What site file and pack say now, by id; ``policy``: the pack in force."""

    rules: Mapping[str, AlarmRule] = field(default_factory=dict)
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule. ``details``: ``restored`` (a number), ``replaces`` (the number of a console edit that a file won over)."""

    revision: int
    number: int
    rule: AlarmRule
    source: str
    change: Change
    withdrawn: bool
    reason: str
    details: Mapping[str, Any]
    at: int
    actor: str


class RuleChanged(Conflict):
    """Somebody else changed the rule first; ``since``: what was done after the version that was looked at, newest first."""

    def __init__(self, since: Sequence[RuleVersion], newest: int) -> None:
        super().__init__(f"the rule is at version {newest} by now", where="/version", hint="look at what was changed, then save again")
        self.since = since
        self.changes_shown: Any = None  # as an edge shows them


# --- reading ---
def newest_rule_revision(connection: Connection) -> int:
    """Grows with every change of any rule; 0 before the first."""
    return connection.execute(select(func.max(_table.c.revision))).scalar() or 0


def newest_versions(connection: Connection) -> dict[str, RuleVersion]:
    """The newest version of every rule that there ever was, by id."""
    newest = select(_table.c.rule, func.max(_table.c.number).label("number")).group_by(_table.c.rule).subquery()
    joined = _table.join(newest, (newest.c.rule == _table.c.rule) & (newest.c.number == _table.c.number))
    rows = connection.execute(select(_table).select_from(joined).order_by(_table.c.rule))
    return {row.rule: _version(row) for row in rows}


def rules_in_force(connection: Connection) -> dict[str, AlarmRule]:
    """Every rule that holds, by id; those that are switched off too."""
    return {rule: version.rule for rule, version in newest_versions(connection).items() if not version.withdrawn}


def newest_version(connection: Connection, rule: str) -> RuleVersion:
    """The newest version of ``rule``. Raises NotFound."""
    return _known(next(iter(history(connection, rule, limit=1)), None), rule)


def history(connection: Connection, rule: str, *, below: int | None = None, limit: int = 100) -> list[RuleVersion]:
    """Versions of ``rule``, newest first; ``below``: only those with a smaller number."""
    query = select(_table).where(_table.c.rule == rule).order_by(_table.c.number.desc()).limit(limit)
    return [_version(row) for row in connection.execute(query if below is None else query.where(_table.c.number < below))]


def version_of(connection: Connection, rule: str, number: int) -> RuleVersion:
    """That version of ``rule``. Raises NotFound."""
    found = history(connection, rule, below=number + 1, limit=1)
    if not found or found[0].number != number:
        raise NotFound("the rule has no such version", where=f"{rule} {number}")
    return found[0]


def _version(row: Any) -> RuleVersion:
    return RuleVersion(
        revision=row.revision, number=row.number, rule=_rules.decode(row.body), source=row.source, change=Change(row.change),
        withdrawn=row.withdrawn, reason=row.reason, details=msgspec.json.decode(row.details), at=row.at, actor=row.actor,
    )  # fmt: skip


# --- what files say ---
def said_by(site: Site, policy: Policy | None) -> Files:
    """The rules of the site file over those of the pack, each with its source."""
    pack = {rule.id: replace(rule, source="pack") for rule in (policy.alarm_rules if policy is not None else ())}
    return Files(pack | {rule.id: replace(rule, source="site") for rule in site.rules}, policy)


def follow_files(connection: Connection, files: Files, author: Author) -> list[str]:
    """Make versions of what the files say otherwise than they did; the ids of those rules. Called whenever a site or pack is applied."""
    _one_at_a_time(connection)
    newest = newest_versions(connection)
    before = {rule: _last_of_files(connection, version) for rule, version in newest.items()}
    changed = []
    for rule in sorted(files.rules.keys() | newest.keys()):
        said, last, now = files.rules.get(rule), before.get(rule), newest.get(rule)
        if said is None and now is not None and now.source in FILES and not now.withdrawn:
            _add(connection, now.rule, Change.GONE, author, files, withdrawn=True, after=now)
            changed.append(rule)
        elif said is not None and (last is None or last.rule != said or (now is not None and now.withdrawn)):
            details = {"replaces": now.number} if now is not None and now.source == CONSOLE and not now.withdrawn else {}
            _add(connection, said, Change.FILE, author, files, details=details, after=now)
            changed.append(rule)
    return changed


def _last_of_files(connection: Connection, newest: RuleVersion) -> RuleVersion | None:
    """What a file said last of the rule, or None where it is the console's own."""
    if newest.source in FILES:
        return newest
    query = select(_table).where(_table.c.rule == newest.rule.id, _table.c.source.in_(FILES)).order_by(_table.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _version(row)


# --- what people change ---
def put_rule(
    connection: Connection, rule: AlarmRule, *, version: int, reason: str, author: Author, files: Files
) -> RuleVersion:  # fmt: skip
    """Make ``rule`` the newest version of its id; the same as the newest changes nothing. ``version``: the one that was looked at, 0 for a
    new rule. Raises RuleChanged."""
    newest = _looked_at(connection, rule.id, version)
    edited = replace(rule, source=CONSOLE, basis=_basis_after(newest, rule))
    if newest is not None and not newest.withdrawn and replace(edited, source=newest.rule.source) == newest.rule:
        return newest
    return _add(connection, edited, Change.EDITED, author, files, reason=reason, after=newest)


def withdraw_rule(connection: Connection, rule: str, *, version: int, reason: str, author: Author, files: Files) -> RuleVersion:
    """Take back what the console made of ``rule``: the file's holds again, or none. Raises NotFound, RuleChanged, Conflict."""
    newest = _known(_looked_at(connection, rule, version), rule)
    said = files.rules.get(rule)
    if newest.withdrawn or newest.rule == said:
        raise Conflict("there is nothing of the console to withdraw", where="/version", hint="a file's rule is switched off by an edit")
    body, gone = (newest.rule, True) if said is None else (said, False)
    return _add(connection, body, Change.WITHDRAWN, author, files, reason=reason, withdrawn=gone, after=newest)


def restore_rule(
    connection: Connection, rule: str, number: int, *, version: int, reason: str, author: Author, files: Files
) -> RuleVersion:  # fmt: skip
    """Let version ``number`` hold again, as a version of its own: what it undoes stays. Raises NotFound, RuleChanged, BadInput."""
    newest = _known(_looked_at(connection, rule, version), rule)
    old = version_of(connection, rule, number)
    if number == newest.number:
        raise BadInput("that version is the newest one", where="/number")
    said = files.rules.get(rule)
    same = said is not None and replace(old.rule, source=said.source) == said
    body = said if said is not None and same else replace(old.rule, source=CONSOLE)
    return _add(connection, body, Change.RESTORED, author, files, reason=reason, details={"restored": number}, after=newest)


def _looked_at(connection: Connection, rule: str, version: int) -> RuleVersion | None:
    """The newest version, which must be ``version``; None (version 0) where there is no rule of that id yet."""
    _one_at_a_time(connection)
    found = history(connection, rule, limit=20)
    number = found[0].number if found else 0
    if number != version:
        raise RuleChanged([each for each in found if each.number > version], number)
    return found[0] if found else None


def _known(newest: RuleVersion | None, rule: str) -> RuleVersion:
    if newest is None:
        raise NotFound("no such alarm rule", where=rule)
    return newest


def _basis_after(newest: RuleVersion | None, rule: AlarmRule) -> str:
    """Whose word an edited rule is: a document says it no longer once a person set it otherwise; other words change nothing."""
    if newest is None:
        return OF_SITE
    before = newest.rule

    def judged(each: AlarmRule) -> AlarmRule:
        return replace(each, name=Words(zh=""), response=before.response, source="", basis="")

    return before.basis if judged(before) == judged(rule) else OF_SITE


# --- writing ---
def _one_at_a_time(connection: Connection) -> None:
    """A revision is seen only after those before it: otherwise who watches the newest one would pass one over."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": RULES_LOCK})


def _add(
    connection: Connection, rule: AlarmRule, change: Change, author: Author, files: Files, *, after: RuleVersion | None, reason: str = "",
    withdrawn: bool = False, details: Mapping[str, Any] | None = None,
) -> RuleVersion:  # fmt: skip
    number, body, said = (after.number if after else 0) + 1, encoded(rule), dict(details or {})
    row = {"rule": rule.id, "number": number, "body": body.decode(), "source": rule.source, "change": change.value, "withdrawn": withdrawn,
           "reason": reason, "details": encoded(said).decode(), "at": author.now, "actor": author.by}  # fmt: skip
    made = connection.execute(_table.insert().values(**row))
    recorded = said | {"version": str(number), "digest": sha256(body).hexdigest()}
    recorded |= {"source": rule.source, "change": change.value} | ({"reason": reason} if reason else {})
    recorded |= {"digest_before": sha256(encoded(after.rule)).hexdigest()} if after else {}
    policy = files.policy
    keep_entry(connection, Entry(
        hazard=RULE + rule.id, number=number, at=author.now, actor=author.by, role=author.role, event=RULE_CHANGED,
        state=WITHDRAWN if withdrawn else IN_FORCE, policy=policy.version if policy else "",
        basis=basis_of(policy.rule("record")) if policy else {}, details=recorded,
    ))  # fmt: skip
    revision = int((made.inserted_primary_key or (0,))[0])
    return RuleVersion(revision, number, rule, rule.source, change, withdrawn, reason, said, author.now, author.by)


def encoded(kept: AlarmRule | Mapping[str, Any]) -> bytes:
    """The bytes that are kept, of a rule those of which the record has the digest: JSON, keys sorted."""
    return msgspec.json.encode(kept, order="sorted")
