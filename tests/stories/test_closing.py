"""Closed by list (销号, 004(19)(29)) with the whole process on record; and reopening, transfer and merging of duplicates."""

from datetime import datetime, timedelta
from hashlib import sha256

from tests.api.ledger import BY_BOTH, PLAN, Ledger, paper


async def test_the_record_of_a_major_hazard_tells_its_whole_life_in_one_chain(ledger: Ledger) -> None:
    hazard = await ledger.put_down("enterprise:alu", grade="major")
    steps = [
        ("enterprise:alu", "report", {"to": "department", "recipient": "工信局"}),
        ("operator", "measure", {"kind": "isolate", "authority": "值班长"}),
        ("bureau", "confirm", {"grade": "major", "criterion": "demo-5"}),
        ("park_command", "list", {"number": "挂-1", "supervisor": "指挥部"}),
        ("enterprise:alu", "publish", {"place": "公示栏"}), ("enterprise:alu", "plan", PLAN), ("department", "approve_plan", {}),
        ("enterprise:alu", "start_rectification", {}), ("enterprise:alu", "claim", {"note": "已整改", "evidence": [paper()]}),
        *BY_BOTH, ("department", "accept", {}), ("operator", "end_measure", {"measure": 3}),
        ("park_command", "lift_listing", {}), ("bureau", "close", {}),
    ]  # fmt: skip
    for who, command, fields in steps:
        await ledger.done(hazard, who, command, **fields)
    record = await ledger.record(hazard)
    assert [e["event"] for e in record] == [
        "proposed", "reported_to_department", "measure_taken", "confirmed", "listed", "published", "plan_filed", "plan_approved",
        "rectification_started", "claimed", "inspected", "inspected", "accepted", "measure_ended", "listing_lifted", "closed",
    ]  # fmt: skip
    digest = "0" * 64
    for number, entry in enumerate(record, 1):
        digest = sha256(digest.encode() + entry["recorded"].encode()).hexdigest()
        assert (entry["number"], entry["digest"]) == (number, digest) and entry["ruling"]["rule"] and entry["event_name"]["zh"]
        assert entry["ruling"]["basis"] in ("clause", "interpretation", "platform_default")
        assert (entry["ruling"]["basis"] == "platform_default") == (not entry["ruling"]["sources"])


async def test_nothing_is_closed_before_it_is_accepted_and_nothing_is_deleted(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    for who in ("bureau", "administrator"):
        problem = await ledger.refused(hazard, who, "close", 409, "close_by_list")
        assert problem["basis"] == "clause"
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.refused(hazard, "bureau", "close", 409, "close_by_list")
    for method in ("DELETE", "PUT", "PATCH"):
        for path in ("", "/events", "/commands"):
            answer = await ledger.client.request(method, f"/api/v1/hazards/{hazard['id']}{path}", headers=ledger.of("administrator"))
            assert answer.status_code == 405


async def test_what_comes_back_is_reopened_with_a_new_limit_and_everything_anew(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="major")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.refused(hazard, "department", "reopen", 409, "recurrence", reason="复发")
    await ledger.inspected(hazard)
    await ledger.done(hazard, "department", "accept")
    await ledger.done(hazard, "department", "close")
    ledger.later(days=40)
    await ledger.refused(hazard, "enterprise:alu", "reopen", 403, "recurrence", reason="复发")
    back = await ledger.done(hazard, "department", "reopen", reason="同一部位再次泄漏")
    assert (back["state"], back["plan"], back["claim"], back["tracks"], back["closed_at"]) == ("confirmed", None, None, {}, None)
    due, reopened = (datetime.fromisoformat(back[name]) for name in ("due_at", "reopened_at"))
    assert due.date() - reopened.date() == timedelta(days=15) and not back["overdue"]
    await ledger.last(hazard, "reopened", "recurrence", "platform_default")
    await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_before_rectification")


async def test_another_body_takes_over_with_a_reason_and_no_clock_stops(ledger: Ledger) -> None:
    hazard = await ledger.confirmed()
    await ledger.refused(hazard, "enterprise:alu", "transfer", 403, "transfer", to="交通局", reason="x")
    unsaid = await ledger.give(hazard, "department", "transfer", to="交通局", reason=" ")
    assert (unsaid.status_code, unsaid.json()["pointer"]) == (422, "/reason")
    moved = await ledger.done(hazard, "department", "transfer", to="区交通局", reason="属道路运输")
    assert (moved["supervising_body"], moved["due_at"], moved["state"]) == ("区交通局", hazard["due_at"], "confirmed")
    await ledger.last(hazard, "transferred", "transfer", "platform_default")


async def test_duplicates_are_merged_and_the_earlier_due_date_stands(ledger: Ledger) -> None:
    early = await ledger.confirmed()
    ledger.later(days=3)
    late = await ledger.confirmed()
    assert early["due_at"] < late["due_at"]
    into = {"into": late["id"], "reason": "同一隐患重复登记"}
    await ledger.refused(early, "enterprise:alu", "merge", 403, "duplicates", **into)
    await ledger.refused(early, "operator", "merge", 403, "duplicates", **into)
    merged = await ledger.done(early, "department", "merge", **into)
    assert (merged["state"], merged["merged_into"]) == ("merged", late["id"])
    await ledger.last(early, "merged", "duplicates", "platform_default")
    kept = await ledger.read(late)
    assert (kept["due_at"], kept["duplicates"], kept["state"]) == (early["due_at"], [early["id"]], "confirmed")
    assert (await ledger.last(late, "duplicate_taken", "duplicates", "platform_default"))["duplicate"] == early["id"]
    await ledger.refused(early, "enterprise:alu", "start_rectification", 409, "confirmed_before_rectification")
    await ledger.refused(late, "department", "merge", 409, "duplicates", into=early["id"], reason="反向并案")


async def test_only_the_same_thing_is_merged_and_no_limit_gets_lost_by_it(ledger: Ledger) -> None:
    hazard = await ledger.confirmed()
    for other in (
        await ledger.put_down(zone="depot"), await ledger.put_down(kind="documents"),
        {"id": "00000000-0000-0000-0000-000000000000"}, hazard,
    ):  # fmt: skip
        answer = await ledger.give(hazard, "department", "merge", into=other["id"], reason="x")
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/into"), answer.text
    proposed = await ledger.put_down()
    problem = await ledger.refused(hazard, "department", "merge", 409, "duplicates", into=proposed["id"], reason="x")
    assert "merge the other one" in problem["hint"]
    await ledger.done(proposed, "bureau", "measure", kind="seal", authority="应急局")
    problem = await ledger.refused(proposed, "department", "merge", 409, "duplicates", into=hazard["id"], reason="x")
    assert "in force" in problem["detail"]


async def test_nothing_is_closed_while_its_measures_are_in_force(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    await ledger.done(hazard, "operator", "measure", kind="evacuate", authority="值班长")
    sealed = await ledger.done(hazard, "bureau", "measure", kind="seal", authority="应急局")
    first, second = (measure["number"] for measure in sealed["measures"])
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "accept")
    problem = await ledger.refused(hazard, "department", "close", 409, "measures_ended_before_closing")
    assert f"{first} (evacuate), {second} (seal) are in force" in problem["detail"] and "end_measure" in problem["hint"]
    rows = {row["command"]: row for row in (await ledger.read(hazard, "department"))["commands"]}
    assert not rows["close"]["allowed"] and rows["close"]["why_not"]["rule"] == "measures_ended_before_closing"
    await ledger.done(hazard, "operator", "end_measure", measure=first)
    problem = await ledger.refused(hazard, "department", "close", 409, "measures_ended_before_closing")
    assert "evacuate" not in problem["detail"]
    await ledger.done(hazard, "bureau", "end_measure", measure=second)
    assert (await ledger.done(hazard, "department", "close"))["state"] == "closed"


async def test_what_is_asked_for_or_listed_is_not_dropped_by_merging(ledger: Ledger) -> None:
    goes_on, asking = await ledger.confirmed(), await ledger.confirmed()
    await ledger.done(asking, "enterprise:alu", "request_extension", days=3, cause="weather", reason="暴雨")
    problem = await ledger.refused(asking, "department", "merge", 409, "duplicates", into=goes_on["id"], reason="重复")
    assert problem["detail"] == "its request for more time is not decided" and "sign or refuse" in problem["hint"]
    await ledger.done(asking, "department", "refuse_extension", reason="重复登记")
    await ledger.done(asking, "department", "merge", into=goes_on["id"], reason="重复")

    plain, listed = [await ledger.confirmed(grade="major", kind="documents") for _ in range(2)]
    await ledger.done(listed, "park_command", "list", number="挂-1", supervisor="指挥部")
    problem = await ledger.refused(listed, "department", "merge", 409, "duplicates", into=plain["id"], reason="重复")
    assert problem["detail"] == "it is listed and the one that goes on is not" and "merge the other one" in problem["hint"]
    await ledger.done(plain, "park_command", "list", number="挂-2", supervisor="指挥部")
    await ledger.done(listed, "department", "merge", into=plain["id"], reason="重复")
    lifted = await ledger.done(listed, "park_command", "lift_listing", note="并入挂-2")
    assert (lifted["state"], lifted["tracks"]["listing"]) == ("merged", "lifted")
