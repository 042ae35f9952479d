"""Lives of hazards over a year, made up at random: commands of people at any time, ticks that come late, every rule of the clocks checked.

The checks know dates and counts only, not how the clocks are worked out. What must not go in: pytest, SQL.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from random import Random

from hazards.errors import BadInput, Refused
from hazards.ledger import commands as ask
from hazards.ledger.clocks import CLOCKS, points, running
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.decisions import decide, propose
from hazards.ledger.hazard import Actor, Hazard, Origin
from hazards.ledger.lifecycle import OPEN, RECTIFIABLE, RUNNING, Event, State, Track, next_state, next_tracks
from hazards.ledger.limits import EPOCH, MICROSECOND, local_date
from hazards.ledger.particulars import Paper, Stage
from hazards.ledger.ticks import on_tick
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 24 * 3600 * SECOND
OFFICER = Actor("li", "enterprise", "alu")
DEPARTMENT, COMMAND, BUREAU, LEADER = (
    Actor("zhao", "department"), Actor("qian", "park_command"), Actor("bo", "bureau"), Actor("gao", "district_leader"),
)  # fmt: skip
PLAN = ask.FilePlan(responsibility="张三", measures="更换密封", funds="5万元", time="月底前", contingency="停炉撤人")
GRADES = ("general", "general", "general", "serious", "serious", "major")
SIGNING = ("sign_department", "sign_command")


def _command(name: str, random: Random, now: int) -> tuple[Actor, ask.HazardCommand]:
    """What somebody wants at ``now``."""
    made: tuple[Actor, ask.HazardCommand]
    match name:
        case "confirm":
            made = DEPARTMENT, ask.Confirm(grade=random.choice(GRADES), criterion="demo-5")
        case "regrade":
            made = DEPARTMENT, ask.Regrade(grade=random.choice(GRADES), criterion="demo-5", reason="复核")
        case "sign_department":
            made = Actor("zhao", "department", confirmed_at=now), ask.SignExtension()
        case "sign_command":
            made = Actor("qian", "park_command", confirmed_at=now), ask.SignExtension()
        case "request_extension":
            made = OFFICER, ask.RequestExtension(days=random.randint(1, 15), cause="supply", reason="缺件")
        case "claim":
            made = OFFICER, ask.Claim(note="已处理", evidence=[Paper(stage=Stage.AFTER, taken_at=now, place="炉前", document="7")])
        case _:
            made = _PLAIN[name]
    return made


_PLAIN: dict[str, tuple[Actor, ask.HazardCommand]] = {
    "dismiss": (DEPARTMENT, ask.Dismiss(reason="误报")), "receive": (OFFICER, ask.Receive()), "plan": (OFFICER, PLAN),
    "approve_plan": (COMMAND, ask.ApprovePlan()), "return_plan": (COMMAND, ask.ReturnPlan(reason="不全")),
    "start_rectification": (OFFICER, ask.StartRectification()),
    "report_department": (OFFICER, ask.ReportHazard(to="department", recipient="应急科")),
    "report_congress": (OFFICER, ask.ReportHazard(to="staff_congress", recipient="职代会")),
    "publish": (OFFICER, ask.Publish(place="公示栏")), "list": (COMMAND, ask.ListForRectification(number="1", supervisor="市应急局")),
    "refuse_extension": (COMMAND, ask.RefuseExtension(reason="可按期")), "file_extension": (BUREAU, ask.FileExtension(number="9")),
    "summon": (LEADER, ask.Summon(with_whom="法定代表人", note="限期整改")),
    "inspect_command": (COMMAND, ask.Inspect(posts=["park_command"], experts=["王工"], passed=True, note="合格")),
    "inspect_department": (DEPARTMENT, ask.Inspect(posts=["department"], experts=["王工"], passed=True, note="合格")),
    "accept": (DEPARTMENT, ask.Accept()), "refuse": (DEPARTMENT, ask.Refuse(reason="未到位")),
    "lift_listing": (COMMAND, ask.LiftListing()), "close": (DEPARTMENT, ask.Close()), "reopen": (DEPARTMENT, ask.Reopen(reason="复发")),
    "comment": (DEPARTMENT, ask.Comment(text="催办")),
}  # fmt: skip
_MEANWHILE = ("receive", "report_department", "report_congress", "publish", "list", "regrade", "request_extension", *SIGNING, *SIGNING,
              "refuse_extension", "file_extension", "summon", "comment")  # fmt: skip
_PLANNING = ("plan", "plan", "approve_plan", "approve_plan", "return_plan", "start_rectification", "start_rectification")
_WANTED: dict[State, tuple[str, ...]] = {
    State.PROPOSED: ("confirm", "confirm", "confirm", "confirm", "dismiss", "report_department", "comment"),
    State.CONFIRMED: (*_PLANNING, *_PLANNING, *_MEANWHILE), State.PLANNED: (*_PLANNING, *_PLANNING, *_MEANWHILE),
    State.RECTIFYING: ("claim",) * 6 + ("request_extension", *SIGNING) * 3 + _MEANWHILE,
    State.CLAIMED: ("inspect_command", "inspect_department", "accept", "accept", "refuse") * 5 + ("summon", "receive", "publish", "list"),
    State.ACCEPTED: ("lift_listing", "close", "close", "close", "refuse"), State.CLOSED: ("reopen", *("nothing",) * 5),
}  # fmt: skip


@dataclass
class Life:
    """One hazard, from its proposal on, and what its clocks have told so far."""

    number: int
    zone: tzinfo
    random: Random
    facts: Facts = field(init=False)
    hazard: Hazard = field(init=False)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    settings: int = 0  # how often the due date was set
    events: Counter[str] = field(default_factory=Counter)
    overdue: Counter[tuple[int, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.facts = Facts(POLICY, self.zone)
        opened = NOON + self.random.randrange(365 * DAY)
        command = ask.Propose(zone="smelter", kind="fire", grade=self.random.choice(GRADES), title="炉前明火")
        self.hazard = propose(
            command, hazard_id=str(self.number), actor=DEPARTMENT, origin=Origin.INSPECTION,
            enterprise="alu" if self.number % 5 else None, synthetic=False, now=opened, facts=self.facts,
        ).hazard  # fmt: skip

    def live(self, until: int) -> None:
        """To the end of the year; at its end everybody looks once more."""
        for at, wanted in self._wishes(until):
            self._tick_before(at)
            self._do(wanted, at)
        self._tick_before(until)
        self.tick(until)

    def _wishes(self, until: int) -> Iterator[tuple[int, str]]:
        at = self.hazard.opened_at
        for _ in range(18):
            at += int(self.random.expovariate(1 / self.random.choice((20 * MINUTE, 6 * HOUR, 2 * DAY, 12 * DAY))))
            choice = _WANTED.get(self.hazard.state, ())
            if at >= until or not choice:
                return
            if (wanted := self.random.choice(choice)) == "nothing":
                return
            yield at, wanted

    def _do(self, wanted: str, at: int) -> None:
        actor, command = _command(wanted, self.random, at)
        if actor is OFFICER and self.hazard.enterprise is None:
            actor = COMMAND
        try:
            decision = decide(self.hazard, command, actor=actor, now=at, facts=self.facts)
        except (Refused, BadInput):
            return
        self._follow(decision)

    def _tick_before(self, at: int) -> None:
        """Whoever looks at clocks does so when they want to be looked at, or later: seconds, hours, weeks of being away."""
        while (wake := self.hazard.wake_at) is not None:
            late = int(self.random.expovariate(1 / self.random.choice((SECOND, SECOND, 10 * SECOND, HOUR, 5 * DAY, 40 * DAY))))
            if wake + late >= at:
                return
            self.tick(max(wake + late, self.hazard.updated_at))

    def tick(self, now: int) -> None:
        """One look at the clocks, checked."""
        before = self.hazard
        decisions = on_tick(before, now, self.facts)
        if before.wake_at is None or before.wake_at > now:
            assert decisions == [], f"{before.id}: it did not want to be woken"
        for decision in decisions:
            assert self.hazard.state in OPEN, f"{before.id}: told after its end"
            self._check_told(decision, now)
            self._follow(decision)
        self._check_left(now)

    def _follow(self, decision: Decision) -> None:
        assert decision.hazard.version == self.hazard.version + 1
        self.events[decision.event.value] += 1
        if decision.hazard.due_at != self.hazard.due_at or decision.event in (Event.CONFIRMED, Event.REOPENED):
            self.settings += 1
        self.hazard = decision.hazard
        assert (self.hazard.wake_at is None) or self.hazard.state in OPEN, "what is over sleeps"

    def _check_told(self, decision: Decision, now: int) -> None:
        said = decision.details
        if decision.event is Event.SUMMONS_DUE:
            assert decision.hazard.confirmed and decision.hazard.grade != "general"
            assert self.hazard.overdue_at is not None and said["missed"] == self.hazard.due_at < now
            assert local_date(said["due_at"], self.zone) - local_date(said["missed"], self.zone) == timedelta(days=3)
            return
        clock, setting = said["clock"], self.settings if said["clock"] == "rectify" else 0
        for point in (*said.get("passed_over", ()), said["point"]):
            self.told[f"{clock}@{said['started_at']}/{setting}", point] += 1
            assert self.told[f"{clock}@{said['started_at']}/{setting}", point] == 1, f"{said} was told before"
            self._check_time(point, said["started_at"], said["due_at"], now)
        if decision.event is Event.OVERDUE:
            assert self.hazard.confirmed and clock == "rectify" and said["due_at"] == self.hazard.due_at < now
            self.overdue[said["due_at"], self.settings] += 1
        else:
            assert decision.event is Event.CLOCK_POINT and not (clock == "rectify" and self.hazard.confirmed and said["point"] == "due")

    def _check_time(self, point: str, start: int, due: int, now: int) -> None:
        if point == "half":
            assert now >= (start + due) // 2
        elif point == "due":
            assert now > due
        elif point.endswith("d"):
            assert _wall(now, self.zone) >= _wall(due, self.zone) + timedelta(days=int(point[:-1]))
        else:
            assert now >= due + int(point[:-1]) * HOUR

    def _check_left(self, now: int) -> None:
        """Nothing that has passed is left."""
        hazard = self.hazard
        assert hazard.wake_at is None or hazard.wake_at > now, f"{hazard.id} wants to be woken in the past"
        clocks = running(hazard, POLICY, self.zone)
        for clock in clocks:
            assert any(
                next_state(hazard.state, e) is not None and not isinstance(next_tracks(hazard.tracks, e), Track)
                for e in CLOCKS[clock.rule.clock].ends
            ) or clock.rule.clock == "rectify", f"nobody can stop {clock.key} of {hazard}"  # fmt: skip
            left = [point.name for point in points(clock, self.zone) if point.at <= now and point.key not in hazard.fired]
            assert not left, f"{hazard.id}: {clock.key} has not told {left}"
        missed = hazard.confirmed and hazard.state in RUNNING and hazard.due_at is not None and hazard.due_at < now
        assert (hazard.overdue_at is not None) >= missed, f"{hazard.id} is overdue and nobody says so"
        if missed:
            assert self.overdue[hazard.due_at or 0, self.settings] <= 1
            owed = POLICY.grade_or_gravest(hazard.grade).extendable and hazard.state in RECTIFIABLE
            assert not owed or hazard.track(Track.SUMMONS) in ("due", "held")
        if not hazard.confirmed:
            assert hazard.overdue_at is None and not {c.rule.clock for c in clocks} - {"rectify", "report"}
        assert len(hazard.fired) <= 25, "it does not grow with the years"


def _wall(at: int, zone: tzinfo) -> object:
    return (EPOCH + at * MICROSECOND).astimezone(zone).replace(tzinfo=None)
