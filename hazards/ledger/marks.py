"""Marks of a hazard: what lists are narrowed to besides its state. A new mark is one line, and a column in SQL. Pure."""

from collections.abc import Callable

from hazards.ledger.hazard import Hazard, alarmed_since_claim
from hazards.ledger.lifecycle import OPEN, RUNNING, WAITING, Track

MARKS: dict[str, Callable[[Hazard], bool]] = {
    "repeated": lambda hazard: bool(hazard.repeat_of),  # 重复隐患
    "listed": lambda hazard: hazard.track(Track.LISTING) == "listed",  # 挂牌整改中
    "supervised": lambda hazard: hazard.track(Track.SUPERVISION) == "supervised",  # 挂牌督办中
    "extension_requested": lambda hazard: hazard.track(Track.EXTENSION) == "requested",  # 延期待签
    "alarm_since_claim": alarmed_since_claim,  # 申请验收后又报警
    "summons_due": lambda hazard: hazard.track(Track.SUMMONS) == "due",  # 应约谈
}
NEVER_DUE = 2**62
"""In place of a due date, µs: after all others."""


def is_watched(hazard: Hazard) -> bool:
    """Whether merging asks for it with every alarm of its zone: it waits for acceptance or closing, or it is confirmed and overdue."""
    return hazard.state in WAITING or weighs(hazard)


def weighs(hazard: Hazard) -> bool:
    """Whether it makes alarms of its kind graver (``hazards/weight.py``): confirmed by a person, overdue, and not accepted."""
    return hazard.confirmed and hazard.overdue_at is not None and hazard.state in RUNNING


def first_due(hazard: Hazard) -> int | None:
    """By what the open hazards of a zone are put in order, µs; None for one that is over."""
    if hazard.state not in OPEN:
        return None
    return NEVER_DUE if hazard.due_at is None else hazard.due_at
