"""When a hazard's clocks want to be looked at next. What must not go in: SQL."""

from datetime import tzinfo

from hazards.ledger.hazard import Hazard
from hazards.ledger.policy import Policy


def woken(hazard: Hazard, policy: Policy, zone: tzinfo) -> Hazard:
    """``hazard`` with the time of its next point."""
    return hazard
