"""Repeats (重复隐患): the same kind at the same enterprise within the pack's window (004(28)). Pure.

What must not go in: finding the earlier ones in SQL, the record.
"""

from collections.abc import Sequence

from msgspec import Struct

from hazards.ledger.hazard import Hazard
from hazards.ledger.limits import DAY
from hazards.ledger.policy import Policy, RepeatRule

MOST_NAMED = 20
"""Earlier hazards that a repeat names, the newest of them."""


class Earlier(Struct, frozen=True):
    """An earlier hazard of the same kind and enterprise that was none of those dismissed or merged."""

    id: str
    zone: str
    opened_at: int


def repeats_of(hazard: Hazard, earlier: Sequence[Earlier], rule: RepeatRule, again: Sequence[Earlier] = ()) -> list[str]:
    """The ids of the ``earlier`` ones, newest first, that ``hazard`` repeats; none where there are fewer than the pack asks for.

    ``again``: closed ones of its zone within the window, of which the alarms speak that this one was put down for: of whatever kind they
    are called, and also where there is no enterprise."""
    since = hazard.opened_at - rule.days * DAY
    found = [
        e for e in earlier
        if e.id != hazard.id and since <= e.opened_at <= hazard.opened_at and (not rule.same_zone or e.zone == hazard.zone)
    ]  # fmt: skip
    found = ([] if hazard.enterprise is None else found) + [e for e in again if e.id not in {hazard.id, *(e.id for e in found)}]
    if len(found) < rule.from_count:
        return []
    return [e.id for e in sorted(found, key=lambda e: (e.opened_at, e.id), reverse=True)[:MOST_NAMED]]


def graver_by(policy: Policy, grade: str) -> str:
    """The grade one graver than ``grade``, or the gravest."""
    names = [g.name for g in policy.grades]
    return names[min(names.index(policy.grade_or_gravest(grade).name) + 1, len(names) - 1)]
