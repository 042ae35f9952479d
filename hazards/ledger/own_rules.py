"""Rules of the program itself: no pack can say otherwise, and every hazard is under them whatever version it was opened under.

They name themselves platform defaults, since no document says them. What must not go in: what a city may choose (its policy pack).
"""

from msgspec import structs

from hazards.ledger.lifecycle import Event
from hazards.ledger.policy import Authority, Policy, Rule

SIGNED_BY_PERSON = Rule(
    "signed_by_person", Authority.PLATFORM_DEFAULT,
    "签字由本人登录后作出，设备令牌不能代签", "whoever signs is a person who has signed in, not a machine with a token",
)  # fmt: skip
REFERRED_IN_TIME = Rule(
    "referred_in_time", Authority.PLATFORM_DEFAULT,
    "期限内未经约谈即移送的，以移送人写明的拒不整改情形为据",
    "referred though nothing is overdue and nobody was summoned: on the refusal that whoever refers puts down, by no clause",
)  # fmt: skip
MEASURES_ENDED = Rule(
    "measures_ended_before_closing", Authority.PLATFORM_DEFAULT,
    "管控措施解除后方可销号", "a hazard is closed when its measures (evacuation, sealing, power cut) have ended",
)  # fmt: skip
OWN_RULES = (SIGNED_BY_PERSON, REFERRED_IN_TIME, MEASURES_ENDED)
"""All of them, as the documentation shows them."""
ALARM_SINCE_CLAIM = Rule(
    "alarm_since_claim", Authority.PLATFORM_DEFAULT,
    "申请验收后本区域又出现同类报警的，标记该隐患并告知验收方",
    "an alarm of the kind after the claim marks the hazard, and those who accept are told",
)  # fmt: skip
RECURRENCE_BY_ALARM = Rule(
    "recurrence_by_alarm", Authority.PLATFORM_DEFAULT,
    "销号后规定时间内再次出现同类且较可信的报警，自动重新打开；更晚的，在重复期限内拟定为重复隐患",
    "after closing, an alarm of the kind that is more than one camera's word reopens the hazard within the time set; later, within the "
    "window of repeats, a repeat is proposed",
)  # fmt: skip
_LATER_RULES = {rule.id: rule for rule in (ALARM_SINCE_CLAIM, RECURRENCE_BY_ALARM)}
_LATER_EVENTS = {Event.ALARM_SINCE_CLAIM: ALARM_SINCE_CLAIM.id}


def brought_up(policy: Policy) -> Policy:
    """``policy`` with what the program asks of packs since it was written: what it says itself stands, the rest are platform defaults."""
    rules = {name: rule for name, rule in _LATER_RULES.items() if name not in policy.rules}
    events = {event: rule for event, rule in _LATER_EVENTS.items() if event not in policy.events}
    return structs.replace(policy, rules=dict(policy.rules) | rules, events=dict(policy.events) | events)
