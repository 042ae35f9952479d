"""Signals and histories for the domain's tests."""

from hypothesis import strategies as st

from hazards.admission import Report, admit
from hazards.messages import Action, Signal

SECOND = 1_000_000
NOON = 1_795_400_000 * SECOND


def signal(
    number: int, action: str = "raised", *, device: str = "CAM-1", kind: str = "flame", at: float = 0.0, received: float | None = None,
    zone: str = "smelter", severity: int | None = None, snapshot: str | None = None, rule_at: str = "", reason: str = "",
) -> Signal:  # fmt: skip
    """Signal ``number`` of a test; ``at`` and ``received`` in seconds after noon. ``rule_at``: the metric of a rule that says it, and
    ``reason``: why that ends it."""
    source, source_id = (f"rule/{kind}", f"{device}/{rule_at}/{number}/{action}") if rule_at else ("test", str(number))
    report = Report(source=source, source_id=source_id,
                    device=device, kind=kind, action=Action(action), at=NOON + int(at * SECOND), severity=severity, snapshot=snapshot,
                    timed=bool(rule_at), details={"reason": reason} if reason else {})  # fmt: skip
    return admit(report, zone=zone, synthetic=False, received_at=NOON + int((at if received is None else received) * SECOND))


@st.composite
def histories(draw: st.DrawFn, *, most: int = 40, jitter: float = 20.0) -> list[Signal]:
    """Signals of a few devices and kinds in the order received, whose own times wander by up to ``jitter`` seconds."""
    received, found = 0.0, []
    for number in range(draw(st.integers(1, most))):
        received += draw(st.sampled_from([0.0, 0.1, 1.0, 7.0, 70.0, 400.0]))
        at = received + draw(st.sampled_from([0.0, 0.0, 0.0, -0.5, 0.5, -jitter, jitter]))
        found.append(signal(
            number, draw(st.sampled_from(["raised", "raised", "cleared", "pulse"])), device=draw(st.sampled_from(["A", "B", "C"])),
            kind=draw(st.sampled_from(["flame", "temperature_high", "smoke", "intrusion", "odd_thing"])), at=at, received=received,
            severity=draw(st.sampled_from([None, None, 1, 4])),
        ))  # fmt: skip
    return found
