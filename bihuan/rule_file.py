"""Alarm rules in the site file (``rules``) and the policy pack (``alarm_rules``): how they are written, and their checks by line.

Times are written as durations (``30s``), minutes of the day as ``22:00``; a text alone is its Chinese. What must not go in: whether a rule
makes sense (``hazards/rule_checks.py``), what it means for a sensor.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec import structs
from yaml.nodes import Node

from bihuan.struct_reader import StructReader, Word
from bihuan.yaml_lines import Document, Problems
from hazards.durations import LONGEST, read_duration
from hazards.errors import BadInput
from hazards.rule_checks import check_order, check_rule
from hazards.rules import AlarmRule, Override, ResponseSheet, Window, Words

_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})$")
MOST = 1000
"""Rules of one file."""


def _duration(word: str) -> int | None:
    found = read_duration(word)
    return found if found is not None and found <= LONGEST else None


def _minute(word: str) -> int | None:
    found = _CLOCK.match(word)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else None
    return minute if minute is not None and minute <= 24 * 60 else None


WORDS: Mapping[type, Word] = {Words: Words}
_DURATION = (_duration, "a duration with its unit is expected, for example 500ms, 30s, 5m")
_TIME_OF_DAY = (_minute, "a time of day is expected, for example 22:00, and 24:00 for the end of it")
FIELDS: Mapping[tuple[type, str], tuple[Word, str]] = {
    (AlarmRule, "on_delay"): _DURATION, (AlarmRule, "off_delay"): _DURATION, (Override, "on_delay"): _DURATION,
    (Override, "off_delay"): _DURATION, (ResponseSheet, "within"): _DURATION,
    (Window, "start"): _TIME_OF_DAY, (Window, "until"): _TIME_OF_DAY,
}  # fmt: skip
"""Fields that are written otherwise than they are kept: how each is read, and what is expected."""


def read_rules(document: Document, node: Node, where: str, zones: Collection[str], problems: Problems) -> list[AlarmRule]:
    """The rules at ``node``, a list or by id, each noted in ``problems`` where it can't be used at a site with ``zones``."""
    reader = StructReader(document, problems, WORDS, FIELDS)
    found: Sequence[AlarmRule] | None = reader.many(node, AlarmRule, where)
    if found is None:
        return []
    rules = [structs.replace(rule, source="site") for rule in found]
    check_rules_at(rules, lambda n: _place(reader, where, n, rules[n].id), reader.nodes, zones, problems)
    return rules


def _place(reader: StructReader, where: str, number: int, identity: str) -> str:
    named = f"{where}.{identity}"
    return named if named in reader.nodes else f"{where}[{number}]"


def check_rules_at(
    rules: Sequence[AlarmRule], place: Callable[[int], str], nodes: Mapping[str, Node], zones: Collection[str] | None, problems: Problems
) -> None:
    """Note what is wrong with ``rules``, the n-th of which stands at ``place(n)``. ``zones`` None: it is not known which there will be."""
    sound, known = True, dict[str, int]()
    if len(rules) > MOST:
        problems.error(_node(nodes, place(0).partition("[")[0]), place(0), f"{len(rules)} rules are more than the {MOST} allowed")
    for n, rule in enumerate(rules):
        try:
            check_rule(rule, zones if zones is not None else {*rule.zones, *rule.overrides})
            if rule.id in known:
                raise BadInput("the id is used twice", where="id")
        except BadInput as e:
            _note(nodes, place(n), e, problems)
            sound = False
        known.setdefault(rule.id, n)
    if not sound:
        return
    try:
        check_order(rules)
    except BadInput as e:
        identity, _, field = e.where.rpartition(".")
        _note(nodes, place(known[identity]), BadInput(e.what, where=field, hint=e.hint), problems)


def _note(nodes: Mapping[str, Node], place: str, error: BadInput, problems: Problems) -> None:
    where = f"{place}.{error.where}"
    problems.error(_node(nodes, where), where, error.what, error.hint)


def _node(nodes: Mapping[str, Node], where: str) -> Any:
    """The node at ``where``, or the nearest one around it."""
    while where not in nodes and where:
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return nodes[where]
