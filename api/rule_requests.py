"""Alarm rules as people send them: to the domain's rule, checked against the site, with what is wrong as a JSON pointer.

What must not go in: routes, what is wrong (``hazards/rule_checks.py``).
"""

import re

import msgspec
from pydantic import BaseModel

from api.present import Presenter
from api.record_models import Change
from hazards.errors import BadInput
from hazards.rule_checks import check_order, check_rule
from hazards.rules import AlarmRule
from storage.alarm_rules import CONSOLE, OF_SITE, RuleChanged
from storage.site_store import Registry


def asked_rule(body: BaseModel) -> AlarmRule:
    """The rule that ``body`` asks for. Whose word it is, is not for the asker to say."""
    return msgspec.convert(body.model_dump(exclude={"source", "basis"}) | {"source": CONSOLE, "basis": OF_SITE}, AlarmRule)


def checked(rule: AlarmRule, registry: Registry) -> AlarmRule:
    """``rule``, if it may be used at this site beside the others. Raises BadInput that points into ``/rule``."""
    others = [each for each in registry.rules.values() if each.id != rule.id]
    try:
        check_rule(rule, registry.zones)
    except BadInput as error:
        raise BadInput(error.what, where=pointer_of(error.where, rule), hint=error.hint) from None
    try:
        check_order([*others, rule])
    except BadInput as error:  # told at the rule that is off, which may be another one
        if any(f"{each.id}.limit" == error.where for each in others) and _is_off_already(others):
            return rule
        raise BadInput(error.what, where="/rule/limit", hint=error.hint) from None
    return rule


def _is_off_already(others: list[AlarmRule]) -> bool:
    try:
        check_order(others)
    except BadInput:
        return True
    return False


def pointer_of(path: str, rule: AlarmRule) -> str:
    """The JSON pointer of a field's path such as ``schedule[0].start`` or ``overrides.ZONE.limit``; a zone's id may have dots itself."""
    head, _, rest = path.partition(".")
    if head == "overrides":
        zone = max((z for z in rule.overrides if rest == z or rest.startswith(f"{z}.")), key=len, default=rest)
        steps = [head, zone, *(rest[len(zone) + 1 :].split(".") if len(rest) > len(zone) else [])]
    else:
        steps = [step for step in re.split(r"[.\[\]]+", path) if step]
    return "/rule" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def with_changes(error: RuleChanged, presenter: Presenter) -> RuleChanged:
    """``error`` with what others did, as a problem shows it."""
    error.changes_shown = [
        Change(number=each.number, at=presenter.time(each.at), actor=each.actor, role="", event=f"rule_{each.change.value}",
               event_name=presenter.text(f"rule.change.{each.change.value}"), state="withdrawn" if each.withdrawn else "in_force")
        for each in error.since
    ]  # fmt: skip
    return error
