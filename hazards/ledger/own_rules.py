"""Rules of the program itself: no pack can say otherwise, and every hazard is under them whatever version it was opened under.

They name themselves platform defaults, since no document says them. What must not go in: what a city may choose (its policy pack).
"""

from hazards.ledger.policy import Authority, Rule

DECIDED_BY_PERSON = Rule(
    "decided_by_person", Authority.PLATFORM_DEFAULT,
    "决定和签署由本人登录后作出；设备令牌只登记隐患、管控措施和备注",
    "who decides or signs is a person who has signed in; a machine's token puts hazards, measures and notes down, nothing else",
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
OWN_RULES = (DECIDED_BY_PERSON, REFERRED_IN_TIME, MEASURES_ENDED)
"""All of them, as the documentation shows them."""
