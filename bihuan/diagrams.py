"""Drawings for the documentation, made from the tables that the code runs on, so the two can't disagree.

``python -m bihuan.diagrams`` writes them into ``docs/``. What must not go in: drawings by hand.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from api.roles import DECLARING
from bihuan.policy_file import shipped
from hazards.across import RULES as ACROSS
from hazards.alarm_state import ALARMING, NEXT, Phase
from hazards.annunciation import NEXT as ANNUNCIATION
from hazards.annunciation import SPARED, AlarmState
from hazards.declarations import Declared
from hazards.declaring import NEXT as DECLARATION_NEXT
from hazards.declaring import TERMS, Standing, spoken
from hazards.inhibition import INHIBITIONS
from hazards.ledger.clocks import CLOCKS
from hazards.ledger.commands import SIGNATURES
from hazards.ledger.lifecycle import COMMANDS, FINAL, NONE, RUNNING, START, TRACKS, Event, State
from hazards.ledger.lifecycle import NEXT as HAZARD_NEXT
from hazards.ledger.limits import SECOND
from hazards.ledger.own_rules import OWN_RULES, SIGNED_BY_PERSON
from hazards.ledger.policy import Authority, Rule, WarningPoint
from hazards.quieting import EFFECTS
from hazards.telling import IN_FLOOD, INTERVALS
from hazards.weight import KEY_PERIOD, OVERDUE_HAZARD
from hazards.works import WORKS
from storage.policies import DEFAULT as DEFAULT_PACK

POLICY = shipped(DEFAULT_PACK)
MINUTE = 60 * SECOND
DOCS = Path(__file__).parents[1] / "docs"


def _opening(title: str, sources: str) -> list[str]:
    return [f"# {title}", "", f"Generated from {sources} by `python -m bihuan.diagrams`; do not edit.", ""]


def alarm_states() -> str:
    """The two tables of one alarm as Mermaid state diagrams and as tables: its condition, and how it stands towards people."""
    lines = [*_opening("States of an alarm", "`hazards/alarm_state.py` and `hazards/annunciation.py`"), "## Its condition", "",
             "```mermaid", "stateDiagram-v2", "    [*] --> normal"]  # fmt: skip
    lines += [f"    {before} --> {after}: {trigger}" for (before, trigger), after in NEXT.items() if before is not after]
    lines += ["    clearing --> latched: delay_over (latching)", "```", "", "| phase | counts as an alarm | takes |", "|---|---|---|"]
    for phase in Phase:
        takes = ", ".join(trigger for before, trigger in NEXT if before is phase)
        lines.append(f"| {phase} | {'yes' if phase in ALARMING else 'no'} | {takes} |")
    lines += ["", "## Towards people (ISA-18.2)", "", *_diagram("normal", ANNUNCIATION.items(), frozenset())]
    lines += ["| state | somebody is called | takes |", "|---|---|---|"]
    for state in AlarmState:
        takes = ", ".join(move for before, move in ANNUNCIATION if before is state)
        lines.append(f"| {state} | {'no' if state in SPARED or state is AlarmState.NORMAL else 'yes'} | {takes} |")
    return "\n".join([*lines, ""])


def merging_rules() -> str:
    """What merging goes by, as rows: inhibition, agreement across groups, what quietens, when it is told, what weighs."""
    lines = [*_opening("Rows that merging goes by", "`hazards/inhibition.py`, `across.py`, `quieting.py`, `telling.py` and `weight.py`"),
             "None of the policy documents gives these: all are platform defaults.", "", "## Inhibition 联锁抑制", "",
             "| while one of these stands | these are suppressed | where | why |", "|---|---|---|---|"]  # fmt: skip
    for row in INHIBITIONS:
        where = "in the zone" if row.in_zone else "on the same device"
        lines.append(f"| {_names(row.causes)} | {_names(row.effects)} | {where} | {row.chinese}; {row.english} |")
    lines += ["", "## Agreement across groups 印证", "",
              "| leading alarm | with | within | certainty, severity | why |", "|---|---|---|---|---|"]  # fmt: skip
    for rule in ACROSS:
        supporting = _names([*rule.supporting, *(f"*{ending}" for ending in rule.endings)])
        lines.append(f"| {_names(rule.leading)} | {supporting} | {rule.window // MINUTE} min | {rule.certainty}, {rule.severity} "
                     f"| {rule.chinese}; {rule.english} |")  # fmt: skip
    lines += ["", "## What quietens", "", "| why | state | counts as severity | others are told |", "|---|---|---|---|"]
    for quiet, effect in EFFECTS.items():
        severity = f"one milder, at gravest {effect.severity}" if effect.milder else str(effect.severity)
        severity = "as it is: a label alone" if effect.label else severity
        lines.append(f"| {quiet} | {effect.move or 'as it is'} | {severity} | {'yes' if effect.dispatched else 'no'} |")
    lines += ["", "## When an incident is told", "", "| severity | first, after | further alarms, every | unacknowledged: again after |",
              "|---|---|---|---|"]  # fmt: skip
    for which, given in (*((str(n), row) for n, row in INTERVALS.items()), ("of a flood", IN_FLOOD)):
        again = f"{given.repeat // MINUTE} min" if given.repeat else "never"
        lines.append(f"| {which} | {given.group // SECOND} s | {given.update // SECOND} s | {again} |")
    lines += ["", "## What weighs", "", "| because of | graver by | at gravest |", "|---|---|---|"]
    lines += [f"| {w.name} | {w.steps} | {w.gravest} |" for w in (OVERDUE_HAZARD, KEY_PERIOD)]
    return "\n".join([*lines, ""])


def _names(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kinds))


def hazard_states() -> str:
    """The life of a hazard as Mermaid state diagrams, its events and commands with their rules, and every rule of the pack."""
    lines = _opening("States of a hazard 隐患", "`hazards/ledger/lifecycle.py` and `bihuan/packs/guangyuan.yaml`")
    lines += ["## The rectification", "", *_diagram(f"{START[1]}: {START[0]}", HAZARD_NEXT.items(), FINAL)]
    lines += ["| state | the clock runs | takes |", "|---|---|---|"]
    for state in State:
        takes = ", ".join(event for before, event in HAZARD_NEXT if before is state)
        lines.append(f"| {state} | {'yes' if state in RUNNING else 'no'} | {takes} |")
    lines += ["", "## Beside it", "", "An event may happen when every table that knows it has a row for where the hazard stands."]
    for track, table in TRACKS.items():
        lines += ["", f"### {track}", "", *_diagram(NONE, table.items(), frozenset())]
    return "\n".join([*lines, "", *_events(), "", *_rules(), ""])


def _diagram(start: str, moves: Iterable[tuple[tuple[str, str], str]], final: Collection[str]) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    lines += [f"    {before} --> {after}: {event}" for (before, event), after in moves if before != after]
    return [*lines, *(f"    {state} --> [*]" for state in sorted(final)), "```", ""]


def _events() -> list[str]:
    lines = ["## Commands", "", f"A signature is a person's who has signed in, never a token's (`{SIGNED_BY_PERSON.id}`).", "",
             "| command | makes | roles | a token may | rule |", "|---|---|---|---|---|"]  # fmt: skip
    for name, events in COMMANDS.items():
        right, token = POLICY.commands[name], "no" if name in SIGNATURES else "yes"
        lines.append(f"| {name} | {', '.join(events)} | {', '.join(sorted(right.roles))} | {token} | {right.rule} |")
    lines += ["", "## Events", "", "| event | made by | rule |", "|---|---|---|"]
    for event in Event:
        makers = [name for name, events in COMMANDS.items() if event in events] or ["the platform"]
        lines.append(f"| {event} | {', '.join(makers)} | {POLICY.events[event]} |")
    return lines


def _rules() -> list[str]:
    lines = ["## Rules", "", f"Pack `{POLICY.version}` ({POLICY.zh}). The texts give the sense in our words. The last",
             f"{len(OWN_RULES)} are the program's own, whatever the pack (`hazards/ledger/own_rules.py`).", "",
             "| rule | basis | source | 要旨 | sense |", "|---|---|---|---|---|"]  # fmt: skip
    lines += [f"| {r.id} | {r.authority} | {_sources(r)} | {r.zh} | {r.en} |" for r in (*POLICY.rules.values(), *OWN_RULES)]
    lines += ["", "## Documents", "", "| document | what | standing |", "|---|---|---|"]
    return lines + [f"| {d.id} | {d.zh}; {d.en} | {d.standing} |" for d in POLICY.documents]


def _sources(rule: Rule) -> str:
    if not rule.sources:
        return "" if rule.authority is Authority.PLATFORM_DEFAULT else "-"
    return ", ".join(f"{s.document}({s.clause})" for s in rule.sources)


def clock_points() -> str:
    """Every clock and duty of the default pack: its limit, who says so, its points, who is told, what ends it."""
    lines = [*_opening("Points of the clocks 时限提醒", f"`bihuan/packs/{DEFAULT_PACK}.yaml` and `hazards/ledger/clocks.py`"),
             "## On a hazard", "", "| clock | grades | limit | rule, basis | points: who is told | ends with |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for clock in POLICY.clocks:
        grades = ", ".join(g.name for g in POLICY.grades if g.name in clock.grades) or "all"
        limits = [clock.limit] if clock.limit is not None else [grade.limit for grade in POLICY.grades]
        limit = " / ".join(f"{each.amount} {each.counting.replace('_', ' ')}" for each in limits)
        rules = "; ".join(dict.fromkeys(f"{each.rule}, {POLICY.rule(each.rule).authority}" for each in limits))
        ends = ", ".join(CLOCKS[clock.clock].ends)
        lines.append(f"| `{clock.clock}` {clock.zh} | {grades} | {limit} | {rules} | {_points(clock.points)} | {ends} |")
    lines += ["", "## Of a body", "",
              "| duty | posts, each its own | each | rule, basis | points: who is told |", "|---|---|---|---|---|"]
    for duty in POLICY.duties:
        posts = ", ".join(duty.posts)
        rule = f"{duty.rule}, {POLICY.rule(duty.rule).authority}"
        lines.append(f"| `{duty.name}` {duty.zh} | {posts} | {duty.period} | {rule} | {_points(duty.points)} |")
    return "\n".join([*lines, ""])


def _points(points: Iterable[WarningPoint]) -> str:
    return "; ".join(f"{point.at}: {', '.join(point.tells)}" for point in points)


def declaration_states() -> str:
    """The states of a declaration, what is asked of each kind, who enters and ends it, and the kinds of work."""
    lines = [*_opening("States of a declaration 申报", "`hazards/declaring.py`, `hazards/works.py` and `api/roles.py`"),
             *_diagram(Standing.ENTERED, DECLARATION_NEXT.items(), {Standing.ENDED, Standing.EXPIRED, Standing.WITHDRAWN}),
             "`begin` and `expire` come with time, `end` by a person.", "",
             "| kind | needs | longest | basis | entered by | ended early by |", "|---|---|---|---|---|---|"]  # fmt: skip
    for kind, terms in TERMS.items():
        bound = "no bound" if terms.longest is None else spoken(terms.longest)
        longest = "by the kind of work, below" if kind is Declared.PERMIT else bound
        enters, ends = (", ".join(sorted(roles)) for roles in (DECLARING[kind].enters, DECLARING[kind].ends))
        lines.append(f"| `{kind}` | {', '.join(terms.needs) or 'devices or alarms'} | {longest} | {terms.basis} | {enters} | {ends} |")
    lines += ["", "Who enters and ends is a platform default. `stop_order` and `measure` follow from measures of hazards in force,",
              "key periods of the policy pack from the pack.", "", "## Kinds of work 作业类别", "",
              "| work | longest | basis | alarms that it explains |", "|---|---|---|---|"]  # fmt: skip
    for work in WORKS.values():
        levels = [f"{level.chinese} `{level.name}` {spoken(level.longest)}" for level in work.levels]
        longest = "; ".join(levels) or spoken(work.longest)
        lines.append(f"| `{work.name}` {work.chinese} | {longest} | {work.basis} | {', '.join(sorted(work.explains))} |")
    return "\n".join([*lines, ""])


DRAWINGS: dict[str, Callable[[], str]] = {
    "alarm-states.md": alarm_states, "merging-rules.md": merging_rules, "hazard-states.md": hazard_states, "clock-points.md": clock_points,
    "declaration-states.md": declaration_states,
}  # fmt: skip
"""Each drawing by its file in ``docs/``."""

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (DOCS / name).write_text(draw(), "utf-8")
