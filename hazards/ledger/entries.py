"""Checks of what people enter: texts, pieces of evidence, grades. Each error points at its field.

What must not go in: states, roles, rules of the pack.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from hazards.errors import BadInput
from hazards.ledger.particulars import Paper
from hazards.ledger.policy import GradeRule, Policy

LONGEST_TEXT, LONGEST_REASON, LONGEST_TITLE, MOST_PAPERS = 4000, 1000, 200, 40
AHEAD = 5 * 60 * 1_000_000
"""How far a time that people enter may lie ahead of ours, µs: clocks differ."""


def check_text(text: str, where: str, *, needed: bool = True, longest: int = LONGEST_TEXT) -> None:
    """Raises BadInput for a text that is too long or, where ``needed``, blank."""
    if (needed and not text.strip()) or len(text) > longest:
        raise BadInput(f"{'1' if needed else '0'} to {longest} characters belong here", where=where)


def check_command(command: Struct) -> None:
    """Raises BadInput for a command whose fields are not as their types say (``hazards/ledger/commands.py``)."""
    try:
        msgspec.convert(msgspec.to_builtins(command), type(command))
    except msgspec.ValidationError as e:
        what, _, path = str(e).partition(" - at `$")
        raise BadInput(what, where=re.sub(r"[.\[]+", "/", path.rstrip("`").replace("]", ""))) from e


def check_papers(given: list[Paper], *, now: int) -> None:
    """Raises BadInput for a piece of evidence without file or document, without a place, or from the future."""
    if len(given) > MOST_PAPERS:
        raise BadInput(f"at most {MOST_PAPERS} pieces of evidence", where="/evidence")
    for n, paper in enumerate(given):
        where = f"/evidence/{n}"
        if not paper.sha256 and not paper.document.strip():
            raise BadInput("a piece of evidence is a file (sha256) or names a document", where=f"{where}/document")
        check_text(paper.place, f"{where}/place", longest=LONGEST_TITLE)
        check_text(paper.document, f"{where}/document", needed=False, longest=LONGEST_TITLE)
        check_text(paper.note, f"{where}/note", needed=False, longest=LONGEST_REASON)
        if not 0 < paper.taken_at <= now + AHEAD:
            raise BadInput("evidence has the time at which it was taken, and that is not in the future", where=f"{where}/taken_at")


def grade_named(policy: Policy, name: str) -> GradeRule:
    """The grade of that name. Raises BadInput, naming those there are."""
    grade = policy.grade(name)
    if grade is None:
        raise BadInput(f"no grade {name[:64]!r}", where="/grade", hint=", ".join(g.name for g in policy.grades))
    return grade


def noted(note: str) -> dict[str, Any]:
    """``note`` for the record, if there is one."""
    return {"note": note} if note.strip() else {}


def entered(command: Struct) -> dict[str, Any]:
    """The fields of a command that say something, for the record."""
    return {k: v for k, v in msgspec.to_builtins(command).items() if k not in ("command", "version") and v not in ("", None)}
