"""What `bihuan ledger verify` names, on SQLite and PostgreSQL: whatever somebody with the database's own password did."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, func, update

from bihuan.ledger.key import make_key, replace_key
from bihuan.ledger.verify import Verification
from hazards.ledger.lifecycle import State
from storage import schema
from storage.alarm_rules import Author, Files, put_rule
from storage.database import Database
from tests.bihuan.ledger.world import ANCHORS, DAY, EVENTS, HEADS, World, anchor_anew, cut, forget, put, rewrite, without_holds
from tests.hazards.signals import NOON
from tests.packs import RECORDED, SHANXI
from tests.rules import rule

PACK, HAZARDS = schema.policies, schema.hazards
Tampering = Callable[[Connection, dict[str, str]], None]


def three_days(world: World) -> dict[str, str]:
    """Three days: hazards a (events 1 to 3 on the first day, 4 and 5 on the second), b (only the first), c (only the third); one event
    of a on the fourth is not anchored yet."""
    a, b = world.hazard(1, comments=2), world.hazard(2, comments=1)
    world.now += DAY
    world.anchor()
    world.comment(a)
    world.comment(a)
    world.now += DAY
    world.anchor()
    c = world.hazard(3)
    world.now += DAY
    world.anchor()
    world.comment(a)
    days = {f"day{n}": row.day for n, row in enumerate(world.anchors(), 1)}
    return {"a": a, "b": b, "c": c} | days


@pytest.fixture
def lived(world: World) -> dict[str, str]:
    """``three_days`` of the world."""
    return three_days(world)


def named(lines: list[str], lived: dict[str, str]) -> list[str]:
    """Ids back to the names that the tests use."""
    for name, value in lived.items():
        lines = [line.replace(value, name) for line in lines]
    return lines


def test_what_nobody_touched_has_no_findings(world: World, lived: dict[str, str]) -> None:
    counted = [(5 + RECORDED, 2 + RECORDED), (7 + RECORDED, 1), (8 + RECORDED, 1)]
    assert [(row.anchor().events, row.anchor().changed) for row in world.anchors()] == counted
    assert world.verify() == world.verify(outside=False) == []


def _edit(connection: Connection, hazard: str, number: int, **values: object) -> None:
    connection.execute(update(EVENTS).where(EVENTS.c.hazard == hazard, EVENTS.c.number == number).values(**values))


def _body(connection: Connection, hazard: str, number: int) -> bytes:
    data: bytes = connection.execute(EVENTS.select().where(EVENTS.c.hazard == hazard, EVENTS.c.number == number)).one().body
    return data


def _change_text(c: Connection, at: dict[str, str]) -> None:
    _edit(c, at["a"], 2, body=_body(c, at["a"], 2).replace("第 0 次".encode(), "第 9 次".encode()))


def _remove(c: Connection, at: dict[str, str]) -> None:
    c.execute(EVENTS.delete().where(EVENTS.c.hazard == at["a"], EVENTS.c.number == 2))


def _swap(c: Connection, at: dict[str, str]) -> None:
    one, two = _body(c, at["a"], 2), _body(c, at["a"], 3)
    _edit(c, at["a"], 2, body=two)
    _edit(c, at["a"], 3, body=one)


def _cut_without_its_row(c: Connection, at: dict[str, str]) -> None:
    c.execute(EVENTS.delete().where(EVENTS.c.hazard == at["a"], EVENTS.c.number == 6))


def _close_the_row(c: Connection, at: dict[str, str]) -> None:
    c.execute(update(HAZARDS).where(HAZARDS.c.id == at["b"]).values(state="closed"))


def _row(**values: object) -> Tampering:
    """Columns of b's row alone."""
    return lambda c, at: c.execute(update(HAZARDS).where(HAZARDS.c.id == at["b"]).values(**values))


def _whole_row(**changes: object) -> Tampering:
    """b's row so that its columns and its body agree."""
    return lambda c, at: put(c, at["b"], **changes)


def _invent(hazard: str, **columns: object) -> Tampering:
    """A row like b's of which nothing is recorded."""

    def work(c: Connection, at: dict[str, str]) -> None:
        row = dict(c.execute(HAZARDS.select().where(HAZARDS.c.id == at["b"])).one()._mapping)
        row |= {"id": hazard, "body": row["body"].replace(at["b"], hazard)}
        c.execute(HAZARDS.insert().values(**row | columns))

    return work


NOT_AS_LEFT = "changed: hazard b: its body is not the one that event 2 left"
ROWS: dict[str, tuple[Tampering, list[str]]] = {
    "a due date": (_row(due_at=NOON + 90 * DAY), [
        "changed: hazard b: its column due_at says 2027-02-21T02:13:20.000000Z, its body 2026-12-08T15:59:59.000000Z"]),
    "a due date in column and body": (_whole_row(due_at=NOON + 90 * DAY), [NOT_AS_LEFT]),
    "no due date any more": (_whole_row(due_at=None), [NOT_AS_LEFT]),
    "an enterprise": (_row(enterprise="steel"), ["changed: hazard b: its column enterprise says steel, its body alu"]),
    "an enterprise in column and body": (_whole_row(enterprise="steel"), [NOT_AS_LEFT]),
    "an enterprise and a zone": (_row(enterprise=None, zone="yard"), [
        "changed: hazard b: its column zone says yard, its body smelter",
        "changed: hazard b: its column enterprise says nothing, its body alu"]),
    "a grade": (_row(grade="general"), ["changed: hazard b: its column grade says general, its body serious"]),
    "a grade in column and body": (_whole_row(grade="general", proposed_grade="general"), [NOT_AS_LEFT]),
    "a state in column and body": (_whole_row(state=State.CLOSED, closed_at=NOON), [
        "changed: hazard b: its row says state closed, its record proposed", NOT_AS_LEFT]),
    "a mark": (_row(repeated=True), ["changed: hazard b: its column repeated says True, its body False"]),
    "who was last": (_whole_row(last_actor="mallory"), [
        "changed: hazard b: its row says last_actor mallory, its record wang", NOT_AS_LEFT]),
    "a description in the body": (_whole_row(description="无隐患"), [NOT_AS_LEFT]),
    "a field that nobody knows": (
        lambda c, at: c.execute(update(HAZARDS).where(HAZARDS.c.id == at["b"]).values(
            body=func.replace(HAZARDS.c.body, '"zone":', '"unknown":1,"zone":'))), [NOT_AS_LEFT]),
    "a body": (_row(body="{}"), ["changed: hazard b: its body is no hazard"]),
    "a version": (_row(version=1), ["changed: hazard b: its row stands at version 1, its record at 2"]),
    "a hazard's name": (_row(id="other"), [
        "vanished: hazard b: its row is gone, 2 events of its record are there",
        "cut off: hazard other, events 1 to 2: it stands at version 2",
        "changed: hazard other: its column id says other, its body b"]),
    "a row gone": (lambda c, at: c.execute(HAZARDS.delete().where(HAZARDS.c.id == at["b"])), [
        "vanished: hazard b: its row is gone, 2 events of its record are there"]),
    "a row invented": (_invent("invented"), ["cut off: hazard invented, events 1 to 2: it stands at version 2"]),
    "a row invented without a version": (
        lambda c, at: (_invent("invented")(c, at), put(c, "invented", version=0)),
        ["changed: hazard invented: its row stands at version 0, its record at 0"]),
    "a row under the name of a pack": (_invent("policy:shanxi"), [
        "cut off: policy pack shanxi, event 2: it stands at version 2"]),
    "when a clock looks next": (_row(wake_at=None), [
        "changed: hazard b: its column wake_at says nothing, its body 2026-11-30T21:06:39.500000Z"]),
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
def test_it_names_what_was_done_to_a_hazards_own_row_also_without_any_anchor(world: World, what: str) -> None:
    (tampering, lines), there = ROWS[what], {"b": world.hazard(2, comments=1)}
    world.tamper(lambda c: tampering(c, there))
    assert sorted(named(world.verify(keys=[]), there)) == sorted(lines)


def test_a_row_made_to_fit_together_with_its_newest_event_is_a_rewritten_chain(world: World, lived: dict[str, str]) -> None:
    def work(connection: Connection) -> None:
        put(connection, lived["b"], due_at=NOON + 90 * DAY)
        rewrite(connection, lived["b"], 2, actor="wang")

    world.tamper(work)
    assert named(world.verify(), lived) == ["rewritten: hazard b, events 1 to 2: not the record that was anchored for day1"]


def test_what_was_recorded_before_entries_held_their_hazard_stays_right(world: World, lived: dict[str, str]) -> None:
    world.tamper(lambda c: without_holds(c, lived["b"]))
    anchored = ["rewritten: hazard b, events 1 to 2: not the record that was anchored for day1"]
    assert named(world.verify(), lived) == anchored, "these bytes are others than were anchored here, and nothing else is wrong with them"
    world.tamper(lambda c: _row(due_at=None)(c, lived))
    due = "changed: hazard b: its column due_at says nothing, its body 2026-12-08T15:59:59.000000Z"
    assert named(world.verify(), lived) == [*anchored, due]
    world.comment(lived["b"])
    world.tamper(lambda c: put(c, lived["b"], title="别的"))
    assert named(world.verify(), lived)[1:] == ["changed: hazard b: its body is not the one that event 3 left"]


INSIDE: dict[str, tuple[Tampering, list[str]]] = {
    "a changed event": (
        _change_text, ["changed: hazard a, event 2: its digest does not follow from the event before it and its own bytes"]),
    "a missing event": (_remove, ["missing: hazard a, event 2: not in the record"]),
    "two events in each other's place": (_swap, ["reordered: hazard a, event 2: it holds what was recorded as event 3",
                                                 "reordered: hazard a, event 3: it holds what was recorded as event 2"]),
    "the end, its row left": (_cut_without_its_row, ["cut off: hazard a, event 6: it stands at version 6"]),
    "the end, its row set back": (
        lambda c, at: cut(c, at["a"], 4), ["cut off: hazard a, event 5: anchored for day2, not in the record any more"]),
    "a hazard": (lambda c, at: forget(c, at["b"]), ["vanished: hazard b: anchored for day1 with 2 events, nothing is left of it"]),
    "a hazard's own row": (_close_the_row, ["changed: hazard b: its column state says closed, its body proposed"]),
    "a whole chain": (
        lambda c, at: rewrite(c, at["a"], 4), ["rewritten: hazard a, events 4 to 5: not the record that was anchored for day2"]),
    "a chain from its start": (
        lambda c, at: rewrite(c, at["b"], 1), ["rewritten: hazard b, events 1 to 2: not the record that was anchored for day1"]),
}  # fmt: skip


@pytest.mark.parametrize("what", INSIDE)
def test_it_names_what_was_done_to_a_record(world: World, lived: dict[str, str], what: str) -> None:
    tampering, lines = INSIDE[what]
    world.tamper(lambda c: tampering(c, lived))
    assert named(world.verify(), lived) == lines
    assert named(world.verify(outside=False), lived) == lines, "the anchors in the database are enough for it"


TOGETHER: dict[str, tuple[Tampering, list[str]]] = {
    "a chain": (lambda c, at: rewrite(c, at["a"], 4), ["hazard a, event 5"]),
    "a chain from its start": (lambda c, at: rewrite(c, at["b"], 1), ["hazard b, event 2"]),
    "an end": (lambda c, at: cut(c, at["a"], 3), ["hazard a, events 4 to 5"]),
    "a vanished hazard": (lambda c, at: forget(c, at["b"]), ["hazard b"]),
}


@pytest.mark.parametrize("what", TOGETHER)
@pytest.mark.parametrize("signer", ["nobody", "a thief's own key", "the stolen key"])
def test_a_record_rewritten_together_with_its_anchors_is_found(world: World, lived: dict[str, str], what: str, signer: str) -> None:
    tampering, places = TOGETHER[what]
    key = {"nobody": None, "the stolen key": world.key()}.get(signer, make_key(world.folder / "thief.key"))

    def work(connection: Connection) -> None:
        tampering(connection, lived)
        anchor_anew(connection, key)

    world.tamper(work)
    alone = named(world.verify(outside=False), lived)
    if signer == "the stolen key":
        assert alone == [], "who holds database and key can be convicted from outside only"
    else:
        assert {line.partition(":")[0] for line in alone} == {"signature"}
    lines = named(world.verify(), lived)
    assert [line.split(": ")[1] for line in lines if line.startswith(("rewritten", "cut off", "vanished"))] == places
    assert any("was rewritten" in line for line in lines if line.startswith("anchor"))


def test_the_newest_anchors_taken_out_with_their_events_are_found_from_outside(world: World, lived: dict[str, str]) -> None:
    def work(connection: Connection) -> None:
        forget(connection, lived["c"])
        cut(connection, lived["a"], 3)
        connection.execute(HEADS.delete().where(HEADS.c.anchor >= 2))
        connection.execute(ANCHORS.delete().where(ANCHORS.c.number >= 2))

    world.tamper(work)
    assert world.verify(outside=False) == []
    assert [line for line in named(world.verify(), lived) if not line.startswith("anchor")] == [
        "cut off: hazard a, events 4 to 5: anchored for day2, not in the record any more",
        "vanished: hazard c: anchored for day3 with 1 events, nothing is left of it",
    ]


def test_an_event_that_was_kept_out_of_an_anchor_is_found(world: World, lived: dict[str, str]) -> None:
    def hide(connection: Connection) -> None:  # as if the job had been made to overlook hazard a on the second day
        connection.execute(HEADS.delete().where(HEADS.c.anchor == 2))
        row = next(row for row in world.anchors() if row.number == 2)
        empty = msgspec.structs.replace(row.anchor(), changed=0, heads="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        statement = msgspec.json.encode(empty, order="sorted")
        signed = {"body": statement, "signature": world.key().sign(statement)}
        connection.execute(update(ANCHORS).where(ANCHORS.c.number == 2).values(**signed))

    world.tamper(hide)
    lines = named(world.verify(outside=False), lived)
    hazards = 2 + RECORDED
    told = f"it counted {7 + RECORDED} events of {hazards} hazards, the heads account for {5 + RECORDED} of {hazards}"
    assert f"anchor: anchor 2 (day2): {told}" in lines


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        (ANCHORS.delete().where(ANCHORS.c.number == 2), "anchor: anchor 2: missing from the database"),
        (update(ANCHORS).where(ANCHORS.c.number == 2).values(body=b"{\xff"), "anchor: anchor 2 (day2): its bytes are no anchor"),
        (update(ANCHORS).where(ANCHORS.c.number == 2).values(digest="0" * 64),
         "anchor: anchor 2 (day2): the columns of its row are not what its bytes say"),
        (update(HEADS).where(HEADS.c.anchor == 1).values(digest="0" * 64),
         f"anchor: anchor 1 (day1): its heads in the database ({2 + RECORDED}) are not those that were signed ({2 + RECORDED})"),
        (HEADS.delete().where(HEADS.c.anchor == 3),
         "anchor: anchor 3 (day3): its heads in the database (0) are not those that were signed (1)"),
        (update(ANCHORS).where(ANCHORS.c.number == 2).values(signature="00"),
         "signature: anchor 2 (day2): it is not signed by the key that it names: its bytes were changed"),
    ],
)  # fmt: skip
def test_an_anchor_that_was_touched_is_named(world: World, lived: dict[str, str], statement: object, line: str) -> None:
    world.tamper(lambda c: c.execute(statement))  # type: ignore[call-overload]
    assert line in named(world.verify(), lived)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE hazard_events SET body = 'text' WHERE number = 2 AND hazard = '{a}'", "changed: hazard a, event 2: its bytes are no"),
        ("UPDATE hazard_events SET number = 'two' WHERE number = 2 AND hazard = '{a}'", "changed: hazard a: a row holds what is never"),
        ("UPDATE hazard_events SET digest = x'00' WHERE number = 2 AND hazard = '{a}'", "changed: hazard a: a row holds what is never"),
        ("UPDATE hazards SET version = 'two' WHERE id = '{b}'", "changed: hazard b: a row holds what is never"),
        ("UPDATE hazards SET title = CAST(x'ff' AS TEXT) WHERE id = '{b}'", "changed: hazards from the first on: a row"),
        ("UPDATE hazard_events SET actor = CAST(x'ff' AS TEXT) WHERE hazard = '{b}'", "changed: hazards from the first on: a row"),
        ("UPDATE anchors SET body = 'text' WHERE number = 2", "anchor: anchor 2 (day2): its bytes are no anchor"),
        ("UPDATE anchors SET handovers = 'text'", None),
    ],
)
def test_values_of_another_type_are_named_and_do_not_stop_it(
    sqlite_database: Database, tmp_path: Path, statement: str, line: str | None
) -> None:
    world = World(sqlite_database, tmp_path)
    lived = three_days(world)
    world.tamper(lambda c: c.exec_driver_sql(statement.format(**lived)))
    lines = named(world.verify(), lived)
    assert any(found.startswith(line) for found in lines) if line is not None else lines == []


def test_an_evidence_file_that_is_missing_or_changed_is_named(world: World) -> None:
    hazard, kept = world.claimed_with(1, b"kept")
    other, lost = world.claimed_with(2, b"lost")
    world.anchor()
    assert world.verify() == []
    (path,) = world.folder.glob(f"evidence/*/*/{kept}")
    path.write_bytes(b"forged")
    (gone,) = world.folder.glob(f"evidence/*/*/{lost}")
    gone.unlink()
    assert sorted(world.verify()) == sorted([
        f"evidence: {kept}, named by hazard {hazard}, event 4: the file is not the one that was recorded",
        f"evidence: {lost}, named by hazard {other}, event 4: the file is missing",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (lambda c: c.execute(update(PACK).where(PACK.c.version == SHANXI.version).values(body="{}")),
         [f"changed: policy pack shanxi, event 1: the version {SHANXI.version} holds something else than was applied"]),
        (lambda c: c.execute(PACK.delete().where(PACK.c.id == "shanxi")),
         ["missing: policy pack shanxi, event 1: the version shanxi-3 is not there any more",
          "vanished: policy pack shanxi: its row is gone, 1 events of its record are there"]),
        (lambda c: c.execute(EVENTS.delete().where(EVENTS.c.hazard == "policy:shanxi")),
         ["cut off: policy pack shanxi, event 1: it stands at version 1"]),
    ],
)  # fmt: skip
def test_a_policy_pack_that_was_changed_taken_away_or_put_in_is_named(
    world: World, tampering: Callable[[Connection], object], said: list[str]
) -> None:
    assert world.verify(keys=[]) == []
    world.tamper(tampering)
    assert world.verify(keys=[]) == said


def test_what_is_wrong_outside_is_named_too(world: World, lived: dict[str, str]) -> None:
    first, second, third = sorted(world.outside.iterdir())
    first.write_bytes(first.read_bytes().replace(f'\\"events\\":{5 + RECORDED},'.encode(), b'\\"events\\":1,'))
    third.write_bytes(third.read_bytes()[:100])
    (world.outside / "notes.txt").write_text("not an anchor, and nobody asks it to be one")
    lines = named(world.verify(), {**lived, "first": first.name, "third": third.name})
    assert any(line.startswith("signature: ") and first.name.split("-")[3] in line for line in lines)
    assert any("is no anchor, or was damaged" in line for line in lines)
    heads = second.read_bytes()
    second.write_bytes(heads.replace(lived["a"].encode(), lived["b"].encode()))
    assert any("its heads are not those that were signed" in line for line in world.verify())


def test_a_new_key_that_the_old_one_handed_over_to_is_trusted_from_either(world: World, lived: dict[str, str]) -> None:
    old = world.key().public
    new = replace_key(world.key_path).public
    world.now += DAY
    world.anchor()
    assert [row.anchor().key for row in world.anchors()] == [old, old, old, new]
    assert world.verify(keys=[old]) == world.verify(keys=[new]) == []
    other = make_key(world.folder / "other.key").public
    assert {line.partition(":")[0] for line in world.verify(keys=[other])} == {"signature"}


def test_a_new_key_in_place_of_a_lost_one_must_be_given(world: World, lived: dict[str, str]) -> None:
    old = world.key().public
    world.key_path.unlink()
    new = replace_key(world.key_path, lost=old).public
    world.now += DAY
    world.anchor()
    assert world.verify(keys=[new]) == []
    (line,) = named(world.verify(keys=[old], outside=False), lived)
    assert line.startswith("signature: anchor 4") and new in line


def test_without_a_key_the_first_anchors_is_taken_and_said(world: World, lived: dict[str, str]) -> None:
    run = Verification(world.database, world.evidence)
    assert list(run.findings()) == [] and "no public key was given" in run.tally.notes[0]
    assert (run.tally.events, run.tally.hazards, run.tally.anchors, run.tally.unanchored) == (9 + RECORDED, 3 + RECORDED, 3, 1)


RULES = schema.alarm_rules


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        (lambda c: c.execute(update(RULES).where(RULES.c.number == 1).values(body=func.replace(RULES.c.body, "80.0", "800.0"))),
         ["changed: alarm rule melt_hot, event 1: the version 1 holds something else than was applied"]),
        (lambda c: c.execute(update(RULES).where(RULES.c.number == 2).values(withdrawn=True)),
         ["changed: alarm rule melt_hot: its row says state withdrawn, its record in_force"]),
        (lambda c: c.execute(RULES.delete().where(RULES.c.number == 2)),
         ["missing: alarm rule melt_hot, event 2: the version 2 is not there any more",
          "changed: alarm rule melt_hot: its row stands at version 1, its record at 2"]),
    ],
)  # fmt: skip
def test_an_alarm_rule_that_was_changed_behind_the_record_is_named(
    world: World, tampering: Callable[[Connection], object], said: list[str]
) -> None:
    with world.database.write() as connection:
        for version, limit in enumerate((80.0, 70.0)):
            put_rule(connection, rule(limit=limit), version=version, reason="r", author=Author("wang", "bureau", NOON), files=Files())
    assert world.verify(keys=[]) == []
    world.tamper(tampering)
    assert world.verify(keys=[]) == said
