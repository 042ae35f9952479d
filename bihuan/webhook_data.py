"""The ``data`` of webhooks: incidents, hazards and duties as the API shows them, so that a receiver reads one shape everywhere.

What must not go in: texts, HTTP, what is worth a push (``push/news.py``).
"""

import time
from typing import Any

from api.present import Presenter
from api.present_duties import DutyPresenter
from api.present_hazards import HazardPresenter
from api.words import Words
from hazards.messages import DutyMessage, IncidentMessage
from push.bodies import Present, Subject
from storage.hazard_facts import policy_of
from storage.site_store import Registry


def as_the_api_shows() -> Present:
    """Reads the catalogues: call it once, at the start."""
    words = Words.load()

    def present(registry: Registry, subject: Subject) -> dict[str, Any]:
        presenter = Presenter(registry, words, now=time.time_ns() // 1000)
        if isinstance(subject, IncidentMessage):
            return presenter.incident(subject).model_dump(mode="json")
        if isinstance(subject, DutyMessage):
            return DutyPresenter(presenter, policy_of(registry)).notice(subject).model_dump(mode="json")
        return HazardPresenter(presenter, policy_of(registry)).message(subject).model_dump(mode="json")

    return present
