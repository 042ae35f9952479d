"""The keys of sensors in the site file: each mistake is named by its line, what is sound is kept."""

from pathlib import Path

import pytest

from bihuan.site_file import parse_site
from hazards.errors import InvalidFile
from hazards.sensors import sensors_of_site

HEAD = """\
site: {id: s, name: s}
zones: [{id: z, name: z, grade: red, line: [[0, 0], [1, 1]]}]
devices:
"""
ONE = """\
  - id: T-1
    zone: z
    type: sensor
    metric: temperature
    unit: Cel
    range: [-40, 120]
    limits: {low: 5, high: 60, high_high: 80}
    rate: 0.5
    deadband: 2
    compression: 0.1
    stale_after: 60s
"""
SEVERAL = """\
  - id: T-1
    zone: z
    type: sensor
    stale_after: 60s
    metrics:
      temperature: {unit: Cel, limits: {high: 60}, on_delay: 2s}
      humidity: {range: [0, 100]}
"""


def parse(text: str) -> tuple[list[str], list[str]]:
    """(errors, warnings) of a file with these devices."""
    try:
        return [], [str(w) for w in parse_site((HEAD + text).encode(), file="f", folder=Path("/")).warnings]
    except InvalidFile as e:
        return [str(p) for p in e.problems], list(getattr(e, "__notes__", ()))


def test_sound_keys_become_sensors() -> None:
    for text, series in ((ONE, ["T-1/temperature"]), (SEVERAL, ["T-1/temperature", "T-1/humidity"])):
        assert parse(text) == ([], [])
        assert list(sensors_of_site(parse_site((HEAD + text).encode(), file="f", folder=Path("/")).site)) == series


CASES = {
    "an unknown unit": (ONE, "unit: Cel", "unit: Celsius", "line 8", "no unit 'Celsius'"),
    "a metric with capitals": (ONE, "metric: temperature", "metric: Temperature", "line 7", "can't be a metric"),
    "a metric too long for its kinds": (ONE, "metric: temperature", "metric: " + "t" * 55, "line 7", "can't be a metric"),
    "a range that falls": (ONE, "[-40, 120]", "[120, -40]", "line 9", "two rising numbers"),
    "a limit beyond the range": (ONE, "high_high: 80", "high_high: 180", "line 10", "outside the range"),
    "two limits at one value": (ONE, "high_high: 80", "high_high: 60", "line 10", "out of order"),
    "a limit at infinity": (ONE, "high_high: 80", "high_high: .inf", "line 10", "numbers are expected"),
    "a limit of no name": (ONE, "high_high: 80", "higher: 80", "line 10", "numbers are expected"),
    "a rate of nothing": (ONE, "rate: 0.5", "rate: 0", "line 11", "above 0"),
    "a negative deadband": (ONE, "deadband: 2", "deadband: -2", "line 12", "at least 0"),
    "a negative compression": (ONE, "compression: 0.1", "compression: -1", "line 13", "at least 0"),
    "a duration without unit": (ONE, "stale_after: 60s", "stale_after: 60", "line 14", "duration"),
    "a negative duration": (ONE, "stale_after: 60s", "stale_after: -60s", "line 14", "duration"),
    "metrics as a list": (SEVERAL, "    metrics:\n      temperature: {unit: Cel, limits: {high: 60}, on_delay: 2s}\n"
                          "      humidity: {range: [0, 100]}", "    metrics: [temperature]", "line 8", "keys are expected"),
    "no metric at all": (SEVERAL, "    metrics:\n      temperature: {unit: Cel, limits: {high: 60}, on_delay: 2s}\n"
                         "      humidity: {range: [0, 100]}", "    metrics: {}", "line 8", "names 0 metrics"),
    "a metric beside metrics": (SEVERAL, "    stale_after: 60s", "    metric: level", "line 7", "give it under metrics"),
    "limits beside metrics": (SEVERAL, "    stale_after: 60s", "    limits: {high: 5}", "line 7", "give it under metrics"),
    "a delay of one metric": (SEVERAL, "on_delay: 2s", "on_delay: 2", "line 9", "duration"),
    "a range of one metric": (SEVERAL, "[0, 100]", "[0]", "line 10", "two rising numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_a_mistake_is_named_by_its_line(name: str) -> None:
    text, good, bad, line, said = CASES[name]
    assert good in text
    errors, _ = parse(text.replace(good, bad, 1))
    assert len(errors) == 1 and f"{line}," in errors[0] and said in errors[0], errors


def test_an_unusual_unit_and_an_unknown_key_are_only_warnings() -> None:
    _, warnings = parse(ONE.replace("unit: Cel", "unit: kPa"))
    assert len(warnings) == 1 and "unusual for temperature" in warnings[0]
    _, warnings = parse(SEVERAL.replace("range: [0, 100]", "rang: [0, 100]"))
    assert len(warnings) == 1 and "rang" in warnings[0] and "ignored" in warnings[0]
    _, warnings = parse(ONE.replace("id: T-1", "id: 温度-1"))
    assert len(warnings) == 1 and "only MQTT topics" in warnings[0]
