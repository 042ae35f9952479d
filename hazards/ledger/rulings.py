"""Refusals that name their rule: the same words in the answer, in the tests and on the screen.

They are leaves of the one error tree (``hazards/errors.py``); what is added is the rule and, from the evidence gate, its answer.
``ruling_shown``, ``gate_shown`` and ``changes_shown`` are those as an edge shows them, set there. What must not go in: decisions.
"""

from typing import Any

from hazards.errors import BadInput, Conflict, NotInState, NotPermitted
from hazards.ledger.gate import Answer
from hazards.ledger.policy import Rule
from hazards.ledger.record import Entry


class NotByRule(NotInState):
    """The state or a rule of the pack does not allow it. ``gate``: the evidence gate's answer where that refused."""

    ruling_shown: Any = None
    gate_shown: Any = None

    def __init__(self, what: str, ruling: Rule, *, where: str = "/command", hint: str = "", gate: Answer | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.ruling, self.rule, self.basis, self.gate = ruling, ruling.id, ruling.authority.value, gate


class NotForRole(NotPermitted):
    """A rule of the pack gives it to others."""

    ruling_shown: Any = None

    def __init__(self, what: str, ruling: Rule, *, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.ruling, self.rule, self.basis = ruling, ruling.id, ruling.authority.value


class ChangedSince(Conflict):
    """Somebody changed it first. ``changes``: what happened since the version that the person looked at."""

    changes_shown: Any = None

    def __init__(self, conflict: Conflict, changes: list[Entry]) -> None:
        super().__init__(conflict.what, where=conflict.where, hint=conflict.hint)
        self.changes = changes


class IncompleteByRule(BadInput):
    """Something that a rule of the pack asks for is missing."""

    ruling_shown: Any = None

    def __init__(self, what: str, ruling: Rule, *, where: str, hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.ruling, self.rule, self.basis = ruling, ruling.id, ruling.authority.value
