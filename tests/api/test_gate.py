"""The evidence gate through the API: what devices say since a claim, each piece with its link, and going on against it."""

from dataclasses import replace
from datetime import datetime

import httpx
import numpy as np
import pytest
from msgspec import structs

from storage.incidents import apply_signals
from storage.series.port import RollupBlock, SeriesTags
from storage.series.sqlite import SqliteSeries
from tests.api.conftest import System, alarm
from tests.api.ledger import Ledger, paper
from tests.hazards.signals import signal

SECOND = 1_000_000
T_101 = SeriesTags("T-101", "temperature", "smelter", "alu", "Cel")
HOT = {"kind": "heat", "title": "炉壳超温"}


@pytest.fixture
def ledger(client: httpx.AsyncClient, system: System) -> Ledger:
    return Ledger(client, system)


async def measure(ledger: Ledger, value: float, seconds_ago: int = 2) -> None:
    """T-101 says ``value``."""
    await measured(ledger.system, value, seconds_ago)


async def measured(system: System, value: float, seconds_ago: int) -> None:
    """T-101 said ``value`` that long ago; windows of a minute are told when they are over."""
    at, one = system.now() // SECOND - seconds_ago, np.array([value])
    for resolution in (1, 60) if seconds_ago > 60 else (1,):
        start = np.array([at // resolution * resolution * SECOND])
        block = RollupBlock(resolution, [T_101], np.zeros(1, np.int64), start, np.ones(1, np.int64), one, one, one, one)
        await system.time_series.write_rollups(block)


async def tamper(ledger: Ledger, number: int, action: str) -> None:
    """CAM-1 is covered, or not any more, by the system's movable clock."""
    now = ledger.system.now()
    each = structs.replace(signal(number, action, kind="tamper"), at=now, received_at=now)
    await ledger.system.database.writing(lambda c: apply_signals(c, [each], now=now))


async def test_a_sensor_that_was_beyond_its_limit_since_the_claim_refuses_acceptance_with_its_link(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(**HOT)
    problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_instead", note="已降温")
    assert problem["gate"]["reasons"] == ["all_blind", "no_readings", "papers_needed"]
    assert problem["gate"]["why"][1]["zh"] == "传感器没有读数"
    await measure(ledger, 75)
    problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_gate", note="已降温", evidence=[paper()])
    assert (problem["gate"]["verdict"], problem["gate"]["reasons"]) == ("refuted", ["beyond_limit"])
    await measure(ledger, 41.5, 1)
    claimed = await ledger.done(hazard, "enterprise:alu", "claim", note="已降温")
    assert (claimed["gate"]["verdict"], claimed["gate"]["sensors"][0]["says"]) == ("clear", "within_limits")

    ledger.system.later(minutes=30)
    await measure(ledger, 66, 600)
    await measure(ledger, 42)
    problem = await ledger.refused(hazard, "department", "accept", 409, "evidence_gate")
    (sensor,) = problem["gate"]["sensors"]
    assert (sensor["says"], sensor["against"], sensor["limit"], sensor["bound"], sensor["value"]) == ("beyond_since", True, "high", 60, 66)
    assert (sensor["says_name"]["zh"], sensor["metric_name"]["zh"], sensor["newest"]) == ("申请验收之后传感器曾超限", "温度", 42)
    assert datetime.fromisoformat(sensor["start"]) == datetime.fromisoformat(claimed["claim"]["at"])
    behind = await ledger.client.get(sensor["url"] + "&resolution=1s", headers=ledger.of("department"))
    assert behind.status_code == 200 and [p["max"] for p in behind.json()["points"]] == [66, 42]
    (watcher,) = problem["gate"]["watchers"]
    assert (watcher["device"], watcher["by"], watcher["sees"], watcher["seen"]) == ("T-101", "temperature", True, 100)

    await ledger.refused(hazard, "department", "accept", 403, "gate_override", override_reason="标校中")
    accepted = await ledger.done(hazard, "bureau", "accept", override_reason="该点位标校，人工复测正常")
    assert accepted["state"] == "accepted" and accepted["overrides"][0]["reason"] == "该点位标校，人工复测正常"
    details = await ledger.last(hazard, "accepted", "acceptance", "clause")
    assert details["override_basis"]["rule"] == "gate_override" and details["gate"]["sensors"][0]["value"] == 66


async def test_a_camera_that_was_covered_since_the_claim_is_no_evidence(ledger: Ledger) -> None:
    await ledger.alarm(alarm("a"))
    await ledger.alarm(alarm("b", action="cleared"))
    (incident,) = (await ledger.get("/incidents")).json()["items"]
    hazard = await ledger.rectifying(incident=incident["id"])
    await ledger.done(hazard, "enterprise:alu", "claim", note="已灭火")
    await tamper(ledger, 1, "raised")
    covered = await ledger.read(hazard, "department")
    assert (covered["gate"]["verdict"], covered["gate"]["watchers"][0]["why"]) == ("blind", "out_of_service")
    ledger.system.later(hours=2)
    await tamper(ledger, 2, "cleared")
    ledger.system.later(hours=1)
    problem = await ledger.refused(hazard, "department", "accept", 409, "evidence_instead")
    gate = problem["gate"]
    (watcher,) = gate["watchers"]
    assert (gate["verdict"], watcher["why"], watcher["why_name"]["zh"]) == ("blind", "blind_since", "申请以来失效时间过长，不足以作证")
    assert watcher["seen"] < 50 and gate["seen_ruling"]["rule"] == "gate_sight" and gate["seen_ruling"]["basis"] == "platform_default"
    assert (await ledger.client.get(watcher["urls"][0], headers=ledger.of("department"))).json()["kinds"] == ["tamper"]


async def test_a_photo_from_before_the_rectification_does_not_count_and_its_field_is_named(ledger: Ledger) -> None:
    early = "2026-01-05T10:00:00+08:00"
    hazard = await ledger.rectifying()
    problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_instead", note="x", evidence=[paper(taken_at=early)])
    assert problem["pointer"] == "/evidence/0/taken_at" and problem["gate"]["reasons"][-1] == "paper_too_early"
    (said,) = problem["gate"]["papers"]
    assert (said["counts"], said["where"], said["taken_at"]) == (False, "/evidence/0/taken_at", early)
    claimed = await ledger.done(hazard, "enterprise:alu", "claim", note="x", evidence=[paper(taken_at=early), paper()])
    assert [p["counts"] for p in claimed["gate"]["papers"]] == [False, True] and claimed["gate"]["passes"]


async def test_a_time_series_that_is_away_neither_passes_nor_breaks_anything(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(**HOT)
    await measure(ledger, 20)
    assert (await ledger.read(hazard))["gate"]["verdict"] == "clear"
    missing = SqliteSeries(ledger.system.folder / "missing.sqlite", writing=False)
    ledger.system.app.state.services = replace(ledger.system.app.state.services, time_series=missing)
    away = await ledger.read(hazard)
    assert (away["gate"]["verdict"], away["gate"]["reasons"]) == ("blind", ["all_blind", "series_unavailable", "papers_needed"])
    await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_instead", note="已降温")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已降温", evidence=[paper()])
    await missing.close()
