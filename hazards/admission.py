"""From what a sender said to a signal of ours: identity, the clock, the zone. Pure.

A well-formed alarm is never refused (architecture 3.9): a wrong clock is corrected, or gets the time of receipt, and a flag.
What must not go in: parsing (``ingest``), storage, the look-up of the zone.
"""

from typing import Any

from msgspec import Struct, field

from hazards.identity import onset_id, signal_id
from hazards.messages import Action, Clock, Signal

LATEST_AHEAD = 5 * 60 * 1_000_000
"""How far a sender's clock may run ahead and still be believed, in microseconds."""
OLDEST_BEHIND = 7 * 24 * 3600 * 1_000_000
"""How old an alarm may be (a link that was down) and still be believed, in microseconds."""


class Report(Struct, frozen=True, kw_only=True):
    """What a sender said, before the door. ``at`` is UTC microseconds or None; ``source_id`` None: the protocol has no ids."""

    source: str
    source_id: str | None
    device: str
    kind: str
    action: Action
    at: int | None
    severity: int | None = None
    score: float | None = None
    box: tuple[float, float, float, float] | None = None
    message: str = ""
    snapshot: str | None = None
    sequence: int = 0
    zone: str = ""  # where it is, when the reporter knows better than the registry; empty: the zone of its device
    timed: bool = False  # the reporter (a rule) has applied on-delay and off-delay already
    realm: str = ""  # whose word it is, when senders must not share ids: an enterprise's can't pre-empt another's
    details: dict[str, Any] = field(default_factory=dict)


def believe(sent_at: int | None, received_at: int, error: int | None = 0) -> tuple[int, Clock]:
    """The time to use for an event and why: the sender's, or the time of receipt when it is absent or beyond belief.

    ``error``: what is known of the sender's clock (``hazards.device_clock``): how far it is ahead, 0: nothing, None: not to be believed."""
    if sent_at is None:
        return received_at, Clock.ABSENT
    if error is None:
        return received_at, Clock.WRONG
    for at, clock in ((sent_at - error, Clock.CORRECTED if error else Clock.TRUSTED), (sent_at, Clock.TRUSTED)):
        if received_at - OLDEST_BEHIND <= at <= received_at + LATEST_AHEAD:
            return at, clock
    return received_at, Clock.WRONG


def admit(report: Report, *, zone: str, synthetic: bool, received_at: int, error: int | None = 0) -> Signal:
    """The signal that ``report`` becomes in its own zone, or else in ``zone``. Its id depends only on what the sender said.

    ``error``: of the sender's clock, as for ``believe``."""
    at, clock = believe(report.at, received_at, error)
    if report.source_id is None:
        onset = report.at if report.at is not None else received_at
        identity = onset_id(report.realm + report.source, report.device, report.kind, report.action, onset, report.sequence)
    else:
        identity = signal_id(report.realm + report.source, report.source_id)
    return Signal(
        id=identity, source=report.source, source_id=report.source_id if report.source_id is not None else identity,
        device=report.device, zone=report.zone or zone, kind=report.kind, action=report.action, at=at, received_at=received_at,
        clock=clock, sent_at=report.at if clock in (Clock.WRONG, Clock.CORRECTED) else None, severity=report.severity, score=report.score,
        box=report.box, message=report.message, snapshot=report.snapshot, synthetic=synthetic, timed=report.timed,
        details=report.details,
    )
