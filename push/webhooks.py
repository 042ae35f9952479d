"""The outbox' follower: events of incidents and hazards become deliveries, in the transaction that moves its cursor.

So an event makes its deliveries exactly once, whatever is killed. What must not go in: what is news (``push/news.py``), sending.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from bus.codecs import decode
from bus.topics import DUTIES, HAZARDS, INCIDENTS
from hazards.errors import BadInput
from hazards.identity import delivery_id
from hazards.messages import DutyMessage, HazardMessage, IncidentMessage, IncidentState
from push.bodies import Present, Subject, body_of, links
from push.endpoints import Endpoint
from push.news import Told, duty_news, duty_urgency, hazard_news, hazard_urgency, incident_news, told_of
from storage.dead_letters import dead_letter, keep_dead_letters
from storage.deliveries import TURNED_OFF, State, ever_annunciated, known_endpoints, put_deliveries, told_before
from storage.followers import Entry
from storage.site_store import Registry

log = structlog.get_logger("push")

NAME = "push"
PUSHED: dict[str, type[Subject]] = {INCIDENTS.name: IncidentMessage, HAZARDS.name: HazardMessage, DUTIES.name: DutyMessage}
TOPICS = tuple(PUSHED)
_told = msgspec.json.Decoder(Told)
_NOTHING = "{}"


class Webhooks:
    """Makes deliveries out of outbox rows. ``endpoints`` is asked at every call; ``base`` is for links."""

    def __init__(
        self, endpoints: Callable[[], Mapping[str, Endpoint]], present: Present, *, base: str, now: Callable[[], int]
    ) -> None:  # fmt: skip
        self._endpoints, self._present, self._base, self._now = endpoints, present, base.rstrip("/"), now

    def take(self, connection: Connection, entries: Sequence[Entry], registry: Registry) -> int:
        """Put what ``entries`` are worth into the deliveries; how many deliveries are new."""
        subjects = [(entry, subject) for entry in entries if (subject := self._read(connection, entry)) is not None]
        if not subjects or not self._endpoints():
            return 0
        told = {key: _told.decode(text) for key, text in self._known(connection, subjects).items() if text != _NOTHING}
        over = {s.id for _, s in subjects if isinstance(s, IncidentMessage) and s.state is IncidentState.CLOSED}
        annunciated = ever_annunciated(connection, over)
        off = {identity for identity, row in known_endpoints(connection).items() if row.turned_off}
        rows: list[dict[str, Any]] = []
        for entry, subject in subjects:
            rows += self._rows(entry, subject, registry, told, subject.id in annunciated, off)
        return put_deliveries(connection, rows)

    def _known(self, connection: Connection, subjects: Sequence[tuple[Entry, Subject]]) -> dict[tuple[str, str], str]:
        return told_before(connection, {s.id for _, s in subjects if isinstance(s, IncidentMessage)})

    def _read(self, connection: Connection, entry: Entry) -> Subject | None:
        """The message in ``entry``; what can't be read is kept with the reason and never stops the others."""
        try:
            return decode(PUSHED[entry.topic], entry.payload)
        except BadInput as e:
            log.error("an outbox row can't be pushed", position=entry.position, error=str(e))  # noqa: TRY400 (a line, not a trace)
            keep_dead_letters(connection, [dead_letter(entry.topic, entry.payload, f"not pushed: {e}")], now=self._now())
            return None

    def _rows(
        self, entry: Entry, subject: Subject, registry: Registry, told: dict[tuple[str, str], Told], annunciated: bool, off: set[str]
    ) -> list[dict[str, Any]]:
        rows, bodies = list[dict[str, Any]](), dict[str, bytes]()
        for endpoint in self._endpoints().values():
            if not endpoint.hears_of(subject.enterprise):
                continue
            key = (endpoint.id, subject.id)
            news = _news(entry, subject, told.get(key), annunciated)
            if news is None:
                continue
            if isinstance(subject, IncidentMessage):
                told[key] = told_of(subject)
            if news not in bodies:
                bodies[news] = self._body(news, entry, subject, registry)
            knows = msgspec.json.encode(told[key]).decode() if key in told else _NOTHING
            rows.append(_row(entry, endpoint, subject, news, bodies[news], knows, off=endpoint.id in off, now=self._now()))
        return rows

    def _body(self, news: str, entry: Entry, subject: Subject, registry: Registry) -> bytes:
        data = {**self._present(registry, subject), "links": links(subject, self._base)}
        return body_of(news, entry.created_at, data, registry)


def _news(entry: Entry, subject: Subject, told: Told | None, annunciated: bool) -> str | None:
    if isinstance(subject, HazardMessage):
        return hazard_news(subject)
    if isinstance(subject, DutyMessage):
        return duty_news(subject)
    return incident_news(told, subject, entry.event, annunciated=annunciated)


def _urgency(subject: Subject) -> int:
    if isinstance(subject, IncidentMessage):
        return subject.severity
    return duty_urgency(subject) if isinstance(subject, DutyMessage) else hazard_urgency(subject)


def _row(
    entry: Entry, endpoint: Endpoint, subject: Subject, news: str, body: bytes, knows: str, *, off: bool, now: int
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": delivery_id(endpoint.id, entry.position), "endpoint": endpoint.id, "enterprise": endpoint.enterprise,
        "position": entry.position, "subject": subject.id, "event": news,
        "severity": _urgency(subject), "body": body, "told": knows,
        "state": (State.CANCELLED if off else State.WAITING).value, "next_at": None if off else now, "created_at": now,
        "last_error": TURNED_OFF if off else endpoint.trouble or None,
    }  # fmt: skip
