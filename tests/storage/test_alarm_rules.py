"""Versions of alarm rules: files and console, who wins, two editors at once, the record, undo. On SQLite and PostgreSQL."""

from functools import partial

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from hazards.errors import BadInput, BihuanError, Conflict, NotFound
from hazards.ledger.record import first_broken, read_entry
from hazards.rules import AlarmRule, Override, Words
from hazards.zones import Enterprise, Grade, Site, Zone
from storage import schema
from storage.alarm_rules import (
    Author,
    Change,
    RuleChanged,
    RuleVersion,
    history,
    newest_rule_revision,
    newest_version,
    put_rule,
    restore_rule,
    rules_in_force,
    withdraw_rule,
)
from storage.database import Database
from storage.policies import apply_policy
from storage.site_store import apply_site, current_registry, newest_revision
from tests.packs import POLICY
from tests.rules import SHEET, rule
from tests.storage.at_once import at_once

WANG = Author("wang", "administrator", 100)
SITE = Site(id="park", name="园区", enterprises=[Enterprise("alu", "铝业")], zones=[Zone("smelter", "熔铸", Grade.RED, "alu")])


def apply(database: Database, *rules: AlarmRule, now: int = 1) -> None:
    """The site file with these rules."""
    with database.write() as connection:
        apply_site(connection, replace(SITE, rules=list(rules)), by="file", now=now)


def put(database: Database, new: AlarmRule, version: int, reason: str = "烟囱检修", author: Author = WANG) -> RuleVersion:
    with database.write() as connection:
        return put_rule(connection, new, version=version, reason=reason, author=author, files=current_registry(connection).files)


def withdraw(database: Database, name: str, version: int) -> RuleVersion:
    with database.write() as connection:
        return withdraw_rule(connection, name, version=version, reason="不再需要", author=WANG, files=current_registry(connection).files)


def restore(database: Database, name: str, number: int, version: int) -> RuleVersion:
    with database.write() as connection:
        files = current_registry(connection).files
        return restore_rule(connection, name, number, version=version, reason="改错了", author=WANG, files=files)


def in_force(database: Database) -> dict[str, AlarmRule]:
    """As the registry has them, which must be what SQL has."""
    with database.read() as connection:
        registry = current_registry(connection)
        assert registry.rules == rules_in_force(connection) and registry.revision == newest_revision(connection)
        return dict(registry.rules)


def told(database: Database, name: str = "melt_hot") -> list[tuple[int, str, str, bool]]:
    with database.read() as connection:
        return [(v.number, v.source, v.change.value, v.withdrawn) for v in history(connection, name)]


def mine(database: Database) -> dict[str, float | None]:
    """The limits of this test's rules that hold."""
    return {name: each.limit for name, each in in_force(database).items() if name.startswith("melt")}


def test_the_same_file_again_makes_no_version_and_does_not_undo_the_console(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    apply(database, rule(), now=2)
    assert mine(database) == {"melt_hot": 70.0}
    assert told(database) == [(2, "console", "edited", False), (1, "site", "file", False)]


def test_a_file_that_changed_a_rule_after_a_console_edit_wins_and_says_what_it_replaced(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    apply(database, rule(limit=75.0), now=2)
    with database.read() as connection:
        newest = newest_version(connection, "melt_hot")
    assert mine(database) == {"melt_hot": 75.0}
    assert (newest.number, newest.actor, dict(newest.details)) == (3, "file", {"replaces": 2})


def test_the_site_wins_over_the_pack_and_without_it_the_packs_rule_holds_again(database: Database) -> None:
    pack = replace(POLICY, version="guangyuan-hot", alarm_rules=(*POLICY.alarm_rules, rule(limit=90.0), rule("melt_cold", limit=5.0)))
    apply(database)
    with database.write() as connection:
        apply_policy(connection, pack, by="zhao", role="administrator", now=2)
    assert mine(database) == {"melt_hot": 90.0, "melt_cold": 5.0}
    apply(database, rule(), now=3)
    assert mine(database) == {"melt_hot": 80.0, "melt_cold": 5.0}
    apply(database, now=4)
    assert mine(database) == {"melt_hot": 90.0, "melt_cold": 5.0}
    assert [line[1] for line in told(database)] == ["pack", "site", "pack"]
    with database.write() as connection:
        apply_policy(connection, replace(POLICY, version="guangyuan-cool"), by="zhao", role="administrator", now=5)
    assert mine(database) == {}
    assert told(database)[0] == (4, "pack", "gone", True)
    with database.write() as connection:
        apply_policy(connection, replace(pack, version="guangyuan-hot-2"), by="zhao", role="administrator", now=6)
    assert mine(database) == {"melt_hot": 90.0, "melt_cold": 5.0}


def test_a_file_without_the_rule_does_not_end_what_the_console_made_of_it(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    apply(database, now=2)
    assert mine(database) == {"melt_hot": 70.0}
    assert withdraw(database, "melt_hot", 2).withdrawn
    assert mine(database) == {}
    apply(database, rule(), now=3)
    assert mine(database) == {"melt_hot": 80.0}, "a rule that a file has again holds again"


def test_withdrawing_brings_the_files_rule_back_and_ends_one_of_the_console(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    put(database, rule("melt_new"), 0)
    assert (withdraw(database, "melt_hot", 2).source, mine(database)) == ("site", {"melt_hot": 80.0, "melt_new": 80.0})
    with pytest.raises(Conflict, match="nothing of the console"):
        withdraw(database, "melt_hot", 3)
    withdraw(database, "melt_new", 1)
    assert mine(database) == {"melt_hot": 80.0}
    assert put(database, rule("melt_new", limit=60.0), 2).number == 3, "it may come back"
    assert [line[2:] for line in told(database, "melt_new")] == [("edited", False), ("withdrawn", True), ("edited", False)]


def test_an_old_version_holds_again_as_a_new_one_and_nothing_is_lost(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    put(database, rule(limit=60.0), 2)
    assert (restore(database, "melt_hot", 2, 3).source, mine(database)) == ("console", {"melt_hot": 70.0})
    assert (restore(database, "melt_hot", 1, 4).source, mine(database)) == ("site", {"melt_hot": 80.0})
    with database.read() as connection:
        versions = history(connection, "melt_hot")
    assert [v.rule.limit for v in versions] == [80.0, 70.0, 60.0, 70.0, 80.0]
    assert [v.details.get("restored") for v in versions] == [1, 2, None, None, None]
    for number, problem in ((5, BadInput), (9, NotFound)):
        with pytest.raises(problem):
            restore(database, "melt_hot", number, 5)


def test_who_saves_over_a_version_not_looked_at_is_told_what_was_done_since(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1, author=Author("li", "bureau", 7))
    for work in (partial(put, database, rule(limit=1.0), 1), partial(withdraw, database, "melt_hot", 1), partial(put, database, rule(), 0)):
        with pytest.raises(RuleChanged, match="at version 2 by now") as caught:
            work()
        assert caught.value.since[0].actor == "li"
    with pytest.raises(NotFound):
        withdraw(database, "nothing", 0)
    assert mine(database) == {"melt_hot": 70.0}


def test_of_two_editors_at_once_one_wins_and_the_other_hears_of_it(database: Database) -> None:
    apply(database, rule())
    for n in range(1, 4):
        found = at_once(*(partial(put, database, rule(limit=n * 10.0 + who), n, author=Author(f"p{who}", "bureau", 9)) for who in range(4)))
        (won,) = [each for each in found if not isinstance(each, BihuanError)]
        lost = [each for each in found if isinstance(each, BihuanError)]
        assert len(lost) == 3 and all(isinstance(e, RuleChanged) and e.since[0].actor == won.actor for e in lost)
        assert won.number == n + 1 and mine(database) == {"melt_hot": won.rule.limit}


def test_rules_changed_at_once_are_never_passed_over_by_who_watches_the_revision(database: Database) -> None:
    apply(database)
    with database.read() as connection:
        before = newest_rule_revision(connection)
    at_once(*(partial(put, database, rule(f"melt_{n}"), 0) for n in range(6)))
    with database.read() as connection:
        assert newest_rule_revision(connection) == before + 6
    assert len(mine(database)) == 6


def test_saving_what_holds_already_changes_nothing(database: Database) -> None:
    apply(database, rule())
    assert put(database, rule(), 1).number == 1
    put(database, rule(limit=70.0), 1)
    assert put(database, rule(limit=70.0), 2).number == 2


def test_a_clause_is_nobodys_word_any_more_once_a_person_set_other_numbers(database: Database) -> None:
    apply(database, rule(basis="clause"))
    worded = put(database, rule(basis="clause", name=Words("熔炉", "furnace"), response=replace(SHEET, within=1)), 1)
    assert (worded.rule.basis, worded.source) == ("clause", "console")
    other = rule(basis="clause", overrides={"smelter": Override(limit=60.0)})
    assert put(database, other, 2).rule.basis == "site"
    assert put(database, rule("melt_new", basis="clause"), 0).rule.basis == "site"


def test_each_change_is_an_entry_of_the_record_chained_to_the_one_before(database: Database) -> None:
    apply(database, rule())
    put(database, rule(limit=70.0), 1)
    put(database, rule("melt_new"), 0)
    withdraw(database, "melt_new", 1)
    table = schema.hazard_events
    with database.read() as connection:
        rows = connection.execute(select(table).where(table.c.hazard.like("rule:melt%")).order_by(table.c.hazard, table.c.number)).all()
    for name in ("melt_hot", "melt_new"):
        assert first_broken((r.number, r.body, r.digest) for r in rows if r.hazard == f"rule:{name}") is None
    entries = [read_entry(row.body) for row in rows]
    assert [(e.actor, e.state, e.details["change"]) for e in entries] == [
        ("file", "in_force", Change.FILE), ("wang", "in_force", Change.EDITED), ("wang", "in_force", Change.EDITED),
        ("wang", "withdrawn", Change.WITHDRAWN),
    ]  # fmt: skip
    assert entries[1].details["reason"] == "烟囱检修" and entries[1].details["digest_before"] == entries[0].details["digest"]
