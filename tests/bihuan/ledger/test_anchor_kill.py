"""kill -9 of the process that anchors at any moment: one anchor for each day, never other bytes for it, all delivered in the end."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage import schema
from storage.anchor_files import document_parts, documents_in
from storage.anchors import heads_of
from tests.bihuan.ledger.mail_server import MailServer
from tests.bihuan.ledger.world import DAY, EVENTS, HEADS, World
from tests.packs import RECORDED
from tests.push.pushing import until

ROOT = Path(__file__).parents[3]
MANY = 30_003
"""Heads of a large ledger: several portions of them."""


class Process:
    """The process, started anew as often as the test wants."""

    def __init__(self, world: World) -> None:
        self.world, self.running, self.mail_port = world, list[subprocess.Popen[bytes]](), 0
        self.clock = world.folder / "clock"
        self.tell()

    def tell(self) -> None:
        """Set the process's clock to the world's, in one step."""
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(self.world.now))
        fresh.replace(self.clock)

    def start(self) -> None:
        url = self.world.database.engine.url.render_as_string(hide_password=False)
        arguments = [url, str(self.world.folder), str(self.clock), str(self.mail_port)]
        command = [sys.executable, "-m", "tests.bihuan.ledger.anchor_process", *arguments]
        python_path = os.pathsep.join([str(ROOT), *(path for path in sys.path if path)])
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": python_path}))

    def kill(self) -> None:
        self.running[-1].kill()
        self.running[-1].wait()


@pytest.fixture
def process(world: World) -> Iterator[Process]:
    made = Process(world)
    yield made
    for running in made.running:
        if running.poll() is None:
            running.kill()
            running.wait()


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    made = MailServer(tmp_path)
    yield made
    made.stop()


def all_is_well(world: World) -> None:
    """Every day in one anchor, in order; outside exactly what is in the database; nothing for `verify` to say."""
    anchors = [row.anchor() for row in world.anchors()]
    assert [a.number for a in anchors] == list(range(1, len(anchors) + 1))
    for before, after in pairwise(anchors):
        assert date.fromisoformat(after.first_day) == date.fromisoformat(before.day) + timedelta(days=1)
    documents = [b"".join(document_parts(row, heads_of(world.database, row.number))) for row in world.anchors()]
    assert [path.read_bytes() for path in documents_in(world.outside)] == documents
    assert [path for path in world.outside.iterdir() if path.name.startswith(".") and path.suffix == ".json"] == []
    assert world.verify() == []


async def test_killed_between_the_receipt_and_the_record_it_sends_the_same_letter_again(
    world: World, process: Process, mail: MailServer
) -> None:
    world.hazard(1)
    process.mail_port = mail.port
    mail.on_letter = process.kill  # the server has the letter, the sender will never know
    process.start()
    await until(lambda: process.running[0].poll() is not None, 60)
    assert len(mail.letters) == 1 and (1, "email:bureau@example.org", True) not in world.delivered()
    mail.on_letter = lambda: None
    process.start()
    await until(lambda: (1, "email:bureau@example.org", True) in world.delivered() and len(documents_in(world.outside)) == 1, 60)
    first, second = mail.raw
    assert first == second and mail.letters[0]["Message-ID"] == mail.letters[1]["Message-ID"]
    assert len(world.anchors()) == 1
    await asyncio.to_thread(all_is_well, world)


@pytest.mark.timeout(400)
async def test_killed_while_it_writes_the_heads_of_a_large_ledger_it_begins_anew(world: World, process: Process) -> None:
    template = world.hazard(1)
    with world.database.write() as connection:  # many hazards of one event, whose chains nobody looks at here
        event = connection.execute(select(EVENTS).where(EVENTS.c.hazard == template)).mappings().one()
        others = MANY - 1 - RECORDED  # and this hazard, and what a fresh record has
        connection.execute(EVENTS.insert(), [dict(event) | {"hazard": f"many-{n:06d}"} for n in range(others)])

    def heads() -> int:
        with world.database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(HEADS)).scalar_one())

    process.start()
    await until(heads, 90)
    with world.database.write() as connection:  # it can't go on: its next portion waits for this transaction
        if not world.database.is_sqlite:
            connection.exec_driver_sql("LOCK TABLE anchor_heads IN EXCLUSIVE MODE")
        left = int(connection.execute(select(func.count()).select_from(HEADS)).scalar_one())
        sealed = connection.execute(select(schema.anchors.c.number)).first()
        process.kill()
    assert sealed is None and 0 < left < MANY, "killed in the middle"
    process.start()
    await until(world.anchors, 90)
    assert world.anchors()[0].anchor().changed == heads() == MANY


@pytest.mark.timeout(600)
async def test_killed_again_and_again_while_days_pass_each_day_is_anchored_once(world: World, process: Process, mail: MailServer) -> None:
    dice, process.mail_port = random.Random(7), mail.port
    hazards = [world.hazard(n) for n in range(3)]
    for _ in range(8):
        process.tell()
        process.start()
        told = len(world.anchors())
        if dice.random() < 0.6:  # it is killed around its work, not only before it began
            await until(lambda told=told: len(world.anchors()) > told, 60)  # type: ignore[misc]
        await asyncio.sleep(dice.random() * 0.05)
        process.kill()
        world.comment(dice.choice(hazards))
        world.now += DAY
    process.tell()
    process.start()
    await until(lambda: world.anchors() and not _waiting(world), 90)
    process.kill()
    await asyncio.to_thread(all_is_well, world)
    numbers = {letter["Subject"]: letter["Message-ID"] for letter in mail.letters}
    assert len(numbers) == len(set(numbers.values())) == len(world.anchors()), "every anchor was mailed, each under one id"


def _waiting(world: World) -> list[object]:
    """Deliveries that are still to be made."""
    places = {f"folder:{world.outside}", "email:bureau@example.org"}
    wanted = {(row.number, place) for row in world.anchors() for place in places}
    return list(wanted - {(number, place) for number, place, arrived in world.delivered() if arrived})
