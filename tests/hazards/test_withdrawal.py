"""A rule that is withdrawn ends what it raised, and nothing that another source still reports."""

import pytest
from msgspec import structs

from hazards.merging import merge, wake
from hazards.surroundings import Surroundings
from hazards.withdrawal import REASONS
from hazards.zone_codec import decode_state, encode_state
from hazards.zone_state import Reason, ZoneState
from tests.hazards.signals import NOON, SECOND, signal

PLACE = Surroundings("smelter")
KIND = "temperature_high"


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_what_the_device_itself_reports_goes_on_until_it_says_that_it_is_over(reason: str) -> None:
    state = ZoneState()
    begun = [signal(1, kind=KIND, rule_at="temperature"), signal(2, kind=KIND, at=1)]
    merged = merge(state, [*begun, signal(3, "cleared", kind=KIND, rule_at="temperature", reason=reason, at=2)], PLACE)
    assert merged.decisions[-1].reason is Reason.WITHDRAWN
    (incident,) = state.incidents.values()
    assert (incident.state, incident.reason) == ("active", Reason.OPENED)
    state = decode_state(encode_state(state))
    wake(state, NOON + 9 * SECOND, PLACE)
    merge(state, [signal(4, "cleared", kind=KIND, at=1.5, received=10)], PLACE)
    assert [i.state for i in state.incidents.values()] == ["cleared"], "its own end, also with a time before the withdrawal"


@pytest.mark.parametrize(
    ("story", "ends"),
    [
        ([{"rule_at": "temperature"}, {"action": "cleared", "rule_at": "temperature", "reason": "rule_removed"}], True),
        ([{"rule_at": "temperature"}, {"rule_at": "inlet"}, {"action": "cleared", "rule_at": "inlet", "reason": "sensor_removed"}], False),
        ([{"rule_at": "temperature"}, {}, {"action": "cleared", "rule_at": "temperature"}], True),
        ([{"rule_at": "temperature"}, {}, {"action": "cleared", "rule_at": "temperature", "reason": "sensor_moved"}], True),
        ([{}, {"action": "cleared", "rule_at": "temperature", "reason": "rule_removed"}], False),
        ([{"rule_at": "temperature"}, {}, {"action": "cleared"}], False),
        ([{"rule_at": "temperature"}, {"action": "cleared"}, {"action": "cleared", "rule_at": "temperature"}], True),
        ([{}, {"action": "cleared", "rule_at": "temperature"}], True),
        ([{}, {"action": "cleared"}, {"rule_at": "temperature"},
          {"action": "cleared", "rule_at": "temperature", "reason": "window_ended"}], True),
        ([{"rule_at": "temperature"}, {"action": "pulse"},
          {"action": "cleared", "rule_at": "temperature", "reason": "rule_removed"}], True),
        ([{}, {"action": "cleared", "reason": "rule_removed"}], True),
    ],
)  # fmt: skip
def test_only_a_withdrawal_beside_another_source_that_has_not_ended_it_leaves_it_standing(story: list[dict[str, str]], ends: bool) -> None:
    state = ZoneState()
    merge(state, [signal(n, kind=KIND, at=n, **row) for n, row in enumerate(story)], PLACE)  # type: ignore[arg-type]
    assert (state.alarms[f"CAM-1 {KIND}"].phase == "normal") is ends


def test_no_number_of_senders_takes_the_alarm_out_of_a_rules_hands() -> None:
    state = ZoneState()
    rule = signal(0, kind=KIND, rule_at="temperature")
    others = [structs.replace(signal(n, kind=KIND, at=n), source=f"sender-{n}") for n in range(1, 40)]
    merge(state, [rule, *others], PLACE)
    assert len(state.alarms[f"CAM-1 {KIND}"].held) <= 9
    merged = merge(state, [structs.replace(signal(50, "cleared", kind=KIND, at=50), source="sender-39")], PLACE)
    assert (state.alarms[f"CAM-1 {KIND}"].phase, merged.decisions[0].reason) == ("standing", Reason.RULE_STANDS)


def test_it_knows_the_reasons_that_rules_give() -> None:
    assert {"rule_removed", "sensor_removed", "window_ended"} <= REASONS
