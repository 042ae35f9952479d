"""When a delivery is tried again, and what an answer means: data and pure functions.

Source: Standard Webhooks 1.0, "Deliverability and reliability", for the plan, the meaning of answers and the time-out; the quick tries
for grave news, the bounds and the pauses are platform defaults. What must not go in: clocks, HTTP.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum

SECOND = 1_000_000
MINUTE, HOUR = 60, 3600

PLAN = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Seconds from one failed attempt to the next; the first attempt is at once. About three days, ten attempts."""
URGENT_PLAN = (2, 5, 10, 20, 40)
"""Seconds between the tries that news of severity 1 and 2 gets before ``PLAN``."""
URGENT_SEVERITY = 2
JITTER = 0.2
"""A delay grows by up to this share, so that what failed together does not come back together. It is never shortened."""
TIMEOUT = 20.0
"""Seconds that an attempt may take (15 to 30 are recommended)."""
LONGEST_RETRY_AFTER = HOUR
"""Seconds of Retry-After that are believed: a receiver's mistake must not silence it for days."""
SHORTEST_PAUSE, LONGEST_PAUSE = 5, 5 * MINUTE


class Verdict(StrEnum):
    """What an answer means for its delivery and endpoint."""

    DELIVERED = "delivered"
    FAILED = "failed"  # try again by the plan
    SLOW_DOWN = "slow_down"  # try again by the plan, and leave the whole endpoint alone for a while
    GONE = "gone"  # the endpoint wants nothing any more: turn it off


_VERDICTS = (
    # from, to (HTTP status), verdict
    (200, 299, Verdict.DELIVERED),
    (410, 410, Verdict.GONE),
    (429, 429, Verdict.SLOW_DOWN),
    (502, 502, Verdict.SLOW_DOWN),
    (504, 504, Verdict.SLOW_DOWN),
)


def verdict(status: int | None) -> Verdict:
    """The meaning of an HTTP status; None: no answer at all. A redirect is a failure: the sender of the site file names the address."""
    if status is None:
        return Verdict.FAILED
    return next((v for low, high, v in _VERDICTS if low <= status <= high), Verdict.FAILED)


def delays(severity: int) -> tuple[int, ...]:
    """Seconds between the attempts of one delivery."""
    return (*URGENT_PLAN, *PLAN) if severity <= URGENT_SEVERITY else PLAN


def next_attempt(severity: int, failed: int, *, now: int, jitter: float, wait: int = 0) -> int | None:
    """When to try again (UTC µs) after ``failed`` attempts (1: the first failed), or None: given up.

    ``jitter`` from 0 to 1; ``wait``: µs that the receiver asked for at least."""
    plan = delays(severity)
    if failed > len(plan):
        return None
    delay = round(plan[failed - 1] * SECOND * (1 + JITTER * jitter))
    return now + max(delay, wait)


def retry_after(header: str | None, *, now: int) -> int | None:
    """Microseconds that a Retry-After header (RFC 9110, 10.2.3) asks to wait, bounded; None for none or a meaningless one."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now / SECOND
    return round(min(max(seconds, 0.0), LONGEST_RETRY_AFTER) * SECOND)


def pause(in_a_row: int, asked: int | None) -> int:
    """Microseconds that an endpoint is left alone after its ``in_a_row``-th request (from 1) to slow down; ``asked``: its Retry-After."""
    if asked is not None:
        return asked
    doublings = min(max(in_a_row, 1) - 1, 16)
    return min(SHORTEST_PAUSE << doublings, LONGEST_PAUSE) * SECOND
