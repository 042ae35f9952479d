"""What a sound policy pack has to hold: each reference leads somewhere, and nobody says "clause" without a place.

Each problem is noted at the line of the value that causes it. What must not go in: reading YAML.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from yaml.nodes import Node

from api.roles import Role
from bihuan.policy_notes import Notes, walked
from bihuan.policy_sense import check_sense
from bihuan.rule_file import check_rules_at
from bihuan.yaml_lines import Problems
from hazards.ledger.clocks import CLOCKS, DUE, POINT_PATTERN, RECTIFY
from hazards.ledger.lifecycle import COMMANDS, Event
from hazards.ledger.policy import Authority, Policy, Standing

_POINT = re.compile(POINT_PATTERN)
NEEDED_COMMANDS = frozenset(COMMANDS) | {"propose"}
NEEDED_RULES = frozenset({
    "provisional_clock", "clock_start", "self_report", "criterion_for_major", "five_commitments", "plan_before_rectification",
    "plan_approval", "responsible_party", "second_person", "signature", "extension_in_time", "supervision",
    "supervision_when_overdue", "summons", "summons_scope", "lifted_before_closing", "duplicates", "evidence_gate",
    "evidence_instead", "waiver", "report_at_once", "double_report", "listing", "publication", "record",
})  # fmt: skip
"""Rules that the program itself refers to by name."""
_RULES = frozenset({"rule", "accepted_by_rule", "outside_rule", "cap_rule", "cause_rule"})
_POSTS = frozenset({"posts", "posts_outside_park", "tells", "post", "also"})
_ROLES = frozenset({"roles", "accepted_by", "responsible", "responsible_without_enterprise"})
_GRADES = frozenset({"grade", "grades", "grade_of_severity"})


def check_policy(policy: Policy, nodes: Mapping[str, Node], problems: Problems, *, today: date | None, known_years: range) -> None:
    """Note what is wrong with ``policy`` in ``problems``; ``nodes``: by place, as the reader left them."""
    _Checks(policy, nodes, problems).run(today, known_years)


class _Checks(Notes):
    def run(self, today: date | None, known_years: range) -> None:
        self._references()
        self._authority(today)
        self._whole()
        self._clocks()
        self._dates(today, known_years)
        self._alarm_rules()
        check_sense(self)

    def _references(self) -> None:
        posts, grades = {p.name for p in self.policy.posts}, {g.name for g in self.policy.grades}
        known = (
            (_RULES, set(self.policy.rules), "rule"), (_POSTS, posts, "post"), (_GRADES, grades, "grade"),
            (_ROLES, {role.value for role in Role}, "role"),
        )  # fmt: skip
        for where, name, value in walked(self.policy):
            for names, there, what in known:
                if isinstance(value, str) and name in names and value not in there:
                    self.error(where, f"there is no {what} {value!r}", f"known: {', '.join(sorted(there))}" if len(there) < 40 else "")

    def _authority(self, today: date | None) -> None:
        documents = {d.id: d for d in self.policy.documents}
        for rule in self.policy.rules.values():
            where, says = f"rules.{rule.id}", rule.authority in (Authority.CLAUSE, Authority.INTERPRETATION)
            if says and not rule.sources:
                self.error(where, f"a rule by {rule.authority.value} names its place", "sources: [\"001(15)\"]")
            if not says and rule.sources:
                self.error(where, f"a rule by {rule.authority.value} has no source: nobody says it")
            for source in rule.sources:
                if source.document not in documents:
                    self.error(f"{where}.sources", f"there is no document {source.document!r}", "add it under documents")
        for document in documents.values():
            if document.standing is Standing.DRAFT:
                self.warn(f"documents.{document.id}", "is a draft: its clauses bind nobody yet")
            over = document.until and today is not None and document.until < today.isoformat()[: len(document.until)]
            used = [rule.id for rule in self.policy.rules.values() if any(s.document == document.id for s in rule.sources)]
            if used and (document.standing is Standing.EXPIRED or over):
                rules = ", ".join(used[:5]) + (" …" if len(used) > 5 else "")
                self.warn(f"documents.{document.id}", "is no longer in force", f"are its clauses still meant? {rules}")

    def _whole(self) -> None:
        for missing in sorted(NEEDED_RULES - set(self.policy.rules)):
            self.error("rules", f"the rule {missing!r} is missing", "the program refers to it")
        for name in sorted(set(self.policy.commands) ^ NEEDED_COMMANDS):
            self.error("commands", f"{name!r} {'is missing' if name in NEEDED_COMMANDS else 'is no command'}")
        for event in Event:
            if event not in self.policy.events:
                self.error("events", f"the rule of {event.value!r} is missing")
            elif self.policy.events[event] not in self.policy.rules:
                self.error(f"events.{event.value}", f"there is no rule {self.policy.events[event]!r}")
        for severity in ("1", "2", "3", "4"):
            if severity not in self.policy.grade_of_severity:
                self.error("grade_of_severity", f"severity {severity} has no grade")
        if not self.policy.grades:
            self.error("grades", "there is none")

    def _clocks(self) -> None:
        for clock in self.policy.clocks:
            where = f"clocks.{clock.clock}"
            if clock.clock not in CLOCKS:
                self.error(where, f"there is no clock {clock.clock!r}", f"known: {', '.join(CLOCKS)}")
            elif (clock.limit is None) != (clock.clock == RECTIFY):
                self.error(where, "its due date stands with the hazard" if clock.limit else "limit is missing")
        if not any(clock.clock == RECTIFY and any(point.at == DUE for point in clock.points) for clock in self.policy.clocks):
            self.error(f"clocks.{RECTIFY}.points", "the point due is missing: nothing would ever be overdue")
        owners: list[tuple[str, Any]] = [("clocks", c) for c in self.policy.clocks] + [("duties", d) for d in self.policy.duties]
        for section, owner in owners:
            name = getattr(owner, "clock", None) or owner.name
            for point in owner.points:
                if not _POINT.match(point.at):
                    self.error(f"{section}.{name}.points.{point.at}", f"{point.at!r} is no point", "half, due, -3d, -12h, +1d")
        for duty in self.policy.duties:
            if duty.period not in ("month", "quarter"):
                self.error(f"duties.{duty.name}.period", "a period is month or quarter")

    def _alarm_rules(self) -> None:
        listed = "alarm_rules[0]" in self.nodes
        place = "alarm_rules[{n}]" if listed else "alarm_rules.{id}"
        rules = self.policy.alarm_rules
        check_rules_at(rules, lambda n: place.format(n=n, id=rules[n].id), self.nodes, None, self.problems)
        for n, rule in enumerate(rules):
            if rule.zones or rule.overrides:
                self.warn(place.format(n=n, id=rule.id), "names zones: a pack is for every site", "give zones in the site file")

    def _dates(self, today: date | None, known_years: range) -> None:
        for period in self.policy.key_periods:
            where, first, last = f"key_periods.{period.name}", _day(period.first), _day(period.last)
            if first is None or last is None:
                self.error(where, "first and last are dates", "2027-03-01")
            elif last < first:
                self.error(where, "ends before it begins")
        for day in self.policy.calendar.exceptions:
            if _day(day) is None:
                self.error(f"calendar.exceptions.{day}", "a day off is a date", "2027-03-01: off")
        for document in self.policy.documents:
            for name in ("dated", "until"):
                if (said := getattr(document, name)) and _day(said + "-01-01"[max(len(said) - 4, 0) :]) is None:
                    self.error(f"documents.{document.id}.{name}", "a date is a year, a month or a day", "2022, 2022-06, 2022-06-30")
        country = self.policy.calendar.country
        if country and not known_years:
            self.warn("calendar.country", f"the days off of {country!r} are not known: weekends and exceptions only", "known: CN")
            return
        wanted = None if today is None else today.year + (today.month >= 10)
        if country and wanted is not None and wanted not in known_years:
            what = f"the days off of {wanted} are not published yet or not known: weekends only"
            self.warn("calendar", what, "add exceptions, or upgrade")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
