"""The table of one alarm: delays, latches, late signals."""

import pytest

from hazards.alarm_state import NEXT, Alarm, Phase, Trigger, expire, is_late, move, next_phase
from hazards.errors import NotInState
from hazards.zones import AlarmTiming
from tests.hazards.signals import NOON, SECOND, signal

N, R, S, C, L = Phase


@pytest.mark.parametrize(
    ("timing", "steps", "phases"),
    [
        (AlarmTiming(), ["raised@0", "cleared@1"], [S, N]),
        (AlarmTiming(), ["pulse@0"], [N]),
        (AlarmTiming(off_delay=5 * SECOND), ["pulse@0", "tick@4", "tick@5"], [C, C, N]),
        (AlarmTiming(on_delay=5 * SECOND), ["raised@0", "cleared@4"], [R, N]),
        (AlarmTiming(on_delay=5 * SECOND), ["raised@0", "tick@4", "tick@5", "cleared@9"], [R, R, S, N]),
        (AlarmTiming(on_delay=5 * SECOND), ["raised@0", "raised@4", "tick@5"], [R, R, S]),  # a repeat does not restart the delay
        (AlarmTiming(off_delay=5 * SECOND), ["raised@0", "cleared@1", "raised@3", "tick@9"], [S, C, S, S]),
        (AlarmTiming(off_delay=5 * SECOND), ["raised@0", "cleared@1", "tick@6"], [S, C, N]),
        (AlarmTiming(latching=True), ["raised@0", "cleared@1", "cleared@2", "released@3"], [S, L, L, N]),
        (AlarmTiming(latching=True), ["raised@0", "cleared@1", "raised@2"], [S, L, S]),
        (AlarmTiming(latching=True, off_delay=SECOND), ["pulse@0", "tick@1"], [C, L]),
        (AlarmTiming(), ["cleared@0"], [N]),
    ],
)
def test_walks_the_table(timing: AlarmTiming, steps: list[str], phases: list[Phase]) -> None:
    alarm, seen = Alarm("CAM-1", "flame"), []
    for step in steps:
        name, _, second = step.partition("@")
        at = NOON + int(second) * SECOND
        if name == "tick":
            expire(alarm, at, timing)
        else:
            move(alarm, Trigger(name), at, timing)
        seen.append(alarm.phase)
    assert seen == phases


def test_a_pair_outside_the_table_is_refused() -> None:
    with pytest.raises(NotInState, match="standing can't take released"):
        next_phase(Phase.STANDING, Trigger.RELEASED)


def test_every_phase_takes_every_signal() -> None:
    for phase in Phase:
        for trigger in (Trigger.RAISED, Trigger.CLEARED, Trigger.PULSE):
            assert (phase, trigger) in NEXT, "a signal from outside must never be refused by a state"


@pytest.mark.parametrize(
    ("action", "at", "received", "late"),
    [
        ("raised", 11, 11, False),
        ("raised", 9, 9, True),
        ("raised", 9, 11, False),  # the times disagree: when in doubt it stands
        ("cleared", 9, 11, True),
        ("cleared", 11, 9, True),
        ("cleared", 11, 11, False),
        ("pulse", 9, 11, False),
    ],
)
def test_when_in_doubt_it_stands(action: str, at: float, received: float, late: bool) -> None:
    alarm = Alarm("CAM-1", "flame", last_at=NOON + 10 * SECOND, last_received=NOON + 10 * SECOND)
    said = signal(1, action, at=at, received=received)
    assert is_late(alarm, said.action, said.at, said.received_at) is late
