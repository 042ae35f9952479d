"""The ledger with 1,000,000 events on its record and 100,000 open hazards: one command, any page of its list, one hazard in full.

The ledger is filled before the system starts (``benchmarks/ledger_filled.py``). Storage is measured as the API uses it, in its writing and
reading threads, one request after the other; HTTP on the whole system. What must not go in: how it is filled.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, select, update

from benchmarks.client import Client
from benchmarks.figures import Figure, percentile, rounded
from benchmarks.ledger_filled import Sizes, fill
from benchmarks.system import System
from hazards.errors import Unavailable
from hazards.ledger import commands as ask
from hazards.ledger.hazard import Actor
from hazards.ledger.lifecycle import OPEN, State
from hazards.ledger.marks import MARKS
from hazards.ledger.particulars import Paper, Stage
from hazards.scope import EVERYTHING, Scope
from storage import schema
from storage.database import Database, sqlite_url
from storage.hazard_queries import list_hazards
from storage.hazards import command_hazard
from storage.incident_queries import cursor_of

BENCH = Actor("bench", "administrator")
WARM_UP = 20
ASKED = {"sqlite": 10.0, "postgresql": 20.0}
"""Milliseconds that one command may take, p99."""
ASKED_OF_A_PAGE = 50.0

Filters = dict[str, Any]


def combinations() -> list[Filters]:
    """Every combination of what a list can be narrowed to: none, one, several values where they are taken, one that nothing has."""
    states: list[list[str]] = [[], *([s.value] for s in State), sorted(s.value for s in OPEN), ["closed", "proposed"]]
    grades: list[list[str]] = [[], ["general"], ["major"], ["none_has_it"], ["general", "serious", "major"]]
    marks: list[list[str]] = [[], *([m] for m in MARKS), ["repeated", "summons_due"]]
    asked = product(states, [None, "zone-7"], [None, "alu"], grades, [None, True, False], marks)
    found = [{"states": s, "zone": z, "enterprise": e, "grades": g, "overdue": o, "marks": m} for s, z, e, g, o, m in asked]
    return [*found, {"incident": "none"}]


SCOPES = (EVERYTHING, Scope(enterprise="chem"), Scope(zones=frozenset(f"zone-{n}" for n in range(0, 400, 3))))
"""Who asks: somebody who sees all, an enterprise, a district with a third of the zones."""


def _now() -> int:
    return time.time_ns() // 1000


async def _timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return 1000 * (time.perf_counter() - began)


async def commands(database: Database, ids: Sequence[tuple[str, str]]) -> list[float]:
    """Milliseconds of one command each on the hazards ``ids`` (id, state): the next step of each, or a comment."""

    def one(hazard: str, state: str) -> Callable[[Connection], object]:
        paper = Paper(stage=Stage.AFTER, taken_at=_now(), place="炉前", document="验收记录")
        step: dict[str, ask.HazardCommand] = {
            "proposed": ask.Confirm(grade="serious"), "rectifying": ask.Claim(note="已整改", evidence=[paper]),
            "claimed": ask.Refuse(reason="密封仍漏"), "accepted": ask.Close(note="销号"),
        }  # fmt: skip
        command = step.get(state, ask.Comment(text="已现场核实"))
        return lambda c: command_hazard(c, hazard, command, actor=BENCH, scope=EVERYTHING, now=_now())

    return [await _timed(lambda: database.writing(one(*each))) for each in ids]  # noqa: B023 (awaited in this round)


async def bare_writes(database: Database, ids: Sequence[tuple[str, str]]) -> list[float]:
    """Milliseconds of a transaction that only updates one row and inserts another."""

    def work(connection: Connection, hazard: str) -> None:
        table = schema.hazards
        connection.execute(update(table).where(table.c.id == hazard).values(updated_at=_now()))
        connection.execute(schema.incident_events.insert().values(incident="bench", at=_now(), actor="bench", event="x", body="{}"))

    return [await _timed(lambda: database.writing(lambda c: work(c, each[0]))) for each in ids]  # noqa: B023 (awaited in this round)


async def pages(database: Database, wanted: Sequence[tuple[Filters, str | None, Scope]]) -> list[float]:
    """Milliseconds of each page."""

    def work(connection: Connection, filters: Filters, cursor: str | None, scope: Scope) -> None:
        list_hazards(connection, scope=scope, now=_now(), cursor=cursor, **filters)

    return [await _timed(lambda: database.reading(lambda c: work(c, *each))) for each in wanted]  # noqa: B023 (awaited in this round)


def _chosen(database: Database, count: int) -> tuple[list[tuple[str, str]], list[str | None]]:
    """``count`` open hazards by chance with their states, and cursors to the first, the middle and the oldest pages."""
    table = schema.hazards
    with database.read() as connection:
        is_open = table.c.state.in_([s.value for s in OPEN])
        rows = connection.execute(select(table.c.id, table.c.state).where(is_open).order_by(table.c.id)).all()
        order = connection.execute(select(table.c.opened_at, table.c.id).order_by(table.c.opened_at.desc(), table.c.id.desc())).all()
    chosen = random.Random(1).sample([(row.id, row.state) for row in rows], min(count, len(rows)))
    return chosen, [None, *(cursor_of(*order[len(order) * part // 100]) for part in (40, 98))]


async def _inside(database: Database, samples: int, share: float) -> dict[str, list[float]]:
    """Milliseconds of commands, bare transactions, pages and plain pages. ``share``: of the combinations, by chance."""
    ids, cursors = _chosen(database, 2 * (samples + WARM_UP))
    every = list(product(combinations(), cursors, SCOPES))
    wanted = random.Random(2).sample(every, max(int(len(every) * share), 50))
    return {
        "bare": (await bare_writes(database, ids[: len(ids) // 2]))[WARM_UP:],
        "command": (await commands(database, ids[len(ids) // 2 :]))[WARM_UP:],
        "list": (await pages(database, wanted[:WARM_UP] + wanted))[WARM_UP:],
        "unfiltered": (await pages(database, [({}, None, EVERYTHING)] * (samples + WARM_UP)))[WARM_UP:],
    }


Request = tuple[str, str, dict[str, str] | None]
"""Method, path, body."""


async def _requested(system: System, requests: Sequence[Request]) -> list[float]:
    """Milliseconds of each of ``requests`` over HTTP, but the first ``WARM_UP``. Raises Unavailable for an answer that is not 200."""

    async def one(client: Client, method: str, path: str, body: dict[str, str] | None) -> None:
        answer = await client.request(method, path, json=body)
        if answer.status != 200:
            raise Unavailable(f"{method} {path}: {answer.status} {answer.text[:300]}")

    async with Client(system.url, system.token("administrator"), timeout=60) as client:
        return [await _timed(lambda: one(client, *each)) for each in requests][WARM_UP:]  # noqa: B023 (awaited in this round)


def _asked(url: str, samples: int) -> dict[str, list[Request]]:
    """What is asked over HTTP: a command, one hazard in full, pages of the list, and something that asks nothing of the ledger."""
    count = samples + WARM_UP
    database = Database(url)
    try:
        ids, cursors = _chosen(database, 2 * count)
    finally:
        database.close()
    narrowed = random.Random(3).choices(list(product(combinations(), cursors)), k=count)
    comment = {"command": "comment", "text": "已现场核实"}
    return {
        "command": [("POST", f"/api/v1/hazards/{each}/commands", comment) for each, _ in ids[: len(ids) // 2]],
        "detail": [("GET", f"/api/v1/hazards/{each}", None) for each, _ in ids[len(ids) // 2 :]],
        "list": [("GET", _path(*each), None) for each in narrowed],
        "zone": [("GET", "/api/v1/zones?limit=1", None)] * count,
    }


def _path(filters: Filters, cursor: str | None) -> str:
    """The list's address with these filters."""
    names = {"states": "state", "grades": "grade", "marks": "mark"}
    asked = {names.get(k, k): str(v).lower() if isinstance(v, bool) else v for k, v in filters.items() if v is not None}
    return "/api/v1/hazards?" + urlencode(asked | ({"cursor": cursor} if cursor else {}), doseq=True)


def run(
    *, kafka: str = "", database: str = "", sizes: Sizes = Sizes(), samples: int = 1000, share: float = 0.2,  # noqa: B008 (frozen)
) -> Iterator[Figure]:  # fmt: skip
    """Figures in milliseconds on SQLite, or on ``database``. ``share``: how many of the combinations of filters are listed."""
    where = "postgresql" if database else "sqlite"
    with TemporaryDirectory(prefix="bihuan-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        url = database or sqlite_url(data / "ledger.sqlite")
        filled = fill(url, Path(folder), sizes)
        yield Figure(f"ledger.{where}.filled", rounded(filled.events / filled.seconds), "events/s", {"events": float(filled.events)})
        ledger = Database(url)
        try:
            inside = asyncio.run(_inside(ledger, samples, share))
        finally:
            ledger.close()
        took, bare, listed, unfiltered = (inside[name] for name in ("command", "bare", "list", "unfiltered"))
        yield _p99(f"ledger.command.{where}", took, {"p99 allowed": ASKED[where], "an update and an insert": percentile(bare, 99)})
        yield Figure(f"ledger.command.{where}.p50", rounded(percentile(took, 50)), "ms",
                     {"an update and an insert": rounded(percentile(bare, 50))})  # fmt: skip
        yield _p99(f"ledger.list.{where}", listed, {"p99 allowed": ASKED_OF_A_PAGE, "unfiltered": percentile(unfiltered, 99)})
        yield Figure(f"ledger.list.{where}.max", rounded(max(listed)), "ms", {"unfiltered": rounded(max(unfiltered))})
        settings = {k: v for k, v in {"KAFKA": kafka, "DATABASE": database}.items() if v}
        requests = _asked(url, samples)
        with System(data, site=Path(folder) / "site.yaml", settings=settings) as system:
            http = {name: asyncio.run(_requested(system, each)) for name, each in requests.items()}
        plain = {"GET of one zone": percentile(http["zone"], 99)}
        yield _p99(f"ledger.command.http.{where}", http["command"], {"p99 allowed": ASKED[where], **plain})
        yield _p99(f"ledger.detail.http.{where}", http["detail"], plain)
        yield _p99(f"ledger.list.http.{where}", http["list"], {"p99 allowed": ASKED_OF_A_PAGE, **plain})


def _p99(name: str, took: Sequence[float], compared: dict[str, float]) -> Figure:
    return Figure(f"{name}.p99", rounded(percentile(took, 99)), "ms", {other: rounded(value) for other, value in compared.items()})
