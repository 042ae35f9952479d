"""Rules of the program itself: no pack can say otherwise, and every hazard is under them whatever version it was opened under.

They name themselves platform defaults, since no document says them. What must not go in: what a city may choose (its policy pack).
"""

from hazards.ledger.policy import Authority, Rule

DECIDED_BY_PERSON = Rule(
    "decided_by_person", Authority.PLATFORM_DEFAULT,
    "决定和签署由本人登录后作出；设备令牌只登记隐患、管控措施和备注",
    "who decides or signs is a person who has signed in; a machine's token puts hazards, measures and notes down, nothing else",
)  # fmt: skip
OWN_RULES = (DECIDED_BY_PERSON,)
"""All of them, as the documentation shows them."""
