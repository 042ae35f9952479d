"""The plain reference and merging give the same incidents, for any history: cut into batches, stopped, restored, delivered twice; and
whatever is declared meanwhile, what has called people stays loud until somebody acknowledges it."""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hazards.admission import Report, admit
from hazards.alarm_state import Phase
from hazards.declarations import Declaration, Declared
from hazards.merging import merge, wake
from hazards.messages import Action, Signal
from hazards.surroundings import Surroundings
from hazards.zone_codec import decode_state, encode_state
from hazards.zone_state import ZoneState
from hazards.zones import AlarmTiming
from tests.hazards.reference import Reference
from tests.hazards.signals import NOON, SECOND

HISTORIES = int(os.environ.get("BIHUAN_TEST_HISTORIES", "400"))
"""In CI; ``make soak`` and the closing of a step take 10,000."""
KINDS = ["flame", "temperature_high", "camera_offline", "frozen", "intrusion", "odd_thing", "methane_high", "exit_blocked", "pressure_low",
         "absent_from_post"]  # fmt: skip
TIMINGS = {"A": AlarmTiming(), "B": AlarmTiming(on_delay=3 * SECOND), "C": AlarmTiming(off_delay=4 * SECOND),
           "D": AlarmTiming(on_delay=2 * SECOND, off_delay=2 * SECOND, latching=True)}  # fmt: skip
EXPLAINED = {Declared.CALIBRATION: {"temperature_high", "pressure_low"}, Declared.PERMIT: {"flame", "temperature_high", "intrusion"}}
ACTIONS = ["raised", "raised", "raised", "cleared", "pulse", "rule raised", "rule withdrawn"]


def timing_of(device: str) -> AlarmTiming:
    return TIMINGS.get(device, AlarmTiming())


class Histories(RuleBasedStateMachine):
    """One zone, one order of consumption."""

    @initialize()
    def begin(self) -> None:
        self.declarations = list[Declaration]()
        self.reference = Reference(timing_of, self.quiet)
        self.state, self.grouped = ZoneState(), dict[str, str]()
        self.now, self.number = NOON, 0
        self.consumed = list[Signal]()
        self.acknowledged = set[str]()

    def around(self) -> Surroundings:
        return Surroundings("smelter", timing_of, acknowledged=self.acknowledged, declarations=self.declarations)

    def quiet(self, device: str, kind: str, at: int) -> bool:
        """As the documentation has it: what is declared of a device for a time, never of methane."""
        holding = [d for d in self.declarations if d.starts_at <= at < (d.ends_at or at) and device in d.devices]
        return any(kind in EXPLAINED[d.kind] for d in holding)

    @rule(what=st.sampled_from(sorted(EXPLAINED)), device=st.sampled_from(sorted(TIMINGS)), ahead=st.sampled_from([0, 0, 90]),
          length=st.sampled_from([60, 600, 5000]))  # fmt: skip
    def declare(self, what: Declared, device: str, ahead: int, length: int) -> None:
        """The enterprise declares a calibration of a device, or hot work there, from now or soon."""
        starts = self.now + ahead * SECOND
        self.declarations.append(Declaration(
            id=f"d{len(self.declarations)}", kind=what, zone="smelter", devices=[device], starts_at=starts,
            ends_at=starts + length * SECOND, work="hot_work" if what is Declared.PERMIT else "",
        ))  # fmt: skip
        self.wake()

    @rule(pause=st.sampled_from([0, 1, 20, 310, 700]), rows=st.lists(
        st.tuples(st.sampled_from(sorted(TIMINGS) + [f"E{n}" for n in range(8)]), st.sampled_from(KINDS), st.sampled_from(ACTIONS),
                  st.sampled_from([0.0, 0.0, 0.0, -1.0, 1.0, -30.0, 200.0, -400.0]), st.sampled_from([None, None, 1])),
        min_size=1, max_size=14))  # fmt: skip
    def batch(self, pause: int, rows: list[tuple[str, str, str, float, int | None]]) -> None:
        """Signals in disorder of their own times, applied as one batch."""
        self.now += pause * SECOND
        fresh = []
        for device, kind, action, shift, severity in rows:
            self.number += 1
            self.now += SECOND // 4
            by_rule, what = action.startswith("rule "), {"withdrawn": "cleared"}.get(word := action.split()[-1], word)
            report = Report(
                source="rule" if by_rule else "test", source_id=f"{device}/metric/{self.number}", device=device, kind=kind,
                action=Action(what), at=self.now + int(shift * SECOND), severity=severity, timed=by_rule,
                details={"reason": "rule_removed"} if word == "withdrawn" else {},
            )  # fmt: skip
            fresh.append(admit(report, zone="smelter", synthetic=False, received_at=self.now))
        self.apply(fresh)

    @rule(back=st.integers(1, 20))
    def rebalance(self, back: int) -> None:
        """The new owner of the zone reads the last messages again."""
        self.apply(self.consumed[-back:])

    @rule()
    def restart(self) -> None:
        """The state comes back from its bytes."""
        self.state = decode_state(encode_state(self.state))

    @rule(pause=st.sampled_from([1, 5, 299, 301, 800]))
    def tick(self, pause: int) -> None:
        """Time passes."""
        self.now += pause * SECOND
        self.wake()

    @rule(place=st.integers(0, 1000))
    def acknowledge(self, place: int) -> None:
        """Somebody acknowledges an incident."""
        live = [i for i in self.state.incidents.values() if not i.over]
        if live:
            incident = live[place % len(live)]
            self.acknowledged.add(incident.id)
            self.reference.acknowledge(next(s for s, i in self.grouped.items() if i == incident.id))
            self.wake()

    def apply(self, signals: list[Signal]) -> None:
        new = [s for s in signals if s.id not in self.grouped]  # in SQL the primary key does this
        merged = merge(self.state, new, self.around())
        self.acknowledged -= merged.graver
        self.grouped |= {d.signal: d.incident for d in merged.decisions}
        self.consumed += new
        for signal in signals:
            self.reference.take(signal)
        for incident in self.reference.incidents:  # graver since: unacknowledged again
            incident.acknowledged &= self.grouped[incident.ids[0]] in self.acknowledged
        self.wake()

    def wake(self) -> None:
        merged = wake(self.state, self.now, self.around())
        self.acknowledged -= merged.graver
        self.reference.tick(self.now)
        assert {key for key, alarm in self.state.alarms.items() if alarm.phase is not Phase.NORMAL} == self.reference.standing()
        for incident in self.state.incidents.values():
            first = next((s for s, i in self.grouped.items() if i == incident.id), None)
            if first is not None and self.reference.waits_for_an_answer(first):
                assert not incident.quiet, (incident, self.state.alarms)

    def groups(self) -> set[frozenset[str]]:
        found: dict[str, set[str]] = {}
        for signal, incident in self.grouped.items():
            found.setdefault(incident, set()).add(signal)
        return {frozenset(ids) for ids in found.values()}

    def teardown(self) -> None:
        ours, plain = self.groups(), self.reference.groups()
        assert ours == plain, (ours - plain, plain - ours)


Histories.TestCase.settings = settings(
    max_examples=HISTORIES, stateful_step_count=12, deadline=None, suppress_health_check=list[Any](HealthCheck)
)
test_the_reference_and_merging_group_alike = Histories.TestCase
