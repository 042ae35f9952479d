"""What is worth a push, as a table."""

import msgspec
import pytest

from hazards.messages import Certainty, HazardMessage, IncidentMessage, IncidentState
from push.news import Told, hazard_news, hazard_urgency, incident_news, told_of

P, A, C, Z = IncidentState
POSSIBLE, LIKELY, OBSERVED = Certainty
STANDING = Told(severity=2, certainty=POSSIBLE, acknowledged=False, closed=False)
SEEN = msgspec.structs.replace(STANDING, acknowledged=True)
OVER = msgspec.structs.replace(STANDING, closed=True)


def incident(
    state: IncidentState = A, severity: int = 2, certainty: Certainty = POSSIBLE, acknowledged: int | None = None
) -> IncidentMessage:
    return IncidentMessage(
        id="i", zone="z", family="fire", kinds=["flame"], devices=["D"], state=state, severity=severity, opened_at=1, updated_at=1,
        version=1, alarm_count=1, reason="opened", certainty=certainty, acknowledged_severity=acknowledged,
    )  # fmt: skip


CASES = {
    # what the endpoint knows, the incident now, the outbox' word, ever annunciated -> the type
    "the beginning": (None, incident(), "opened", True, "incident.opened"),
    "within the on-delay": (None, incident(P), "updated", False, None),
    "it was only transient": (None, incident(C), "updated", False, None),
    "an end without a beginning": (None, incident(Z), "closed", False, None),
    "began and cleared in one transaction": (None, incident(C), "opened", True, "incident.opened"),
    "began and ended in one transaction": (None, incident(Z), "closed", True, "incident.closed"),
    "an endpoint that is new hears of what stands": (None, incident(), "updated", True, "incident.opened"),
    "another alarm of the same": (STANDING, incident(), "updated", True, None),
    "graver": (STANDING, incident(severity=1), "updated", True, "incident.severity_raised"),
    "graver and surer is one push": (STANDING, incident(severity=1, certainty=OBSERVED), "updated", True, "incident.severity_raised"),
    "surer": (STANDING, incident(certainty=LIKELY), "updated", True, "incident.certainty_raised"),
    "never less sure": (msgspec.structs.replace(STANDING, certainty=OBSERVED), incident(certainty=LIKELY), "updated", True, None),
    "less grave": (STANDING, incident(severity=3), "updated", True, None),
    "cleared": (STANDING, incident(C), "updated", True, None),
    "acknowledged": (STANDING, incident(acknowledged=2), "acknowledged", True, "incident.acknowledged"),
    "acknowledged already": (SEEN, incident(acknowledged=2), "commented", True, None),
    "graver after it was acknowledged": (SEEN, incident(severity=1, acknowledged=2), "updated", True, "incident.severity_raised"),
    "closed": (STANDING, incident(Z), "closed", True, "incident.closed"),
    "closed and surer is one push": (STANDING, incident(Z, certainty=OBSERVED), "closed", True, "incident.closed"),
    "a comment after the end": (OVER, incident(Z), "commented", True, None),
}


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_news_of_an_incident(name: str) -> None:
    told, now, event, annunciated, expected = CASES[name]
    assert incident_news(told, now, event, annunciated=annunciated) == expected


def test_after_being_told_the_same_is_no_news() -> None:
    for _, now, event, _, expected in CASES.values():
        if expected is not None:
            assert incident_news(told_of(now), now, event, annunciated=True) is None


@pytest.mark.parametrize(
    ("event", "grade", "news", "urgency"),
    [("confirmed", "major", "hazard.confirmed", 1), ("claimed", "serious", "hazard.claimed", 2), ("closed", "general", "hazard.closed", 3),
     ("commented", "major", None, 1), ("confirmed", "四级", "hazard.confirmed", 2)],
)  # fmt: skip
def test_what_is_news_of_a_hazard(event: str, grade: str, news: str | None, urgency: int) -> None:
    hazard = HazardMessage(id="h", zone="z", enterprise=None, kind="flame", grade=grade, confirmed=True, state="confirmed", event=event,
                           title="", opened_at=1, updated_at=1, version=1, actor="wang")  # fmt: skip
    assert (hazard_news(hazard), hazard_urgency(hazard)) == (news, urgency)
