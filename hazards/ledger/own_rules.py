"""Rules of the program itself: no pack can say otherwise, and every hazard is under them whatever version it was opened under.

They name themselves platform defaults, since no document says them. What must not go in: what a city may choose (its policy pack).
"""

from hazards.ledger.policy import Authority, Rule

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
