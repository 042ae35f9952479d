"""The state of one alarm: one kind on one device, with on-delay, off-delay and latching (ISA-18.2, IEC 62682).

The table ``NEXT`` is the whole behaviour; a missing pair is refused. How it stands towards people is in ``hazards/annunciation.py``.
What must not go in: incidents, storage, clocks.
"""

from enum import StrEnum

from msgspec import Struct, field

from hazards.annunciation import AlarmState
from hazards.errors import NotInState
from hazards.messages import Action
from hazards.zones import AlarmTiming

LATENESS = 10 * 60 * 1_000_000
"""µs after which a signal that comes late is counted and marked as such: its link was down, or it was kept somewhere."""


class Phase(StrEnum):
    """Where the condition of an alarm stands."""

    NORMAL = "normal"
    RAISING = "raising"  # within the on-delay: not yet an alarm
    STANDING = "standing"
    CLEARING = "clearing"  # within the off-delay: still an alarm
    LATCHED = "latched"  # over, and kept until acknowledged


class Trigger(StrEnum):
    """What moves an alarm."""

    RAISED = "raised"
    CLEARED = "cleared"
    PULSE = "pulse"
    DELAY_OVER = "delay_over"
    RELEASED = "released"  # a latch is let go by an acknowledgement


N, R, S, C, L = Phase
NEXT: dict[tuple[Phase, Trigger], Phase] = {
    (N, Trigger.RAISED): R, (N, Trigger.CLEARED): N, (N, Trigger.PULSE): C,
    (R, Trigger.RAISED): R, (R, Trigger.CLEARED): N, (R, Trigger.PULSE): R, (R, Trigger.DELAY_OVER): S,
    (S, Trigger.RAISED): S, (S, Trigger.CLEARED): C, (S, Trigger.PULSE): S,
    (C, Trigger.RAISED): S, (C, Trigger.CLEARED): C, (C, Trigger.PULSE): C, (C, Trigger.DELAY_OVER): N,
    (L, Trigger.RAISED): S, (L, Trigger.CLEARED): L, (L, Trigger.PULSE): L, (L, Trigger.RELEASED): N,
}  # fmt: skip
ALARMING = frozenset({S, C, L})
"""Phases in which the alarm counts as present."""


class Alarm(Struct, omit_defaults=True):
    """State of one kind on one device. ``due``: when its running delay ends; ``last_*``: the newest signal that moved it.

    ``state``: towards people (``hazards/annunciation.py``), since ``since``. ``group``: under which the zone keeps the incident it is in,
    ``incident``: the beginning of that one's id.
    ``severity``: as it was raised, 0: by an older version. ``quiet``, ``by``: as in ``hazards.quieting.Quieting``. ``called``: it called
    people before that held, and nobody has acknowledged it since. ``held``: who raised it and has not said that it is over."""

    device: str
    kind: str
    phase: Phase = Phase.NORMAL
    last_at: int = 0
    last_received: int = 0
    due: int | None = None
    state: AlarmState = AlarmState.NORMAL
    since: int = 0
    group: str = ""
    incident: str = ""
    severity: int = 0
    quiet: str = ""
    by: str = ""
    called: bool = False
    held: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Under which the zone's state keeps it."""
        return f"{self.device} {self.kind}"


def next_phase(phase: Phase, trigger: Trigger, *, latching: bool = False) -> Phase:
    """The phase after ``trigger``. Raises NotInState for a pair that the table does not have."""
    following = NEXT.get((phase, trigger))
    if following is None:
        raise NotInState(f"an alarm that is {phase} can't take {trigger}")
    if latching and phase is Phase.CLEARING and following is Phase.NORMAL:
        return Phase.LATCHED
    return following


def move(alarm: Alarm, trigger: Trigger, at: int, timing: AlarmTiming) -> None:
    """Apply ``trigger`` at time ``at`` (µs) and start or stop the delay that belongs to the new phase; a zero delay is over at once."""
    before = alarm.phase
    alarm.phase = next_phase(before, trigger, latching=timing.latching)
    restarted = alarm.phase is not before or trigger is Trigger.PULSE
    if alarm.phase is Phase.RAISING and restarted:
        alarm.due = at + timing.on_delay
    elif alarm.phase is Phase.CLEARING and restarted:
        alarm.due = at + timing.off_delay
    elif alarm.phase not in (Phase.RAISING, Phase.CLEARING):
        alarm.due = None
    if alarm.due is not None and alarm.due <= at:
        move(alarm, Trigger.DELAY_OVER, at, timing)


def expire(alarm: Alarm, now: int, timing: AlarmTiming) -> bool:
    """End the running delay if it is over at ``now``; whether it was."""
    if alarm.due is None or alarm.due > now:
        return False
    move(alarm, Trigger.DELAY_OVER, alarm.due, timing)
    return True


def is_late(alarm: Alarm, action: Action, at: int, received_at: int) -> bool:
    """Whether a signal is older than what the alarm already knows and so must not move it.

    When the sender's times and the order of receipt disagree (a reordered link, or a clock that was set back),
    the alarm stands: a raise is late only if it is older by both, a clear if it is older by either."""
    older_at, older_received = at < alarm.last_at, received_at < alarm.last_received
    if action is Action.CLEARED:
        return older_at or older_received
    return older_at and older_received
