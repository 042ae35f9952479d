"""People, things and steps of the ledger's tests: one hazard in one zone, and what can be done with it. No tests here."""

from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs

from hazards.ledger import commands as ask
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.decisions import decide, propose
from hazards.ledger.gate import Present, Sight, Watcher, Witness
from hazards.ledger.hazard import Actor, Hazard, Origin
from hazards.ledger.particulars import Paper, Stage
from tests.hazards.signals import NOON, SECOND
from tests.packs import POLICY

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = 24 * 3600 * SECOND
ROLES = ["administrator", "operator", "park_command", "department", "bureau", "district_leader", "safety_office", "enterprise", "analyst"]


def person(name: str, role: str, enterprise: str | None = None, *, confirmed_at: int | None = None) -> Actor:
    """Somebody who is signed in. ``confirmed_at``: when the password was given again."""
    return Actor(name, role, enterprise, name.title(), confirmed_at)


SAFETY_OFFICER, SECOND_PERSON = person("li", "enterprise", "alu"), person("sun", "enterprise", "alu")
DEPARTMENT, COMMAND, OPERATOR = person("zhao", "department"), person("qian", "park_command"), person("wang", "operator")
BUREAU, LEADER = person("zhou", "bureau"), person("wu", "district_leader")
AFTER = Paper(stage=Stage.AFTER, taken_at=NOON, place="3号炉前", document="验收记录-07")
SEEING = Sight((Watcher("CAM-1", "flame"),))
FLAME = Witness(incident="i-1", severity=1, opened_at=NOON, present=[Present("CAM-1", "flame")], raised=2, last_at=NOON + 5,
                kinds=["flame"], devices=["CAM-1"])  # fmt: skip
BURNING = Sight((Watcher("CAM-1", "flame"),), (FLAME,))

PLAN = ask.FilePlan(responsibility="张三", measures="更换密封", funds="5万元", time="11月30日前", contingency="停炉撤人")
CONFIRM = (DEPARTMENT, ask.Confirm(grade="serious"))
MAJOR = (DEPARTMENT, ask.Confirm(grade="major", criterion="demo-2"))
PLANNED = ((SAFETY_OFFICER, PLAN), (COMMAND, ask.ApprovePlan()))
START_IT = (SAFETY_OFFICER, ask.StartRectification())
CLAIM = (SAFETY_OFFICER, ask.Claim(note="已更换", evidence=[AFTER]))
INSPECT = tuple((who, ask.Inspect(posts=[who.role], experts=["郑工"], passed=True, note="合格")) for who in (COMMAND, DEPARTMENT))
ACCEPT, CLOSE = (DEPARTMENT, ask.Accept()), (DEPARTMENT, ask.Close())
REQUEST = (SAFETY_OFFICER, ask.RequestExtension(days=10, cause="supply", reason="备件到货晚"))


def facts(sight: Sight = SEEING, *, in_park: bool = True, other: Hazard | None = None) -> Facts:
    return Facts(POLICY, SHANGHAI, lambda _since: sight, in_park, other)


def new(grade: str = "serious", enterprise: str | None = "alu", at: int = NOON, hazard_id: str = "h") -> Hazard:
    command = ask.Propose(zone="smelter", kind="fire", grade=grade, title="3号炉前明火")
    return propose(command, hazard_id=hazard_id, actor=OPERATOR, origin=Origin.INSPECTION, enterprise=enterprise, synthetic=False, now=at,
                   facts=facts()).hazard  # fmt: skip


def given(hazard: Hazard, actor: Actor, command: ask.HazardCommand, *, now: int = NOON, **known: Any) -> Decision:
    return decide(hazard, command, actor=actor, now=now, facts=facts(**known))


def after(hazard: Hazard, *steps: tuple[Actor, ask.HazardCommand], now: int = NOON, **known: Any) -> Hazard:
    for actor, command in steps:
        hazard = given(hazard, actor, command, now=now, **known).hazard
    return hazard


def signed(actor: Actor, post: str = "", at: int = NOON) -> tuple[Actor, ask.HazardCommand]:
    """A signature of ``actor``, who has just given the password again."""
    return structs.replace(actor, confirmed_at=at), ask.SignExtension(post=post)


def claim_with(**fields: Any) -> ask.Claim:
    return ask.Claim(note="x", evidence=[structs.replace(AFTER, **fields)])
