"""An anchor a day, made once, delivered until it has arrived: to a folder and to a real mail server."""

import asyncio
import json
import stat
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bihuan.ledger.key import PUBLIC, beside, is_signed, load_key, make_key, replace_key
from bihuan.ledger.mail import MailServer as Address
from bihuan.ledger.mail import read_address
from hazards.errors import Misconfigured
from hazards.ledger.anchors import Head, digest_of, read_anchor, read_document
from storage.anchor_files import document_parts, documents_in
from storage.anchors import deliveries_of, heads_of, keep_heads
from storage.database import Database
from tests.bihuan.ledger.mail_server import MailServer
from tests.bihuan.ledger.world import DAY, World
from tests.packs import RECORDED
from tests.push.pushing import until


@pytest.fixture
def small(sqlite_database: Database, tmp_path: Path) -> World:
    """A world where the kind of database makes no difference."""
    return World(sqlite_database, tmp_path)


@pytest.fixture
def mail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MailServer]:
    made = MailServer(tmp_path, *getattr(request, "param", ()))
    yield made
    made.stop()


def files(world: World) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in documents_in(world.outside)}


def test_each_day_has_one_anchor_also_a_day_without_events(world: World) -> None:
    world.hazard(1)
    for _ in range(3):
        world.anchor()
        world.anchor()  # the same day again
        world.now += DAY
    rows = world.anchors()
    said = [row.anchor() for row in rows]
    assert [(a.number, a.events, a.hazards, a.changed - RECORDED * (a.number == 1)) for a in said] == [
        (1, 1 + RECORDED, 1 + RECORDED, 1), (2, 1 + RECORDED, 1 + RECORDED, 0), (3, 1 + RECORDED, 1 + RECORDED, 0),
    ]  # fmt: skip
    assert len({a.day for a in said}) == 3 and [a.first_day for a in said[1:]] == [a.day for a in said[1:]]
    assert said[2].previous == digest_of(rows[1].statement) and said[0].time_zone == "Asia/Shanghai"
    assert [name for name, _ in files(world).items()] == [f"ledger-anchor-park-00000{a.number}-{a.day}.json" for a in said]


def test_days_that_were_missed_are_one_anchor_that_says_which(world: World) -> None:
    world.anchor()
    world.hazard(1)
    world.now += 5 * DAY
    world.anchor()
    first, made_up = (row.anchor() for row in world.anchors())
    assert made_up.changed == 1
    assert date.fromisoformat(made_up.day) - date.fromisoformat(first.day) == timedelta(days=5)
    assert date.fromisoformat(made_up.first_day) - date.fromisoformat(first.day) == timedelta(days=1)


def test_only_heads_that_changed_are_in_it_and_the_file_holds_them(world: World) -> None:
    ids = [world.hazard(n) for n in range(5)]
    world.anchor()
    world.now += DAY
    world.comment(ids[3])
    world.anchor()
    _, second = (read_document(data) for data in files(world).values())
    assert second.heads is not None
    assert [(h.hazard, h.number) for h in second.heads] == [(ids[3], 2)]
    row = world.anchors()[1]
    whole = b"".join(document_parts(row, heads_of(world.database, 2)))
    assert files(world)[f"ledger-anchor-park-000002-{row.day}.json"] == whole and json.loads(whole)["signature"] == row.signature


def test_what_an_attempt_left_that_was_interrupted_is_cleared(world: World) -> None:
    world.hazard(1)
    with world.database.write() as connection:
        keep_heads(connection, 1, 0, [Head(f"left-{n}", 1, "d") for n in range(1500)])
    world.anchor()
    assert world.anchors()[0].anchor().changed == 1 + RECORDED and world.verify() == []


async def test_several_processes_make_one_anchor(world: World) -> None:
    for n in range(3):
        world.hazard(n)
    jobs = [asyncio.create_task(world.job().run()) for _ in range(3)]
    await until(lambda: files(world), 60)
    world.now += DAY
    await until(lambda: len(files(world)) == 2, 60)
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    assert len(world.anchors()) == 2 and await asyncio.to_thread(world.verify) == []


async def test_a_machine_without_the_key_leaves_it_to_one_that_has_it(world: World, tmp_path: Path) -> None:
    await world.job(poll=60.0).step()
    world.now += DAY
    without = asyncio.create_task(world.job(key=tmp_path / "not-here.key").run())
    await asyncio.sleep(0)  # it is there first
    with_key = asyncio.create_task(world.job().run())
    await until(lambda: len(world.anchors()) == 2, 60)
    for job in (without, with_key):
        job.cancel()
    await asyncio.gather(without, with_key, return_exceptions=True)
    assert not (tmp_path / "not-here.key").exists()


# --- the key ---
def test_the_key_is_made_once_for_its_owner_only_and_its_public_half_lies_beside_it(small: World) -> None:
    small.anchor()
    path = small.key_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    small.now += DAY
    small.anchor()
    assert path.read_bytes() == before and len(small.anchors()) == 2
    assert beside(path, PUBLIC).read_text() == small.key().public_pem()


def test_openssl_verifies_what_we_sign(small: World, tmp_path: Path) -> None:
    """The recipe of docs/ledger-record.md, for who would rather not trust this program."""
    small.anchor()
    document = json.loads(next(iter(files(small).values())))
    (tmp_path / "statement").write_text(document["statement"], encoding="utf-8")
    (tmp_path / "signature").write_bytes(bytes.fromhex(document["signature"]))
    public = beside(small.key_path, PUBLIC)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin", "-in", "statement", "-sigfile", "signature"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Verified Successfully" in done.stdout, done.stderr


def test_a_key_that_others_may_read_is_refused(small: World) -> None:
    make_key(small.key_path)
    small.key_path.chmod(0o640)
    with pytest.raises(Misconfigured, match="others may read"):
        load_key(small.key_path)


@pytest.mark.parametrize("gone", [True, False])
def test_without_the_key_that_signed_before_no_anchor_is_made_and_no_new_key(small: World, gone: bool) -> None:
    small.anchor()
    small.key_path.unlink()
    if not gone:
        make_key(small.key_path)
    small.now += DAY
    with pytest.raises(Misconfigured, match="is gone" if gone else "another key"):
        small.anchor()
    assert len(small.anchors()) == 1 and small.key_path.exists() != gone


def test_a_new_key_takes_over_and_the_old_one_says_so(small: World) -> None:
    old = make_key(small.key_path)
    new = replace_key(small.key_path)
    (handover,) = new.handovers
    assert (handover.old, handover.new) == (old.public, new.public) == (old.public, small.key().public)
    again = replace_key(small.key_path)
    assert [h.new for h in again.handovers] == [new.public, again.public]
    assert not is_signed(b"x", old.sign(b"x"), new.public) and is_signed(b"x", again.sign(b"x"), again.public)


# --- the folder ---
def test_a_folder_that_is_away_is_never_made_and_gets_all_once_it_is_back(small: World) -> None:
    small.outside.rmdir()
    for _ in range(3):
        small.anchor()
        small.now += DAY
    assert not small.outside.exists() and {arrived for *_, arrived in small.delivered()} == {False}
    small.outside.mkdir()
    small.anchor()
    assert len(files(small)) == 4 and {arrived for *_, arrived in small.delivered()} == {True}


def test_a_foreign_file_of_that_name_is_left_alone_and_holds_up_no_other(small: World) -> None:
    small.anchor()
    (path,) = small.outside.iterdir()
    day = small.anchors()[0].day
    tomorrow = str(date.fromisoformat(day) + timedelta(days=1))
    other = path.with_name(path.name.replace("000001", "000002").replace(day, tomorrow))
    small.now += DAY
    other.write_text("{}")
    small.anchor()
    small.now += DAY
    small.anchor()
    assert other.read_text() == "{}" and len(files(small)) == 3
    assert [(number, arrived) for number, _, arrived in small.delivered()] == [(1, True), (2, False), (3, True)]


def test_a_new_folder_gets_every_anchor_since_the_first(small: World, tmp_path: Path) -> None:
    for _ in range(3):
        small.anchor()
        small.now += DAY
    other = tmp_path / "another"
    other.mkdir()
    small.anchor(folder=str(other))
    assert len(documents_in(other)) == 4 and len(files(small)) == 3


# --- letters ---
def letters(mail: MailServer, where: str, **more: object) -> dict[str, object]:
    """A plan that sends letters."""
    return {"folder": "", "recipients": ["bureau@example.org"], "server": read_address(where.format(mail.port, mail.authority))} | more


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd counts STARTTLS only
@pytest.mark.parametrize(
    ("mail", "where"),
    [
        (("none",), "smtp://127.0.0.1:{0}?starttls=no&from=park@example.org"),
        (("starttls", "p@ss:word"), "smtp://park%40example.org:p%40ss%3Aword@127.0.0.1:{0}?ca={1}"),
        (("tls", "p@ss:word"), "smtps://park%40example.org:p%40ss%3Aword@127.0.0.1:{0}?ca={1}"),
    ],
    indirect=["mail"],
    ids=["plain", "STARTTLS", "TLS"],
)
def test_a_letter_brings_the_same_bytes_as_the_folder(small: World, mail: MailServer, where: str) -> None:
    small.hazard(1)
    small.anchor(**letters(mail, where, folder=str(small.outside)))
    (letter,) = mail.letters
    (attachment,) = letter.iter_attachments()
    assert {attachment.get_filename(): attachment.get_content()} == files(small)
    assert letter["From"] == "park@example.org" and mail.recipients == [["bureau@example.org"]]
    row = small.anchors()[0]
    assert letter["Message-ID"] == f"<{row.digest}@ledger-anchor.bihuan>" and row.day in letter["Subject"] and "锚点" in letter["Subject"]
    body = letter.get_body()
    assert body is not None and row.signature in body.get_content() and small.key().public_pem().strip() in body.get_content()


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(small: World, tmp_path: Path) -> None:
    mail = MailServer(tmp_path, "starttls")
    try:
        small.anchor(**letters(mail, "smtp://127.0.0.1:{0}"))
        assert mail.letters == [] and {arrived for *_, arrived in small.delivered()} == {False}
    finally:
        mail.stop()


def test_a_refused_letter_is_sent_again_with_the_same_bytes(small: World, mail: MailServer) -> None:
    where = "smtp://127.0.0.1:{0}?starttls=no&from=park@example.org"
    mail.answers = ["451 later", "554 never"]
    for _ in range(3):
        small.anchor(**letters(mail, where))
    (letter,) = mail.letters
    small.anchor(**letters(mail, where))
    assert len(mail.letters) == 1 and small.delivered() == [(1, "email:bureau@example.org", True)]
    assert read_anchor(read_document(next(letter.iter_attachments()).get_content()).statement.encode()).number == 1


def test_a_new_address_gets_the_newest_anchor_and_what_comes_after_it(small: World, mail: MailServer) -> None:
    for _ in range(4):
        small.anchor()
        small.now += DAY
    where = "smtp://127.0.0.1:{0}?starttls=no"
    small.anchor(**letters(mail, where))
    small.now += DAY
    small.anchor(**letters(mail, where, recipients=["bureau@example.org", "second@example.org"]))
    got = [(to, letter["Subject"].split()[3]) for letter, (to,) in zip(mail.letters, mail.recipients, strict=True)]
    assert sorted(got) == [("bureau@example.org", "5,"), ("bureau@example.org", "6,"), ("second@example.org", "6,")]


async def test_a_place_that_is_away_holds_up_no_other_and_is_tried_until_it_is_back(small: World, tmp_path: Path) -> None:
    mail = MailServer(tmp_path)
    plan = letters(mail, "smtp://127.0.0.1:{0}?starttls=no", folder=str(small.outside))
    port = mail.port
    mail.stop()
    job = asyncio.create_task(small.job(**plan).run())
    await until(lambda: (1, "email:bureau@example.org", False) in small.delivered() and files(small), 60)
    back = MailServer(tmp_path, port=port)
    try:
        await until(lambda: back.letters, 60)
        await until(lambda: {arrived for *_, arrived in small.delivered()} == {True}, 60)
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        back.stop()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example:587", Address(host="mail.example", port=587, security="starttls")),
        ("smtp://mail.example", Address(host="mail.example", port=587, security="starttls")),
        ("smtps://u:p@mail.example", Address(host="mail.example", port=465, security="tls", user="u", password="p")),
        ("smtp://mail.example?starttls=no", Address(host="mail.example", port=25, security="none")),
        ("smtp://a%40b:p%2F@mail.example",
         Address(host="mail.example", port=587, security="starttls", user="a@b", password="p/", sender="a@b")),
        ("http://mail.example", None),
        ("smtp://", None),
        ("smtp://mail.example:port", None),
        ("smtp://mail.example?starttls=maybe", None),
        ("smtp://mail.example?colour=red", None),
    ],
)  # fmt: skip
def test_the_address_of_a_mail_server_says_how_it_is_spoken_to(url: str, expected: Address | None) -> None:
    if expected is None:
        with pytest.raises(Misconfigured, match="BIHUAN_ANCHOR_SMTP"):
            read_address(url)
        return
    found = read_address(url)
    names = ("host", "port", "security", "user", "password")
    assert [getattr(found, name) for name in names] == [getattr(expected, name) for name in names]
    assert found.sender == expected.sender or not expected.sender


def test_a_secret_is_not_in_what_an_error_says(small: World, mail: MailServer) -> None:
    server = read_address(f"smtp://u:hunter2@127.0.0.1:{mail.port}?starttls=no")
    small.anchor(folder="", recipients=["bureau@example.org"], server=server)
    with small.database.read() as connection:
        (row,) = deliveries_of(connection, [1])[1]
    assert row.trouble and "hunter2" not in row.trouble
