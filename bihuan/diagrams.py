"""Drawings for the documentation, made from the tables that the code runs on, so the two can't disagree.

``python -m bihuan.diagrams`` writes them into ``docs/``. What must not go in: drawings by hand.
"""

from collections.abc import Callable
from pathlib import Path

from hazards.alarm_state import ALARMING, NEXT, Phase
from hazards.ledger.decisions import COMMANDS, QUESTIONS
from hazards.ledger.lifecycle import FINAL, RUNNING, START, Event, State
from hazards.ledger.lifecycle import NEXT as HAZARD_NEXT
from hazards.ledger.policy import Authority, Rule
from hazards.ledger.policy_guangyuan import POLICY

DOCS = Path(__file__).parents[1] / "docs"


def _opening(title: str, sources: str) -> list[str]:
    return [f"# {title}", "", f"Generated from {sources} by `python -m bihuan.diagrams`; do not edit.", ""]


def alarm_states() -> str:
    """The table of one alarm as a Mermaid state diagram and as a table."""
    lines = [*_opening("States of an alarm", "`hazards/alarm_state.py`"), "```mermaid", "stateDiagram-v2", "    [*] --> normal"]
    lines += [f"    {before} --> {after}: {trigger}" for (before, trigger), after in NEXT.items() if before is not after]
    lines += ["    clearing --> latched: delay_over (latching)", "```", "", "| phase | counts as an alarm | takes |", "|---|---|---|"]
    for phase in Phase:
        takes = ", ".join(trigger for before, trigger in NEXT if before is phase)
        lines.append(f"| {phase} | {'yes' if phase in ALARMING else 'no'} | {takes} |")
    return "\n".join([*lines, ""])


def hazard_states() -> str:
    """The life of a hazard as a Mermaid state diagram, its events with their rules, and every rule of the pack with its basis."""
    lines = _opening("States of a hazard 隐患", "`hazards/ledger/lifecycle.py` and `hazards/ledger/policy_guangyuan.py`")
    lines += ["```mermaid", "stateDiagram-v2", f"    [*] --> {START[1]}: {START[0]}"]
    lines += [f"    {before} --> {after}: {event}" for (before, event), after in HAZARD_NEXT.items() if before is not after]
    lines += [
        *(f"    {state} --> [*]" for state in State if state in FINAL),
        "```",
        "",
        "| state | the clock runs | takes |",
        "|---|---|---|",
    ]
    for state in State:
        takes = ", ".join(event for before, event in HAZARD_NEXT if before is state)
        lines.append(f"| {state} | {'yes' if state in RUNNING else 'no'} | {takes} |")
    lines += ["", "## Events", "", "| event | command | asks the evidence gate | rule |", "|---|---|---|---|"]
    commands = {event: name for name, event in COMMANDS.items()} | {Event.PROPOSED: "propose"}
    for event in Event:
        command = commands.get(event, "")
        lines.append(f"| {event} | {command} | {'yes' if command in QUESTIONS else 'no'} | {POLICY.events[event]} |")
    lines += ["", "## Rules", "", f"Pack `{POLICY.version}` ({POLICY.zh}). The texts give the sense in our words.", "",
              "| rule | basis | source | 要旨 | sense |", "|---|---|---|---|---|"]  # fmt: skip
    lines += [f"| {r.id} | {r.authority} | {_sources(r)} | {r.zh} | {r.en} |" for r in POLICY.rules.values()]
    lines += ["", "## Documents", "", "| document | what | standing |", "|---|---|---|"]
    lines += [f"| {d.id} | {d.zh}; {d.en} | {d.standing} |" for d in POLICY.documents]
    return "\n".join([*lines, ""])


def _sources(rule: Rule) -> str:
    if not rule.sources:
        return "" if rule.authority is Authority.PLATFORM_DEFAULT else "-"
    return ", ".join(f"{s.document}({s.clause})" for s in rule.sources)


DRAWINGS: dict[str, Callable[[], str]] = {"alarm-states.md": alarm_states, "hazard-states.md": hazard_states}
"""Each drawing by its file in ``docs/``."""

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (DOCS / name).write_text(draw(), "utf-8")
