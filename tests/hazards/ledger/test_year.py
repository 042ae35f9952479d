"""A year of 10,000 hazards in seconds: whatever people do and however late anybody looks, each point is told once, and none is missed."""

from collections import Counter
from random import Random
from zoneinfo import ZoneInfo

from tests.hazards.ledger.years import DAY, NOON, Life

ZONES = (ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"))
HAZARDS = 10_000


def test_a_year_of_ten_thousand_hazards() -> None:
    events, end = Counter[str](), NOON + 2 * 365 * DAY
    for number in range(HAZARDS):
        life = Life(number, ZONES[number % len(ZONES)], Random(number))
        life.live(end)
        events += life.events
    least = {"clock_point": 20_000, "overdue": 4000, "summons_due": 1500, "summoned": 200, "closed": 1000, "reopened": 100,
             "extension_granted": 30, "regraded": 1000}  # fmt: skip
    assert {name: events[name] for name, count in least.items() if events[name] < count} == {}, "the walks lead nowhere"
