"""Alarm-quality figures from the domain to the bodies of answers. What must not go in: SQL, HTTP, arithmetic on figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from api import quality_models as models
from api.present import Presenter
from hazards.alarm_floods import Flood
from hazards.alarm_quality import Actor, Load, Quality
from hazards.alarm_targets import Figure, Target, Verdict
from hazards.scope import Scope
from hazards.zones import Position


@dataclass(frozen=True, slots=True)
class Found:
    """What one answer shows. ``beside``: each position with its own figures; ``rate_now``, ``flood_now``: None for a window of the past."""

    quality: Quality
    load: Load
    beside: Sequence[tuple[Position, Quality]]
    rate_now: float | None
    flood_now: bool


class QualityPresenter:
    """Turns figures into bodies, by one registry snapshot."""

    def __init__(self, presenter: Presenter, scope: Scope) -> None:
        self.presenter, self.scope = presenter, scope

    def body(self, found: Found, position: Position | None, *, synthetic: bool) -> models.AlarmQuality:
        """The whole answer."""
        q, time = found.quality, self.presenter.time
        now = None if found.rate_now is None else models.AlarmsNow(
            at=time(self.presenter.now), rate=found.rate_now, flood=found.flood_now
        )  # fmt: skip
        return models.AlarmQuality(
            start=time(q.start), end=time(q.end), position=position.id if position else None, seats=q.seats, synthetic=synthetic,
            counts=q.counts.tolist(), now=now, figures=[self.figure(f) for f in q.figures],
            floods=[self._flood(f, q.end) for f in q.floods],
            severities=[
                models.SeverityShare(severity=s, alarms=n, share=n / q.total if q.total else None) for s, n in q.severities.items()
            ],
            bad_actors=[self._actor(a, found.load) for a in found.load.worst],
            chattering=[self._actor(a, found.load) for a in found.load.fluttering],
            positions=[self._position(p, own) for p, own in found.beside],
        )  # fmt: skip

    def figure(self, figure: Figure) -> models.QualityFigure:
        """One figure with its target and verdict."""
        verdict = figure.verdict
        return models.QualityFigure(
            name=figure.name, label=self.presenter.text(f"quality.figure.{figure.name}"), value=figure.value, unit=figure.unit,
            target=self._target(figure.target) if figure.target else None, verdict=verdict.value if verdict else None,
            verdict_name=self.presenter.text(_word(figure.name, verdict)) if verdict else None,
        )  # fmt: skip

    def _target(self, target: Target) -> models.QualityTarget:
        return models.QualityTarget(
            good=target.good, manageable=target.manageable, at_least=target.at_least, strict=target.strict, basis=target.basis.value,
            basis_name=self.presenter.text(f"quality.basis.{target.basis.value}"), check=target.check,
            second=target.second.value if target.second else None,
        )  # fmt: skip

    def _flood(self, flood: Flood, end: int) -> models.AlarmFlood:
        time = self.presenter.time
        return models.AlarmFlood(
            start=time(flood.start), end=None if flood.end is None else time(flood.end), seconds=((flood.end or end) - flood.start) / 1e6,
            peak=flood.peak, alarms=flood.alarms,
        )  # fmt: skip

    def _actor(self, actor: Actor, load: Load) -> models.BadActor:
        zone, kind = self.presenter.registry.zone_of(actor.device), self.presenter.kind(actor.kind)
        known = self.presenter.registry.zone(zone)
        return models.BadActor(
            device=actor.device, zone=zone, zone_name=known.name if known else "", kind=actor.kind, kind_name=kind.name, family=kind.family,
            alarms=actor.alarms, share=actor.alarms / load.alarms, chatters=actor.chatters,
        )  # fmt: skip

    def _position(self, position: Position, own: Quality) -> models.OperatingPosition:
        by_name = {f.name: self.figure(f) for f in own.figures if f.name in ("rate_average", "rate_maximum", "flood_share")}
        registry = self.presenter.registry
        seen = [zone for zone in position.zones if self.scope.sees(zone, registry.enterprise_of(zone))]
        return models.OperatingPosition(
            id=position.id, name=position.name, zones=seen, seats=position.seats, rate=by_name["rate_average"],
            maximum=by_name["rate_maximum"], flood=by_name["flood_share"],
        )  # fmt: skip


def _word(figure: str, verdict: Verdict) -> str:
    """The key of a verdict's word: only rates and floods overload somebody, other figures miss their target."""
    is_load = figure.startswith(("rate_", "per_day", "share_above_", "flood_"))
    return f"quality.verdict.{verdict.value}" if is_load or verdict is not Verdict.OVERLOADED else "quality.verdict.off_target"
