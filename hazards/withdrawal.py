"""Ends that do not end an alarm, since another source holds it: of a rule that was withdrawn or is no longer armed, and of a sender
where a rule of the platform still judges that it stands. Pure.

One kind on one device is one alarm, whoever raises it: what the device itself reports, or another of its sensors, goes on; and nobody
talks the platform out of what its own rule reads.
What must not go in: when a rule says so (``hazards/limits.py``), what an end does to an incident.
"""

from hashlib import blake2b

from hazards.alarm_state import Alarm
from hazards.messages import LAPSES, Action, Lapse, Signal
from hazards.zone_state import Reason

REASONS = LAPSES - {Lapse.SENSOR_MOVED.value}
"""In the details of an end that a rule reports. A sensor that moved to another zone leaves nothing behind, and its device reports there."""
_MOST = 8
"""Senders of one alarm that are kept, the newest: they name themselves as they like. Rules are few, and all kept."""
_RULE = "rule "


def holds_on(alarm: Alarm, signal: Signal) -> bool:
    """Take note of who raised ``alarm`` and who ended it by ``signal``; whether another still holds it that this end says nothing of."""
    who = _who(signal)
    others = [other for other in alarm.held if other != who]
    rules = [other for other in others if other.startswith(_RULE)]
    if signal.action is Action.RAISED:
        senders = [other for other in others if not other.startswith(_RULE)]
        alarm.held = [*rules, *senders[1 - _MOST :], who]
    elif signal.action is Action.CLEARED:
        alarm.held = others if signal.timed and lapse_of(signal) in REASONS else [] if signal.timed else rules
    return signal.action is Action.CLEARED and bool(alarm.held)


def why_it_stands(signal: Signal) -> Reason:
    """The reason of an end for which ``holds_on`` was true."""
    return Reason.WITHDRAWN if signal.timed else Reason.RULE_STANDS


def lapse_of(signal: Signal) -> str:
    """What ended the alarm, if that is not its condition; "": the condition did."""
    said = signal.details.get("reason") if signal.action is Action.CLEARED else None
    return said if isinstance(said, str) and said in LAPSES else ""


def _who(signal: Signal) -> str:
    """Its source, in few bytes, since states are small; of rules the metric too, since two sensors of one device may raise the same kind,
    and not the rule, since another may have taken its place."""
    metric = signal.source_id.removeprefix(f"{signal.device}/").partition("/")[0] if signal.timed else ""
    return (_RULE if signal.timed else "") + blake2b(f"{signal.source} {metric}".encode(), digest_size=5).hexdigest()
