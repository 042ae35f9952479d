"""Drawings for the documentation, made from the tables that the code runs on, so the two can't disagree.

``python -m bihuan.diagrams`` writes ``docs/alarm-states.md``. What must not go in: drawings by hand.
"""

from pathlib import Path

from hazards.alarm_state import ALARMING, NEXT, Phase

DRAWN = Path(__file__).parents[1] / "docs" / "alarm-states.md"


def alarm_states() -> str:
    """The table of one alarm as a Mermaid state diagram and as a table."""
    lines = ["# States of an alarm", "", "Generated from `hazards/alarm_state.py` by `python -m bihuan.diagrams`; do not edit.", "",
             "```mermaid", "stateDiagram-v2", "    [*] --> normal"]  # fmt: skip
    lines += [f"    {before} --> {after}: {trigger}" for (before, trigger), after in NEXT.items() if before is not after]
    lines += ["    clearing --> latched: delay_over (latching)", "```", "", "| phase | counts as an alarm | takes |", "|---|---|---|"]
    for phase in Phase:
        takes = ", ".join(trigger for before, trigger in NEXT if before is phase)
        lines.append(f"| {phase} | {'yes' if phase in ALARMING else 'no'} | {takes} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    DRAWN.write_text(alarm_states())
