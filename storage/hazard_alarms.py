"""Alarms against hazards (隐患) that were said to be rectified, in the merge transaction: a failure here never costs an alarm.

One that came since the claim marks the hazard; after the closing it opens it again, or a repeat is put down: never two for one cause.
What must not go in: what an alarm does (``hazards/ledger/alarms.py``), commands of people, what rules propose by severity.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import InterfaceError, OperationalError

from hazards.correlation import modality_of
from hazards.errors import Unavailable
from hazards.flood import GROUP as FLOOD
from hazards.identity import hazard_of_incident
from hazards.ledger.alarms import Heard, mark_claimed, reopen, repeats_by_alarm
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.hazard import PLATFORM, Hazard
from hazards.ledger.lifecycle import State
from hazards.ledger.policy import ProposalRule
from hazards.messages import UNASSIGNED, Certainty, IncidentMessage
from hazards.scope import EVERYTHING
from hazards.weight import OpenHazard
from hazards.zone_state import Sounded
from storage import schema
from storage.bulk import insert_rows
from storage.hazard_facts import facts_of, policy_of
from storage.hazard_links import open_hazard_of
from storage.hazard_proposals import put_down_by_rule
from storage.hazard_writing import apply_decision, locked_hazard
from storage.site_store import Registry
from storage.zone_hazards import Meant, closed_kinds, is_spoken_of, is_waiting, kind_rows, unmarked, window

log = structlog.get_logger(__name__)
_h = schema.hazards.c


def heard_of(registry: Registry, sounded: Iterable[Sounded], incidents: Mapping[str, IncidentMessage]) -> dict[str, list[Heard]]:
    """By incident the alarms that began to call people, as the incidents stand after the transaction; of a registered zone only."""
    found: dict[str, dict[tuple[str, str], Heard]] = {}
    for each in sounded:
        incident = incidents.get(each.incident)
        if incident is not None and incident.zone != UNASSIGNED and not incident.quiet:
            found.setdefault(incident.id, {})[each.device, each.kind] = _heard(registry, incident, each.device, each.kind, each.at)
    return {incident: list(alarms.values()) for incident, alarms in found.items()}


def hear(
    connection: Connection, registry: Registry, heard: Mapping[str, Sequence[Heard]], incidents: Mapping[str, IncidentMessage],
    watched: Callable[[str], Sequence[OpenHazard]], *, now: int,
) -> None:  # fmt: skip
    """Let hazards know of what was ``heard`` by incident. ``watched``: of a zone what ``open_hazards`` found. For the merge transaction."""
    if registry.policy is None or not heard:
        return
    work = _Hearing(connection, registry, now)
    work.safely("", partial(work.look, heard, incidents, watched))
    work.run()


def _heard(registry: Registry, incident: IncidentMessage, device: str, kind: str, at: int) -> Heard:
    known = registry.device(device)
    return Heard(incident=incident.id, device=device, kind=kind, at=at, severity=incident.severity, certainty=incident.certainty.value,
                 modality=modality_of(kind, known.type if known else None), synthetic=registry.is_synthetic(device))  # fmt: skip


def _all_of(registry: Registry, incident: IncidentMessage, alarms: Sequence[Heard]) -> list[Heard]:
    """``alarms`` and, once sources agree, what else bore the incident out: the first of them may have been one camera's alone."""
    if incident.certainty is Certainty.POSSIBLE:
        return list(alarms)
    others = [_heard(registry, incident, s["device"], s["kind"], s["at"]) for s in incident.corroboration.get("sources") or ()]
    return [*alarms, *(o for o in others if all((o.device, o.kind) != (a.device, a.kind) for a in alarms))]


class _Hearing:
    """What one transaction does: hazards to mark, kinds of closed hazards to bring back."""

    def __init__(self, connection: Connection, registry: Registry, now: int) -> None:
        self.connection, self.registry, self.now = connection, registry, now
        self.packs = kind_rows(registry)
        self.to_mark: dict[tuple[str, str], Sequence[Heard]] = {}
        self.to_bring_back: list[tuple[IncidentMessage, list[Heard], list[str]]] = []

    def look(
        self, heard: Mapping[str, Sequence[Heard]], incidents: Mapping[str, IncidentMessage], watched: Callable[[str], Sequence[OpenHazard]]
    ) -> None:  # fmt: skip
        """See which hazards are meant."""
        sure, meant = dict[str, list[Heard]](), dict[Meant, list[Heard]]()
        for incident, alarms in heard.items():
            zone = incidents[incident].zone
            for hazard in filter(is_waiting, watched(zone)):
                if speaking := self.speaking(alarms, hazard.kind, synthetic=hazard.synthetic):
                    meant[Meant(incident, zone, hazard.kind, hazard.state)] = speaking
            if enough := [each for each in _all_of(self.registry, incidents[incident], alarms) if each.borne_out]:
                sure[incident] = enough
        self.to_mark = {(hazard, each.incident): meant[each] for hazard, each in unmarked(self.connection, list(meant))}
        zones = {incidents[incident].zone for incident in sure}
        closed = closed_kinds(self.connection, self.registry, zones, now=self.now) if sure else {}
        for incident, alarms in sure.items():
            there = closed.get(incidents[incident].zone, ())
            if kinds := [c.kind for c in there if self.speaking(alarms, c.kind, synthetic=c.synthetic)]:
                self.to_bring_back.append((incidents[incident], alarms, kinds))

    def speaking(self, alarms: Sequence[Heard], kind: str, *, synthetic: bool) -> list[Heard]:
        """Those of ``alarms`` that speak of hazards of ``kind``."""
        return [a for a in alarms if a.synthetic == synthetic and is_spoken_of(kind, [a.kind], self.packs)]

    def run(self) -> None:
        """Each in a savepoint of its own, hazards in the order of their ids, as everybody locks them."""
        for (hazard, incident), alarms in sorted(self.to_mark.items()):
            self.safely(hazard, partial(self._mark, hazard, incident, alarms))
        for told, alarms, kinds in self.to_bring_back:
            self.safely(told.id, partial(self._bring_back, told, alarms, kinds))

    def safely(self, subject: str, work: Callable[[], None]) -> None:
        """In a savepoint: what goes wrong is the ledger's trouble."""
        try:
            with self.connection.begin_nested():
                work()
        except (OperationalError, InterfaceError, Unavailable):
            raise  # SQL is away: all of it is tried again
        except Exception:
            log.exception("an alarm could not be put down with a hazard", subject=subject)

    def _mark(self, hazard_id: str, incident: str, alarms: Sequence[Heard]) -> None:
        hazard = locked_hazard(self.connection, hazard_id, EVERYTHING)
        if hazard is None:
            return
        if hazard.state is State.CLOSED:  # somebody was faster than the alarm
            self._reopen(hazard, alarms)
            return
        facts = self._facts(hazard)
        decision = next((d for a in alarms if (d := mark_claimed(hazard, a, now=self.now, facts=facts)) is not None), None)
        self._apply(decision, incident, "hazard_marked")

    def _bring_back(self, incident: IncidentMessage, alarms: Sequence[Heard], kinds: Sequence[str]) -> None:
        """Open the newest of the closed ones again, or put a repeat down, unless an open hazard stands for the cause already."""
        if open_hazard_of(self.connection, incident.id) is not None or self._is_known(incident, alarms):
            return
        closed = self._newest_closed(incident, kinds)
        if closed is None or self._reopen(closed, alarms):
            return
        by = repeats_by_alarm(closed, alarms, facts=self._facts(closed))
        if by is not None and incident.family != FLOOD and not self._exists(hazard_of_incident(incident.id)):
            self._propose_repeat(incident, closed)

    def _reopen(self, hazard: Hazard, alarms: Sequence[Heard]) -> bool:
        decision = reopen(hazard, alarms, now=self.now, facts=self._facts(hazard))
        self._apply(decision, alarms[0].incident, "hazard_reopened")
        return decision is not None

    def _propose_repeat(self, incident: IncidentMessage, closed: Hazard) -> None:
        policy = policy_of(self.registry)
        rule = ProposalRule(incident.severity, incident.certainty.value, policy.grade_or_gravest(closed.grade).name, policy.recurrence.rule)
        made = put_down_by_rule(self.connection, self.registry, incident, rule, kind=closed.kind, now=self.now)
        if made is not None:
            self._tell_incident(incident.id, "hazard_proposed", made.id)

    def _apply(self, decision: Decision | None, incident: str, event: str) -> None:
        if decision is not None:
            apply_decision(self.connection, decision, PLATFORM, now=self.now)
            self._tell_incident(incident, event, decision.hazard.id)

    def _tell_incident(self, incident: str, event: str, hazard: str) -> None:
        """A line of the incident's own timeline."""
        body = msgspec.json.encode({"hazard": hazard}).decode()
        insert_rows(self.connection, schema.incident_events,
                    [{"incident": incident, "at": self.now, "actor": PLATFORM.id, "event": event, "body": body}])  # fmt: skip

    def _facts(self, hazard: Hazard) -> Facts:
        return facts_of(self.connection, self.registry, hazard)

    def _is_known(self, incident: IncidentMessage, alarms: Sequence[Heard]) -> bool:
        """Whether an open hazard of the zone is one that these alarms speak of: it stands for them."""
        here = select(_h.kind).where(_h.zone == incident.zone, _h.first_due.is_not(None), _h.synthetic.is_(alarms[0].synthetic))
        return any(is_spoken_of(kind, [a.kind for a in alarms], self.packs) for kind in self.connection.scalars(here.distinct()))

    def _newest_closed(self, incident: IncidentMessage, kinds: Sequence[str]) -> Hazard | None:
        since = self.now - window(self.registry)
        query: Any = select(_h.id).where(_h.zone == incident.zone, _h.closed_at >= since, _h.kind.in_(kinds))
        query = query.where(_h.synthetic.is_(incident.synthetic), _h.state == State.CLOSED.value)
        found = self.connection.scalars(query.order_by(_h.closed_at.desc(), _h.id).limit(1)).first()
        return locked_hazard(self.connection, found, EVERYTHING) if found is not None else None

    def _exists(self, hazard_id: str) -> bool:
        return self.connection.execute(select(_h.id).where(_h.id == hazard_id)).first() is not None

