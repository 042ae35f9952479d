"""Words of the API that stand for words of the domain are all of them, and no others."""

from enum import StrEnum
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from api import delivery_models, gate_models, hazard_models, models, policy_models, site_models
from api.routes import hazards, incidents
from hazards.correlation import Modality
from hazards.ledger.gate import Question, Verdict, Why
from hazards.ledger.lifecycle import State
from hazards.ledger.marks import MARKS
from hazards.ledger.particulars import Stage
from hazards.ledger.policy import Counting
from hazards.ledger.sensor_evidence import Says
from hazards.messages import Action, Certainty, Clock, IncidentState
from hazards.zones import Grade
from storage import deliveries


def of(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation


SAME: list[tuple[Any, type[StrEnum]]] = [
    (of(hazard_models.Hazard, "state"), State), (hazards.State, State), (of(hazard_models.PaperShown, "stage"), Stage),
    (of(gate_models.Gate, "question"), Question), (of(gate_models.Gate, "verdict"), Verdict), (of(gate_models.GateEvidence, "why"), Why),
    (of(gate_models.GateSensor, "says"), Says), (of(policy_models.GradeChoice, "counting"), Counting),
    (of(models.Incident, "state"), IncidentState), (incidents.State, IncidentState), (of(models.Incident, "certainty"), Certainty),
    (of(models.Alarm, "action"), Action), (of(models.Alarm, "clock"), Clock), (of(site_models.Zone, "grade"), Grade),
    (delivery_models.State, deliveries.State),
]  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), SAME)
def test_a_word_of_the_domain_can_be_shown(said: Any, meant: type[StrEnum]) -> None:
    assert set(get_args(said)) == {member.value for member in meant}


def test_every_mark_can_be_asked_for() -> None:
    assert set(get_args(hazards.Mark)) == set(MARKS)


def test_every_source_is_shown_by_how_it_knows() -> None:
    shown = next(get_args(field.annotation) for m in vars(models).values() if isinstance(m, type) and issubclass(m, BaseModel)
                 for name, field in m.model_fields.items() if name == "modality")  # fmt: skip
    assert set(shown) == {member.value for member in Modality}
