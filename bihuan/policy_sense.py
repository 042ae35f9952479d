"""Whether a policy pack can be lived with: names and numbers within bounds, nothing twice, somebody who may do what it asks for.

Each problem is noted at the line of the value that causes it. What must not go in: whether references lead somewhere
(``bihuan/policy_checks.py``), reading YAML.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from api.roles import DUTY_BOUND
from bihuan.policy_notes import Notes, own_name, walked
from hazards.kinds import FAMILIES, KIND_PATTERN
from hazards.ledger.clocks import RECTIFY, parsed_point
from hazards.ledger.policy import TOLD, Authority, ClockRule, Counting, ExtensionRule, GradeRule, Limit
from hazards.messages import Certainty
from hazards.metrics import METRICS

_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,63}$")
_WORD = re.compile(r"^[^\s:/]{1,64}$")
MOST_DAYS, MOST_HOURS = 3650, 24 * 366
"""The longest limit that is taken for meant: ten years, a year of hours."""
_BOUNDS = {
    "extension.most_days": (0, MOST_DAYS), "extension.most_times": (0, 100), "repeats.days": (1, 10 * MOST_DAYS),
    "repeats.from_count": (1, 1000), "repeats.inspections": (0, 100), "gate.seen_percent": (0, 100), "gate.silent_minutes": (1, 43_200),
    "recurrence.hours": (0, MOST_HOURS), "recurrence.severity": (0, 4),
}  # fmt: skip
_NAMED = ("grades", "posts", "measures", "waivers", "clocks", "duties", "key_periods", "kinds", "amounts", "extension.causes")
_SEVERITIES = ("1", "2", "3", "4")


def check_sense(notes: Notes) -> None:
    """Note what no city can mean."""
    for check in CHECKS:
        check(notes)


# --- names and numbers ---


def _names(notes: Notes) -> None:
    policy = notes.policy
    if not _NAME.match(policy.id):
        notes.error("id", "an id is lower case letters, digits, - and _", "my-city")
    if not _WORD.match(policy.version):
        notes.error("version", "a version is one word of at most 64 characters", f"{policy.id[:40] or 'my-city'}-1")
    for section in _NAMED:
        _check_names(notes, section, (own_name(each) for each in _at(policy, section)), _NAME)
    _check_names(notes, "criteria", (c.id for c in policy.criteria), _WORD)
    _check_names(notes, "documents", (d.id for d in policy.documents), _WORD)
    _check_names(notes, "rules", list(policy.rules), _NAME)


def _check_names(notes: Notes, section: str, names: Iterable[str], pattern: re.Pattern[str]) -> None:
    for name, times in Counter(names).items():
        where = f"{section}.{name}"
        if not pattern.match(name):
            notes.error(where, f"{name[:40]!r} is no name", "lower case letters, digits, - and _" if pattern is _NAME else "one word")
        if times > 1:
            notes.error(where, "is there twice")


def _at(policy: Any, section: str) -> Any:
    for name in section.split("."):
        policy = getattr(policy, name)
    return policy


def _texts(notes: Notes) -> None:
    for where, _, struct in walked(notes.policy):
        for name in ("zh", "en"):
            if isinstance(struct, Struct) and not getattr(struct, name, "x").strip():
                notes.error(f"{where}.{name}".lstrip("."), "is empty", "both languages are shown")


def _numbers(notes: Notes) -> None:
    for where, (low, high) in _BOUNDS.items():
        if not low <= _at(notes.policy, where) <= high:
            notes.error(where, f"a number from {low} to {high} is expected")
    for grade in notes.policy.grades:
        if grade.inspection is not None and grade.inspection.experts > 20:
            notes.error(f"grades.{grade.name}.inspection.experts", "at most 20 experts can be put down")
    for amount in notes.policy.amounts:
        if amount.least > amount.most:
            notes.error(f"amounts.{amount.name}", "the least is more than the most")


def _limits(notes: Notes) -> None:
    for where, _, struct in walked(notes.policy):
        if isinstance(struct, Limit):
            low, high = (1, MOST_HOURS) if struct.counting is Counting.HOURS else (0, MOST_DAYS)
            if not low <= struct.amount <= high:
                notes.error(f"{where}.amount", f"{low} to {high} {struct.counting.value.replace('_', ' ')} are possible")


def _warnings(notes: Notes) -> None:
    """A warning from before the start of every clock that it belongs to is never given."""
    for clock in notes.policy.clocks:
        longest = max((_hours(limit) for limit in _limits_of(notes, clock)), default=0)
        for point in clock.points:
            where = f"clocks.{clock.clock}.points.{point.at}"
            if _is_before(point.at, longest):
                notes.warn(where, "comes before the clock starts: nobody is ever told", f"the limit is {longest // 24} days at most")
            if not point.tells:
                notes.warn(where, "tells nobody")


def _told(notes: Notes) -> None:
    for post in TOLD:
        if notes.policy.post(post) is None:
            notes.warn("posts", f"there is no post {post!r}", "the program tells it of what happens to a hazard: nobody hears of that")


def _limits_of(notes: Notes, clock: ClockRule) -> list[Limit]:
    if clock.clock == RECTIFY:
        return [grade.limit for grade in notes.policy.grades]
    return [clock.limit] if clock.limit is not None else []


def _hours(limit: Limit) -> int:
    """The longest that it can last: a day for the rest of the first one, and holidays of a fortnight between working days."""
    if limit.counting is Counting.HOURS:
        return limit.amount
    return 24 * (limit.amount + 1 if limit.counting is Counting.NATURAL_DAYS else 2 * limit.amount + 15)


def _is_before(point: str, longest: int) -> bool:
    try:
        days, hours = parsed_point(point)
    except ValueError:
        return False  # said elsewhere, or half of the time
    return 24 * days + hours <= -longest


# --- somebody who may ---


def _roles(notes: Notes, command: str) -> frozenset[str]:
    right = notes.policy.commands.get(command)
    return right.roles if right is not None else frozenset()


def _by_nobody(notes: Notes, roles: frozenset[str], commands: Iterable[str]) -> str:
    """Those of ``commands`` that none of ``roles`` may give."""
    return ", ".join(command for command in commands if not roles & _roles(notes, command))


def _duties(notes: Notes) -> None:
    for duty in notes.policy.duties:
        for name in duty.posts:
            post = notes.policy.post(name)
            if post is not None and not post.roles & {role.value for role in DUTY_BOUND}:
                hint = f"a role of {', '.join(sorted(DUTY_BOUND))} is needed"
                notes.error(f"duties.{duty.name}", f"nobody who holds the post {name!r} may record a duty", hint)


def _signatures(notes: Notes) -> None:
    extension, signers = notes.policy.extension, _roles(notes, "sign_extension")
    for field in ("posts", "posts_outside_park"):
        for name, times in Counter(_posts(extension, field)).items():
            post = notes.policy.post(name)
            if post is not None and not post.roles & signers:
                hint = f"give one of {', '.join(sorted(post.roles)) or 'its roles'} the command sign_extension"
                notes.error(f"extension.{field}", f"nobody who holds the post {name!r} may sign", hint)
            if times > 1:
                notes.error(f"extension.{field}", f"{name!r} is there twice; a post signs once")
    if bool(extension.posts) != bool(extension.posts_outside_park):
        notes.error("extension", "posts and posts_outside_park go together: both sign, or nothing is extended")
    if extension.posts and extension.most_times and not (extension.most_days and extension.causes):
        notes.error("extension", "an extension needs days and causes", "most_times: 0 where nothing is extended")


def _posts(extension: ExtensionRule, field: str) -> tuple[str, ...]:
    return extension.posts if field == "posts" else extension.posts_outside_park


def _grades(notes: Notes) -> None:
    for grade in notes.policy.grades:
        where = f"grades.{grade.name}"
        wanted = ("accept", "refuse", "close", *(("inspect",) if grade.inspection is not None else ()))
        if nobody := _by_nobody(notes, grade.accepted_by, wanted):
            notes.error(f"{where}.accepted_by", f"none of these roles may {nobody}: such a hazard would stay open for ever")
        if grade.needs_plan and not _roles(notes, "approve_plan"):
            notes.error(f"{where}.needs_plan", "nobody may approve_plan")
        if grade.needs_criterion and not any(c.grade == grade.name for c in notes.policy.criteria):
            notes.error(f"{where}.needs_criterion", "there is no item of the criteria for it: nobody could confirm it", "criteria: …")
        _flags(notes, grade, where)
    order = [grade.name for grade in notes.policy.grades]
    given = [notes.policy.grade_of_severity.get(severity, "") for severity in reversed(_SEVERITIES)]
    places = [order.index(name) for name in given if name in order]
    if places != sorted(places):
        notes.error("grades", "the gravest stands last", f"by grade_of_severity the order is {', '.join(dict.fromkeys(given))}")


def _flags(notes: Notes, grade: GradeRule, where: str) -> None:
    graver = notes.policy.grades[notes.policy.grades.index(grade) + 1 :]
    for flag in ("listed", "needs_plan", "needs_criterion"):
        if getattr(grade, flag) and not all(getattr(each, flag) for each in graver):
            notes.warn(f"{where}.{flag}", "holds here and not for every graver grade", "the gravest grade stands last")


def _responsible(notes: Notes) -> None:
    for field in ("responsible", "responsible_without_enterprise"):
        if nobody := _by_nobody(notes, getattr(notes.policy, field), ("plan", "start_rectification", "claim")):
            notes.error(field, f"none of these roles may {nobody}: nobody could rectify")
    if not _roles(notes, "confirm"):
        notes.error("commands.confirm", "nobody may confirm a hazard")
    for post in notes.policy.posts:
        if not post.roles:
            notes.warn(f"posts.{post.name}", "no role holds this post: nobody is told, nobody signs")


# --- incidents, kinds, demonstrations ---


def _incidents(notes: Notes) -> None:
    for severity in notes.policy.grade_of_severity:
        if severity not in _SEVERITIES:
            notes.error(f"grade_of_severity.{severity}", "a severity is 1 (the gravest) to 4")
    for n, rule in enumerate(notes.policy.proposals):
        if str(rule.severity) not in _SEVERITIES:
            notes.error(f"proposals[{n}].severity", "a severity is 1 (the gravest) to 4")
        if rule.certainty not in set(Certainty):
            notes.error(f"proposals[{n}].certainty", f"there is no certainty {rule.certainty!r}", f"known: {', '.join(Certainty)}")


def _kinds(notes: Notes) -> None:
    for kind in notes.policy.kinds:
        where = f"kinds.{kind.name}"
        if not KIND_PATTERN.match(kind.name):
            notes.error(where, "a kind is lower_snake_case with at most 64 characters")
        for field, known in (("families", FAMILIES), ("metrics", METRICS)):
            for name in getattr(kind, field):
                if name not in known:
                    notes.error(f"{where}.{field}", f"there is no {name[:40]!r}", f"known: {', '.join(known)}")
        for alarm in kind.alarms:
            if not KIND_PATTERN.match(alarm):
                notes.error(f"{where}.alarms", f"{alarm[:40]!r} is no kind of alarm", "lower_snake_case")


def _demonstration(notes: Notes) -> None:
    shown = [rule.id for rule in notes.policy.rules.values() if rule.authority is Authority.DEMO]
    if shown:
        notes.warn(f"rules.{shown[0]}", f"{len(shown)} rules are only of a demonstration")


CHECKS: tuple[Callable[[Notes], None], ...] = (
    _names, _texts, _numbers, _limits, _warnings, _told, _duties, _signatures, _grades, _responsible, _incidents, _kinds, _demonstration,
)  # fmt: skip
