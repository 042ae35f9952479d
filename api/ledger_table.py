"""The ledger as a table for people: which columns, what stands in them, their headings. Times are in the site's zone.

What must not go in: files (``api/ledger_files.py``), SQL, HTTP.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from api.models import Text
from api.present_hazards import HazardPresenter
from hazards.ledger.hazard import Hazard, message_of

Language = Literal["both", "zh", "en"]
Cell = str | int | datetime | None
"""``datetime`` without offset, in the site's zone: what a spreadsheet takes for a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``of`` gets the hazard and what every form of it shows; ``width`` in characters."""

    name: str
    width: int
    of: Callable[[Hazard, dict[str, Any]], Any]


COLUMNS: Sequence[Column] = (
    Column("id", 38, lambda h, f: h.id),
    Column("title", 30, lambda h, f: h.title),
    Column("kind", 18, lambda h, f: f["kind_name"]),
    Column("grade", 12, lambda h, f: f["grade_name"]),
    Column("confirmed", 10, lambda h, f: h.confirmed),
    Column("state", 16, lambda h, f: f["state_name"]),
    Column("overdue", 10, lambda h, f: f["overdue"]),
    Column("opened_at", 19, lambda h, f: f["opened_at"]),
    Column("due_at", 19, lambda h, f: f["due_at"]),
    Column("enterprise", 14, lambda h, f: h.enterprise),
    Column("enterprise_name", 20, lambda h, f: f["enterprise_name"]),
    Column("zone", 14, lambda h, f: h.zone),
    Column("zone_name", 20, lambda h, f: f["zone_name"]),
    Column("zone_grade", 10, lambda h, f: f["zone_grade"]),
    Column("origin", 18, lambda h, f: ("hazard.origin.", h.origin.value)),
    Column("proposed_by", 14, lambda h, f: h.proposed_by),
    Column("confirmed_by", 14, lambda h, f: h.confirmed_by),
    Column("confirmed_at", 19, lambda h, f: h.confirmed_at),
    Column("plan_filed_at", 19, lambda h, f: h.plan.filed_at if h.plan else None),
    Column("measures", 10, lambda h, f: sum(measure.ended_at is None for measure in h.measures)),
    Column("claimed_by", 14, lambda h, f: h.claim.by if h.claim else None),
    Column("claimed_at", 19, lambda h, f: h.claim.at if h.claim else None),
    Column("accepted_by", 14, lambda h, f: h.accepted_by),
    Column("accepted_at", 19, lambda h, f: h.accepted_at),
    Column("closed_by", 14, lambda h, f: h.closed_by),
    Column("closed_at", 19, lambda h, f: h.closed_at),
    Column("last_event", 18, lambda h, f: f["event_name"]),
    Column("updated_at", 19, lambda h, f: f["updated_at"]),
    Column("description", 40, lambda h, f: h.description),
    Column("incident", 38, lambda h, f: h.incident),
    Column("policy", 14, lambda h, f: h.policy),
    Column("version", 8, lambda h, f: h.version),
    Column("synthetic", 10, lambda h, f: h.synthetic),
)


class LedgerTable:
    """Rows by one presenter, so by one site, one pack and one moment."""

    def __init__(self, presenter: HazardPresenter, language: Language = "both") -> None:
        self._presenter, self._language = presenter, language
        self._yes, self._no = (self._named(presenter.text(f"export.{word}")) for word in ("yes", "no"))

    def headings(self) -> list[str]:
        """One a column; times say their zone."""
        zone = self._presenter.presenter.time_zone_name
        return [
            self._named(self._presenter.text(f"export.column.{column.name}")) + (f" ({zone})" if column.name.endswith("_at") else "")
            for column in COLUMNS
        ]

    def row(self, hazard: Hazard) -> list[Cell]:
        """One cell a column."""
        fields = self._presenter.fields(message_of(hazard, {}))
        return [self._cell(column, column.of(hazard, fields)) for column in COLUMNS]

    def _cell(self, column: Column, value: Any) -> Cell:
        if isinstance(value, bool):
            return self._yes if value else self._no
        if isinstance(value, Text):
            return self._named(value)
        if isinstance(value, tuple):
            return self._named(self._presenter.text("".join(value)))
        if column.name.endswith("_at") and isinstance(value, int):
            value = self._presenter.time(value)
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)
        cell: Cell = value
        return cell

    def _named(self, text: Text) -> str:
        if self._language == "both":
            return text.zh if text.zh == text.en else f"{text.zh} {text.en}"
        return text.zh if self._language == "zh" else text.en
