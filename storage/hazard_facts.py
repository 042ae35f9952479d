"""What a decision on a hazard (隐患) may know: its pack, the time zone, what the zone's devices say, read in the caller's transaction.

What must not go in: deciding, writing.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from hazards.ledger.decision import Facts
from hazards.ledger.effects.acceptance import question_of, since_of
from hazards.ledger.gate import Question, Sight
from hazards.ledger.hazard import Hazard
from hazards.ledger.policy import Policy
from storage.hazard_sight import sight_of
from storage.policies import required
from storage.series_sight import Asked, SeriesSight, asked_of, measured_of
from storage.site_store import Registry, current_registry
from storage.uploads import first_kept


def policy_of(registry: Registry) -> Policy:
    """The pack in force. Raises Misconfigured where none was ever applied."""
    return required(registry.policy)


def policy_for(registry: Registry, hazard: Hazard | None) -> Policy:
    """The pack under which ``hazard`` was opened; for a new one, or a version this database never had, the one in force."""
    return required(registry.policy if hazard is None else registry.policy_under(hazard.policy))


def zone_of(registry: Registry) -> ZoneInfo:
    """The site's time zone; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(registry.site.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def facts_of(
    connection: Connection, registry: Registry, hazard: Hazard | None, other: Hazard | None = None, *, now: int = 0,
    seen: SeriesSight | None = None,
) -> Facts:  # fmt: skip
    """What decisions on ``hazard`` at ``now`` may know, read in this transaction. ``other``: the one it is to be merged into; ``seen``:
    what was read of the time series before."""
    policy = policy_for(registry, hazard)

    def sight(since: int) -> Sight:
        if hazard is None:
            return Sight()
        measured = measured_of(asked_of(registry, hazard, since, policy.gate), seen, now)
        return sight_of(connection, registry, hazard, since, now=now, measured=measured)

    known = registry.zone(hazard.zone) if hazard is not None else None
    in_park = known is None or not known.outside_park
    return Facts(policy, zone_of(registry), sight, in_park=in_park, other=other, kept=lambda files: first_kept(connection, files))


def series_asked(connection: Connection, hazard: Hazard, *, now: int, claim: bool = False) -> Asked | None:
    """What the time series is to be asked before the gate is: on a ``claim``, or on the hazard's next step; None for nothing."""
    question = Question.CLAIM if claim else question_of(hazard)
    if question is None:
        return None
    registry = current_registry(connection)
    asked = asked_of(registry, hazard, since_of(hazard, question, now), policy_for(registry, hazard).gate)
    return asked if asked.sensors else None
