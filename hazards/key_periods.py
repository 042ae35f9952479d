"""Key periods (重点时段) of a policy pack as declarations of the whole site: derived, nobody enters or ends them. Pure.

What must not go in: what a key period does.
"""

from datetime import date, timedelta, tzinfo

from hazards.declarations import Declaration, Declared
from hazards.ledger.limits import SECOND, end_of_day
from hazards.ledger.policy import Policy
from hazards.messages import WHOLE_SITE

PACK_PERIOD = "pack:"
"""Before the name of a pack's period: the declaration's id."""


def periods_of(policy: Policy, zone: tzinfo, *, synthetic: bool = False) -> list[Declaration]:
    """Each key period of ``policy`` from the beginning of its first day to the end of its last, in the site's time ``zone``."""
    return [
        Declaration(
            id=PACK_PERIOD + period.name, kind=Declared.KEY_PERIOD, zone=WHOLE_SITE, entered_by=policy.version, reason=period.zh,
            starts_at=_after(date.fromisoformat(period.first) - timedelta(days=1), zone),
            ends_at=_after(date.fromisoformat(period.last), zone), synthetic=synthetic,
        )
        for period in policy.key_periods
    ]  # fmt: skip


def _after(day: date, zone: tzinfo) -> int:
    """The first moment after ``day``, UTC µs."""
    return end_of_day(day, zone) + SECOND
