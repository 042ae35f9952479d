"""Alarm rules from the domain to the bodies of answers: names, one sentence of what a rule means, where it holds, its response sheet.

What must not go in: SQL, HTTP, deciding.
"""

from collections.abc import Callable

from api import rule_models as models
from api.models import Response, Text
from api.present import Presenter
from api.principals import Principal
from api.roles import RULE_MAKERS
from api.struct_models import shown
from hazards.kind_sheets import ON_SITE
from hazards.kinds import graveness, kind_of
from hazards.ledger.policy import Policy
from hazards.messages import IncidentMessage, Signal
from hazards.metrics import METRICS, metric_of
from hazards.response_sheets import sheet_of
from hazards.rule_reach import as_seen, holds_in, judged_by, may_be_changed
from hazards.rule_resolution import STOPPED
from hazards.rules import AlarmRule, Comparison, Override, ResponseSheet, Words, kind_of_alarm
from hazards.scope import Scope
from storage.alarm_rules import CONSOLE, RuleVersion

_TIMES = (("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000))
_NAMED_PLACES = 3


class RulePresenter:
    """Turns alarm rules into bodies, by one registry snapshot and the pack in force."""

    def __init__(self, presenter: Presenter, policy: Policy) -> None:
        self.presenter, self.policy, self.zones = presenter, policy, presenter.registry.zones

    def row(self, version: RuleVersion, scope: Scope) -> models.RuleRow:
        """A rule in the list, as far as ``scope`` sees it."""
        rule, kind = as_seen(version.rule, self.zones.values(), scope), kind_of_alarm(version.rule)
        text = self.presenter.text
        return models.RuleRow(
            id=rule.id, name=_text(rule.name), metric=rule.metric, metric_name=self.metric(rule.metric), compares=rule.compares.value,
            compares_name=text(f"rule.compares.{rule.compares.value}"), kind=kind, kind_name=self.presenter.kind(kind).name,
            severity=severity_of(rule), limit=rule.limit, unit=unit_of(rule), enabled=rule.enabled, withdrawn=version.withdrawn,
            source=version.source, source_name=text(f"rule.source.{version.source}"), basis=rule.basis,
            basis_name=text(f"basis.{rule.basis}"), version=version.number, changed_at=self.presenter.time(version.at),
            changed_by=version.actor, zones=rule.zones, grades=rule.grades, overrides=len(rule.overrides), meaning=self.meaning(rule),
        )  # fmt: skip

    def rule(self, version: RuleVersion, said: AlarmRule | None, asking: Principal) -> models.Rule:
        """A rule in full for who asks. ``said``: what the files say of it."""
        scope, zones = asking.scope, self.zones.values()
        rule, differs = as_seen(version.rule, zones, scope), version.withdrawn or version.rule != said
        may = asking.role in RULE_MAKERS and may_be_changed(version.rule, scope)
        return models.Rule(
            **dict(self.row(version, scope)), rule=self._body(rule), reason=version.reason, change=version.change.value,
            change_name=self.presenter.text(f"rule.change.{version.change.value}"), response=self.response(rule.response, rule),
            reach=self.reach(rule, scope), file=self._body(as_seen(said, zones, scope)) if said is not None and differs else None,
            may_change=may, may_withdraw=may and version.source == CONSOLE and not version.withdrawn,
        )  # fmt: skip

    def version(self, version: RuleVersion, scope: Scope) -> models.RuleVersion:
        """One version of a history."""
        return models.RuleVersion(
            version=version.number, rule=self._body(as_seen(version.rule, self.zones.values(), scope)), source=version.source,
            source_name=self.presenter.text(f"rule.source.{version.source}"), change=version.change.value,
            change_name=self.presenter.text(f"rule.change.{version.change.value}"), withdrawn=version.withdrawn, reason=version.reason,
            restored=version.details.get("restored"), replaces=version.details.get("replaces"), at=self.presenter.time(version.at),
            by=version.actor,
        )  # fmt: skip

    def check(self, rule: AlarmRule, scope: Scope) -> models.RuleCheck:
        """What ``rule`` would be."""
        kind, reach = kind_of_alarm(rule), self.reach(rule, scope)
        return models.RuleCheck(
            meaning=self.meaning(rule), kind=kind, kind_name=self.presenter.kind(kind).name, severity=severity_of(rule), reach=reach,
            sensors=sum(len(each.sensors) for each in reach if each.enabled),
        )  # fmt: skip

    def reach(self, rule: AlarmRule, scope: Scope) -> list[models.Reach]:
        """The zones for which ``rule`` is, as far as ``scope`` sees them, those with sensors that it judges first. O(devices)."""
        registry, presenter = self.presenter.registry, self.presenter
        judged, others = judged_by(rule, registry.rules.values(), registry, now=presenter.now, time_zone=presenter.zone)
        found = []
        for zone in self.zones.values():
            if not holds_in(rule, zone) or not scope.sees(zone.id, zone.enterprise):
                continue
            own = rule.overrides.get(zone.id) or Override()
            found.append(models.Reach(
                zone=zone.id, zone_name=zone.name, grade=zone.grade.value, limit=rule.limit if own.limit is None else own.limit,
                enabled=rule.enabled if own.enabled is None else own.enabled, sensors=sorted(judged.get(zone.id, ())),
                others=sorted(others.get(zone.id, ())),
            ))  # fmt: skip
        return sorted(found, key=lambda each: (not each.sensors, not each.others))

    def response(self, sheet: ResponseSheet, rule: AlarmRule | None, kind: str = "") -> Response:
        """A response sheet. ``rule`` None: that for alarms of ``kind``."""
        return Response(
            rule=rule.id if rule else None, rule_name=_text(rule.name) if rule else None, kind=kind_of_alarm(rule) if rule else kind,
            cause=_text(sheet.cause), consequence=_text(sheet.consequence), action=_text(sheet.action),
            within_seconds=sheet.within // 1_000_000, within=self._both(lambda language: self._time(language, sheet.within)),
            call=[self._whom(each) for each in sheet.call],
        )  # fmt: skip

    def response_to(self, incident: IncidentMessage, gravest: Signal | None) -> Response:
        """What to do about ``incident``: by the rule that raised ``gravest``, its gravest alarm; without one by that alarm's kind."""
        rules = self.presenter.registry.rules
        if gravest is not None and (rule := rules.get(str(gravest.details.get("rule_id")))) is not None:
            return self.response(rule.response, rule)
        kind = gravest.kind if gravest is not None else min(incident.kinds, key=lambda name: kind_of(name).severity)
        return self.response(sheet_of(kind, rules.values()), None, kind)

    def metric(self, name: str) -> Text:
        """A metric by its names."""
        metric = metric_of(name)
        return Text(zh=metric.chinese, en=metric.english)

    def metrics(self) -> list[models.MetricChoice]:
        """Every metric of the platform."""
        return [models.MetricChoice(metric=name, name=self.metric(name), unit=row.unit) for name, row in METRICS.items()]

    def meaning(self, rule: AlarmRule) -> Text:
        """One sentence: where, when, how grave, when it ends, what else holds."""
        return self._both(lambda language: self._sentence(rule, language))

    # --- the sentence ---
    def _sentence(self, rule: AlarmRule, language: str) -> str:
        name = kind_of_alarm(rule)
        kind = self.presenter.kind_name(name) if kind_of(name).known else _text(rule.name)
        delay = self._said(language, "delay", time=self._time(language, rule.on_delay)) if rule.on_delay else ""
        said = self._said(
            language, "says", place=self._place(rule, language), when=self._when(rule, language), delay=delay, severity=severity_of(rule),
            kind=getattr(kind, language),
        )  # fmt: skip
        return self._said(language, "and").join([said, *self._more(rule, language)]) + self._said(language, "stop")

    def _when(self, rule: AlarmRule, language: str) -> str:
        metric, limit = metric_of(rule.metric), rule.limit or 0.0
        return self._said(
            language, f"when.{rule.compares.value}", what=metric.chinese if language == "zh" else metric.english,
            limit=self._number(limit, rule, language), reference=self._number(rule.reference or 0.0, rule, language),
            time=self._time(language, round(limit * 1_000_000)) if rule.compares is Comparison.STALE else "",
        )  # fmt: skip

    def _more(self, rule: AlarmRule, language: str) -> list[str]:
        told = []
        if rule.deadband:
            told.append(self._said(language, "deadband", n=self._number(rule.deadband, rule, language)))
        if rule.off_delay:
            told.append(self._said(language, "off_delay", time=self._time(language, rule.off_delay)))
        if rule.latching:
            told.append(self._said(language, "latching"))
        if rule.schedule:
            told.append(self._said(language, "scheduled"))
        if during := rule.during or (STOPPED if rule.compares is Comparison.CONSUMPTION else ()):
            names = [self.presenter.words.one(language, f"rule.during.{each.value}") for each in during]
            told.append(self._said(language, "during", what=self._said(language, "or").join(names)))
        if rule.key_period_limit is not None:
            told.append(self._said(language, "key_period", n=self._number(rule.key_period_limit, rule, language)))
        if rule.overrides:
            told.append(self._said(language, "overrides", n=len(rule.overrides)))
        if not rule.enabled:
            told.append(self._said(language, "off"))
        return told

    def _place(self, rule: AlarmRule, language: str) -> str:
        named = [self.zones[zone].name if zone in self.zones else zone for zone in rule.zones]
        grades = [self.presenter.words.one(language, f"grade.letter.{grade}") for grade in rule.grades]
        comma = self._said(language, "comma")
        if len(named) > _NAMED_PLACES:
            named = [comma.join(named[:_NAMED_PLACES]) + self._said(language, "and_others", n=len(named))]
        if named:
            return comma.join(named)
        return self._said(language, "of_grades", grades=comma.join(grades)) if grades else self._said(language, "everywhere")

    def _said(self, language: str, key: str, **parameters: object) -> str:
        return self.presenter.words.one(language, f"rule.say.{key}", parameters)

    def _time(self, language: str, microseconds: int) -> str:
        unit, size = next(((u, s) for u, s in _TIMES if microseconds >= s and microseconds % s == 0), ("s", 1_000_000))
        return self._said(language, f"time.{unit}", n=f"{microseconds / size:.10g}")

    def _number(self, value: float, rule: AlarmRule, language: str) -> str:
        unit = "" if rule.compares is Comparison.STATE else unit_of(rule)
        known = self.presenter.words.catalogues[language].get(f"unit.{unit}", unit)
        return f"{value:.10g} {known}".rstrip()

    def _both(self, made: Callable[[str], str]) -> Text:
        return Text(zh=made("zh"), en=made("en"))

    def _whom(self, name: str) -> Text:
        post = self.policy.post(name)
        return Text(zh=post.zh, en=post.en) if post else Text(zh=name, en=ON_SITE.get(name, name))

    def _body(self, rule: AlarmRule) -> models.RuleBody:
        return shown(rule, self.presenter.time)


def severity_of(rule: AlarmRule) -> int:
    """Its own, else that of the kind of alarm it raises."""
    return graveness(kind_of_alarm(rule), rule.severity)


def unit_of(rule: AlarmRule) -> str:
    """In which its limits and its deadband are; of a meter that counts up, consumption is per hour."""
    metric = metric_of(rule.metric)
    hourly = "/h" if rule.compares is Comparison.CONSUMPTION and metric.counts_up else ""
    return "s" if rule.compares is Comparison.STALE else (rule.unit or metric.unit) + hourly


def _text(words: Words) -> Text:
    return Text(zh=words.zh, en=words.en or words.zh)
