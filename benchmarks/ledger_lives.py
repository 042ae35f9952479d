"""Lives of hazards as the domain makes them: a few hundred by commands and clocks, of every age and state, to be copied by the thousand.

A copy is the same life of another hazard, some minutes earlier: the recorded bytes with another id, place and times, so that they are what
the domain would have recorded. What must not go in: SQL, measuring.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from msgspec import structs

from hazards.ledger import commands as ask
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.decisions import decide, propose
from hazards.ledger.gate import Sight, Watcher
from hazards.ledger.hazard import PLATFORM, Actor, Hazard, Origin
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.policy import Policy
from hazards.ledger.record import GENESIS, Entry, canonical, chained, held
from hazards.ledger.ticks import on_tick
from storage.hazard_rows import body_of, columns_of
from storage.hazard_writing import entry_of

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
OPEN_AGES = range(30)
"""Days since an open hazard was put down: those of more than 15 are overdue."""
CLOSED_AGES = range(40, 400, 30)
_ID, _ZONE, _ENTERPRISE, _HOLDS = "TEMPLATE-HAZARD", "TEMPLATE-ZONE", "TEMPLATE-ENTERPRISE", "TEMPLATE-HOLDS"
_PARTS = re.compile(rb"(TEMPLATE-HAZARD|TEMPLATE-ZONE|TEMPLATE-ENTERPRISE|TEMPLATE-HOLDS|\b1[0-9]{15}\b)")

OFFICER, DEPARTMENT, COMMAND = Actor("li", "enterprise", _ENTERPRISE, "李"), Actor("zhao", "department"), Actor("qian", "park_command")
Step = tuple[float, Actor, ask.HazardCommand]
_PLAN = ask.FilePlan(responsibility="张三", measures="更换密封并复测", funds="5万元", time="两周内", contingency="停炉撤人")
_INSPECTED = ask.Inspect(posts=["department"], experts=["郑工"], passed=True, note="现场核查合格")


def _general(age: float) -> list[Step]:
    return [(0.1, DEPARTMENT, ask.Confirm(grade="general")), (0.11, OFFICER, ask.Receive()), (0.12, OFFICER, ask.StartRectification())]


def _serious(age: float) -> list[Step]:
    confirmed = (0.2, DEPARTMENT, ask.Confirm(grade="serious"))
    return [confirmed, (0.22, OFFICER, ask.Receive()), (0.5, OFFICER, ask.StartRectification())]


def _major(age: float) -> list[Step]:
    return [
        (0.1, DEPARTMENT, ask.Confirm(grade="major", criterion="demo-2")), (0.11, OFFICER, ask.Receive()),
        (0.12, OFFICER, ask.ReportHazard(to="department", recipient="区应急局")),
        (0.3, COMMAND, ask.ListForRectification(number="挂-7", supervisor="指挥部")), (0.5, OFFICER, ask.Publish(place="厂门公示栏")),
        (0.8, OFFICER, _PLAN),
    ]  # fmt: skip


def _claimed(age: float) -> list[Step]:
    paper = Paper(stage=Stage.AFTER, taken_at=1, place="炉前", document="验收记录")
    return [*_serious(age), (max(age * 0.9, 0.6), OFFICER, ask.Claim(note="已更换密封", evidence=[paper]))]


def _accepted(age: float) -> list[Step]:
    return [*_claimed(age), (max(age * 0.95, 0.7), DEPARTMENT, ask.Accept(note="现场核实"))]


def _closed(_: float) -> list[Step]:
    return [*_claimed(6), (7, DEPARTMENT, ask.Accept(note="现场核实")), (8, DEPARTMENT, ask.Close())]


def _major_rectifying(age: float) -> list[Step]:
    return [*_major(age), (1.5, DEPARTMENT, ask.ApprovePlan()), (2, OFFICER, ask.StartRectification())]


OPEN_LIVES: tuple[Callable[[float], list[Step]], ...] = (
    lambda _: [], _serious, _serious, _serious, _general, _major, _major_rectifying, _claimed, _accepted,
)  # fmt: skip
"""Steps by age: (days after it was put down, who, what)."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Bytes with places for id, zone, enterprise and times."""

    form: bytes
    parts: tuple[bytes, ...]

    @classmethod
    def of(cls, data: bytes) -> "_Pattern":
        pieces = _PARTS.split(data)
        return cls(b"%b".join(piece.replace(b"%", b"%%") for piece in pieces[::2]), tuple(pieces[1::2]))

    def filled(self, names: dict[bytes, bytes], earlier: int) -> bytes:
        return self.form % tuple(names.get(part) or b"%d" % (int(part) - earlier) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Life:
    """One life: the hazard as it stands, the entries of its record."""

    hazard: Hazard
    entries: tuple[Entry, ...]

    def patterns(self) -> tuple[_Pattern, list[tuple[Entry, _Pattern]]]:
        """What copies are made of: the hazard's body, each entry's bytes."""
        entries = [structs.replace(entry, holds=_HOLDS) for entry in self.entries]
        return _Pattern.of(body_of(self.hazard)), [(e, _Pattern.of(canonical(e))) for e in entries]


class Copier:
    """Rows of further hazards with the life ``life``. Each entry holds the hazard as it ends: only the newest one's is looked at."""

    def __init__(self, life: Life) -> None:
        self._life, (self._body, self._entries) = life, life.patterns()
        self._columns = columns_of(life.hazard)
        self._times = [name for name, value in self._columns.items() if name.endswith("_at") and value is not None]

    def rows(self, hazard: str, zone: str, enterprise: str, earlier: int) -> tuple[dict[str, object], list[dict[str, object]]]:
        """The row of ``hazard``, and those of its record, everything ``earlier`` µs before."""
        names = {_ID.encode(): hazard.encode(), _ZONE.encode(): zone.encode(), _ENTERPRISE.encode(): enterprise.encode()}
        row = self._columns | {name: self._columns[name] - earlier for name in self._times}
        body = self._body.filled(names, earlier)
        row |= {"id": hazard, "zone": zone, "enterprise": enterprise, "body": body.decode()}
        names[_HOLDS.encode()] = held(body).encode()
        previous, events = GENESIS, []
        for entry, pattern in self._entries:
            data = pattern.filled(names, earlier)
            previous = chained(previous, data)
            events.append({"hazard": hazard, "number": entry.number, "at": entry.at - earlier, "actor": entry.actor, "event": entry.event,
                           "body": data, "digest": previous, "command_id": None})  # fmt: skip
        return row, events


def lives(policy: Policy, zone: tzinfo, now: int, *, closed: bool) -> Iterator[Life]:
    """Lives up to ``now``: open ones of every age and state, or closed ones."""
    ages, kinds = (CLOSED_AGES, (_closed,)) if closed else (OPEN_AGES, OPEN_LIVES)
    for age in ages:
        for n, steps in enumerate(kinds):
            yield _lived(policy, zone, now, age * DAY + (n + 2) * HOUR, steps(age + (n + 2) / 24))


def _lived(policy: Policy, zone: tzinfo, now: int, age: int, steps: Sequence[Step]) -> Life:
    sight = Sight((Watcher("D-0", "flame"),))
    facts = Facts(policy, zone, lambda _since: sight)
    at, entries = now - age, list[Entry]()

    def noted(decision: Decision, actor: Actor) -> Hazard:
        entries.append(entry_of(decision, body_of(decision.hazard), actor))
        return decision.hazard

    command = ask.Propose(zone=_ZONE, kind="fire", grade="serious", title="炉前密封不良，有明火风险")
    hazard = noted(propose(command, hazard_id=_ID, actor=OFFICER, origin=Origin.SELF_INSPECTION, enterprise=_ENTERPRISE, synthetic=False,
                           now=at, facts=facts), OFFICER)  # fmt: skip
    for days, actor, step in (*steps, (None, PLATFORM, None)):
        until = now if days is None else min(at + int(days * DAY), now)
        while hazard.wake_at is not None and hazard.wake_at <= until:
            ticked = on_tick(hazard, hazard.wake_at, facts)
            for decision in ticked:
                hazard = noted(decision, PLATFORM)
            if not ticked:
                break
        if step is None or until >= now:
            continue
        hazard = noted(decide(hazard, _dated(step, until), actor=actor, now=until, facts=facts), actor)
    return Life(hazard, tuple(entries))


def _dated(step: ask.HazardCommand, at: int) -> ask.HazardCommand:
    """``step`` whose papers, if it has any, were made at ``at``."""
    if not isinstance(step, ask.Claim):
        return step
    return structs.replace(step, evidence=[structs.replace(paper, taken_at=at) for paper in step.evidence])
