"""The ``data`` of webhooks: incidents and hazards as the API shows them, so that a receiver reads one shape everywhere.

What must not go in: texts, HTTP, what is worth a push (``push/news.py``).
"""

import time
from typing import Any

from api.present import Presenter
from api.words import Words
from hazards.hazard_kinds import hazard_kind
from hazards.messages import HazardMessage, IncidentMessage
from push.bodies import Present, Subject
from storage.hazards import policy_of
from storage.site_store import Registry


def as_the_api_shows() -> Present:
    """Reads the catalogues: call it once, at the start."""
    words = Words.load()

    def present(registry: Registry, subject: Subject) -> dict[str, Any]:
        presenter = Presenter(registry, words, now=time.time_ns() // 1000)
        if isinstance(subject, IncidentMessage):
            return presenter.incident(subject).model_dump(mode="json")
        return _hazard(presenter, subject)

    return present


def _hazard(presenter: Presenter, hazard: HazardMessage) -> dict[str, Any]:
    zone, kind, grade = presenter.registry.zone(hazard.zone), hazard_kind(hazard.kind), policy_of(presenter.registry).grade(hazard.grade)
    owner = next((e.name for e in presenter.registry.site.enterprises if e.id == hazard.enterprise), None)
    return {
        "id": hazard.id, "zone": hazard.zone, "zone_name": zone.name if zone else hazard.zone, "enterprise": hazard.enterprise,
        "enterprise_name": owner, "kind": hazard.kind, "kind_name": {"zh": kind.chinese, "en": kind.english}, "grade": hazard.grade,
        "grade_name": {"zh": grade.zh, "en": grade.en} if grade else {"zh": hazard.grade, "en": hazard.grade},
        "confirmed": hazard.confirmed, "state": hazard.state, "event": hazard.event, "title": hazard.title, "basis": hazard.basis,
        "opened_at": presenter.time(hazard.opened_at).isoformat(), "updated_at": presenter.time(hazard.updated_at).isoformat(),
        "due_at": presenter.time(hazard.due_at).isoformat() if hazard.due_at else None, "version": hazard.version,
        "incident": hazard.incident, "synthetic": hazard.synthetic,
    }  # fmt: skip
