"""What an incident shows of hazards (隐患), and a hazard of incidents. What must not go in: SQL, decisions, HTTP."""

from typing import TYPE_CHECKING

from api import models
from hazards.ledger.kinds import hazard_kind
from hazards.messages import HazardLink

if TYPE_CHECKING:
    from api.present import Presenter


def hazard_link(link: HazardLink, presenter: "Presenter") -> models.IncidentHazard:
    """An open hazard of an incident's zone, in the words of the pack in force."""
    policy = presenter.registry.policy
    kind = hazard_kind(link.kind, policy.kinds if policy is not None else ())
    grade = policy.grade(link.grade) if policy is not None else None
    return models.IncidentHazard(
        id=link.id, kind=link.kind, kind_name=models.Text(zh=kind.chinese, en=kind.english), grade=link.grade,
        grade_name=models.Text(zh=grade.zh, en=grade.en) if grade else models.Text(zh=link.grade, en=link.grade), confirmed=link.confirmed,
        state=link.state, state_name=presenter.text(f"hazard.state.{link.state}"), title=link.title,
        due_at=presenter.time_or_none(link.due_at), overdue=link.overdue, same=link.same,
    )  # fmt: skip
