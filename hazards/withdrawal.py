"""An end that says nothing of the condition: a rule was withdrawn or is no longer armed. It ends what that rule alone raised. Pure.

One kind on one device is one alarm, whoever raises it: what the device itself reports, or another of its sensors, goes on.
What must not go in: when a rule says so (``hazards/limits.py``), what an end does to an incident.
"""

from hashlib import blake2b

from hazards.alarm_state import Alarm
from hazards.messages import Action, Signal

REASONS = frozenset({"rule_removed", "sensor_removed", "window_ended"})
"""In the details of an end that a rule reports. A sensor that moved to another zone leaves nothing behind, and its device reports there."""
_MOST = 8
"""Sources of one alarm that are kept, the newest: senders name themselves as they like."""


def holds_on(alarm: Alarm, signal: Signal) -> bool:
    """Take note of who raised ``alarm`` and who ended it by ``signal``; whether that is but a withdrawal, and another still holds it."""
    who = _who(signal)
    others = [other for other in alarm.held if other != who]
    if signal.action is Action.RAISED:
        alarm.held = [*others, who][-_MOST:]
    elif signal.action is Action.CLEARED:
        alarm.held = others if _is_withdrawal(signal) else []
    return signal.action is Action.CLEARED and bool(alarm.held)


def _is_withdrawal(signal: Signal) -> bool:
    return signal.timed and signal.details.get("reason") in REASONS


def _who(signal: Signal) -> str:
    """Its source, in few bytes, since states are small; of rules the metric too, since two sensors of one device may raise the same kind,
    and not the rule, since another may have taken its place."""
    metric = signal.source_id.removeprefix(f"{signal.device}/").partition("/")[0] if signal.timed else ""
    return blake2b(f"{signal.source} {metric}".encode(), digest_size=5).hexdigest()
