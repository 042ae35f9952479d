"""The policy pack's file: YAML to ``hazards.ledger.policy.Policy``, every problem named by its line.

What must not go in: what a sound pack has to hold (``bihuan/policy_checks.py``), SQL.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from bihuan.days_off import days_off, known_years
from bihuan.policy_checks import check_policy
from bihuan.rule_file import FIELDS, WORDS
from bihuan.struct_reader import StructReader
from bihuan.yaml_lines import Document, Problems, check_size
from hazards.errors import FileProblem, InvalidFile
from hazards.ledger.own_rules import brought_up
from hazards.ledger.policy import Calendar, Policy, Source
from storage.policies import DEFAULT

PACKS = Path(__file__).parent / "packs"
"""The packs that come with the program."""
_VERSION = re.compile(r"^version: *(\S+)", re.MULTILINE)
_DAYS = {"working": True, "上班": True, "off": False, "休息": False}
_SOURCE = re.compile(r"^([^()\s]{1,40})\(([^()]{1,40})\)$")


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A pack that may be applied, and what is odd about its file."""

    policy: Policy
    warnings: tuple[FileProblem, ...] = ()


@cache
def shipped(name: str) -> Policy:
    """A pack that comes with the program. Raises InvalidFile."""
    return read_policy(PACKS / f"{name}.yaml").policy


def shipped_versions() -> dict[str, str]:
    """The packs that come with the program, the default first, and their versions: a look at a file takes no time, reading it does."""
    names = sorted((path.stem for path in PACKS.glob("*.yaml")), key=lambda name: (name != DEFAULT, name))
    return {name: _VERSION.findall((PACKS / f"{name}.yaml").read_text("utf-8"))[0] for name in names}


def read_policy(path: Path, *, today: date | None = None) -> PolicyFile:
    """The pack in the file at ``path``. Raises InvalidFile."""
    try:
        check_size(path.stat().st_size, str(path))
        data = path.read_bytes()
    except (OSError, ValueError) as e:
        raise InvalidFile(str(path), (FileProblem(0, "", f"can't be read: {getattr(e, 'strerror', None) or e}"),)) from e
    return parse_policy(data, file=str(path), today=today)


def parse_policy(data: bytes, *, file: str, today: date | None = None) -> PolicyFile:
    """The pack in ``data``; ``file`` names it in problems. ``today``: for warnings about dates, none without it. Raises InvalidFile."""
    document, problems = Document(data, file), Problems()
    reader = StructReader(document, problems, {Source: _source, bool: _DAYS.get, **WORDS}, FIELDS)
    policy: Policy | None = reader.read(document.root, Policy)
    if policy is not None:
        rules = tuple(msgspec.structs.replace(rule, source="pack") for rule in policy.alarm_rules)
        policy = brought_up(msgspec.structs.replace(policy, calendar=_resolved(policy.calendar), alarm_rules=rules))
        check_policy(policy, reader.nodes, problems, today=today, known_years=known_years(policy.calendar.country))
    warnings = tuple(sorted(problems.warnings, key=lambda p: p.line))
    if problems.errors or policy is None:
        raise InvalidFile(file, tuple(sorted(problems.errors, key=lambda p: p.line)))
    return PolicyFile(policy, warnings)


def _source(word: str) -> Source | None:
    """``001(15)``: the file number of a document and a clause of it."""
    found = _SOURCE.match(word)
    return Source(found[1], found[2]) if found else None


def _resolved(calendar: Calendar) -> Calendar:
    """``calendar`` with the published days off written out, so that the pack counts the same whatever a library learns later."""
    return msgspec.structs.replace(calendar, exceptions=dict(sorted((days_off(calendar.country) | dict(calendar.exceptions)).items())))
