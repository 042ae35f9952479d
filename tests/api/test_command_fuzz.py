"""Every field of every command of the ledger, fuzzed from the OpenAPI document: nothing breaks, and an error changes nothing.

The bodies of each command are made by schemathesis from its own schema, valid ones and broken ones; some of their fields are then
replaced by words of the pack and of the ledger, so that they come through to the rules. Each is tried on a hazard in each state.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, openapi
from sqlalchemy import delete, func, insert, select

from hazards.ledger.lifecycle import COMMANDS
from storage import schema
from tests.api.conftest import PASSWORD, Server, System, run_server
from tests.api.ledger import BY_HAND, INSPECTED, PLAN, paper

PATH = "/api/v1/hazards/{id}/commands"
TABLES = (schema.hazards, schema.hazard_events, schema.outbox)
NOW = 1_800_000_000_000_000
DAY = 24 * 3600 * 1_000_000
PAPER = paper(taken_at="2027-01-15T16:00:00+08:00")  # now
EXPECTED = {200, 403, 404, 409, 413, 422}


class StillSystem(System):
    """Its clock stands, so that a proof of identity stays fresh."""

    def now(self) -> int:
        return NOW + self.ahead


@dataclass
class Bench:
    """A ledger with a hazard in every state, a person who may give every command, and the way back to how it was."""

    system: System
    client: httpx.Client
    hazards: dict[str, str]  # name of a situation to the hazard that is in it
    allowed: dict[str, set[str]]  # name of a situation to the commands that are possible there
    good: dict[str, list[Any]]  # words that fields of commands may have
    kept: list[list[Any]]

    def rows(self) -> list[list[Any]]:
        with self.system.database.read() as connection:
            return [[tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))] for table in TABLES]

    def restore(self) -> None:
        """As before the last command that did something."""
        with self.system.database.write() as connection:
            for table, rows in zip(reversed(TABLES), reversed(self.kept), strict=True):
                connection.execute(delete(table))
                if rows:
                    connection.execute(insert(table), [dict(zip(table.columns.keys(), row, strict=True)) for row in rows])

    def marks(self) -> list[Any]:
        """What a command would change, quickly: number of entries and messages, versions."""
        with self.system.database.read() as connection:
            counts = [connection.execute(select(func.count()).select_from(table)).scalar() for table in TABLES]
            return [*counts, connection.execute(select(schema.hazards.c.id, schema.hazards.c.version, schema.hazards.c.body)).all()]

    def sent(self, path: str, content: bytes) -> int:
        """Post it; an error changes nothing, and nothing is an error inside. The status."""
        before = self.marks()
        answer = self.client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in EXPECTED | {201}, (answer.status_code, answer.text, content)
        if answer.status_code < 300:
            self.restore()
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert self.marks() == before, (answer.text, content)
        return answer.status_code


CONFIRM, MAJOR = ("confirm", {"grade": "serious"}), ("confirm", {"grade": "major", "criterion": "demo-5"})
LIST = ("list", {"number": "挂-1", "supervisor": "指挥部"})
REQUEST = ("request_extension", {"days": 3, "cause": "weather", "reason": "暴雨"})
CLAIMED = (("start_rectification", {}), ("claim", {"note": "已整改", "evidence": [PAPER]}))
SIGNED = (("sign_extension", {"post": "park_command"}), ("sign_extension", {"post": "department"}))
INSPECTIONS = (("inspect", INSPECTED), ("inspect", INSPECTED | {"posts": ["park_command"]}))
APPROVED = (("plan", PLAN), ("approve_plan", {}))
SITUATIONS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "proposed": (),
    "confirmed": (CONFIRM,),
    "twin": (CONFIRM,),
    "major": (MAJOR, LIST),
    "planned": (MAJOR, ("plan", PLAN)),
    "rectifying": (CONFIRM, ("start_rectification", {}), ("measure", {"kind": "seal", "authority": "应急局"})),
    "extending": (CONFIRM, REQUEST),
    "granted": (CONFIRM, REQUEST, *SIGNED),
    "claimed": (CONFIRM, *CLAIMED),
    "accepted": (CONFIRM, *CLAIMED, ("accept", {})),
    "listed": (MAJOR, LIST, *APPROVED, *CLAIMED, *INSPECTIONS, ("accept", {})),
    "late": (CONFIRM, ("supervise", {"number": "督-1", "supervisor": "安委办"}), *CLAIMED, ("accept", {})),
    "overdue": (MAJOR,),
    "closed": (CONFIRM, *CLAIMED, ("accept", {}), ("close", {})),
    "dismissed": (("dismiss", {"reason": "误报"}),),
}
"""Ways to where a hazard can stand. A claim, one of two signatures and of two inspections are other people's, so that whoever
fuzzes may accept."""
TWINS = ["confirmed", "twin"]


def _lived(system: System, client: httpx.Client, other: httpx.Client, third: httpx.Client) -> dict[str, str]:
    found = {}
    for name, steps in SITUATIONS.items():
        system.ahead = -20 * DAY if name in ("late", "overdue") else 0
        made = client.post("/api/v1/hazards", json=BY_HAND | {"kind": "twins" if name in TWINS else f"kind_{name}"})
        assert made.status_code == 201, made.text
        found[name] = made.json()["id"]
        for command, fields in steps:
            system.ahead = 0 if command == "supervise" else system.ahead
            by = other if command == "claim" or fields.get("post") == "department" else third if fields is INSPECTED else client
            answer = by.post(PATH.format(id=found[name]), json={"command": command, **fields})
            assert answer.status_code == 200, (name, command, answer.text)
    system.ahead = 0
    return found


def _sit_down(server: Server, leaving: ExitStack, name: str) -> httpx.Client:
    server.system.user(name, "administrator")
    client = leaving.enter_context(httpx.Client(base_url=server.url, timeout=60))
    client.headers["X-CSRF-Token"] = client.post("/api/v1/session", json={"name": name, "password": PASSWORD}).json()["csrf"]
    assert client.post("/api/v1/session/confirm", json={"password": PASSWORD}).status_code == 204
    return client


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as leaving:
        system = StillSystem(tmp_path_factory.mktemp("fuzz"))
        leaving.callback(system.close)
        server = leaving.enter_context(contextmanager(run_server)(system))
        root, other, third = (_sit_down(server, leaving, name) for name in ("root", "other", "third"))
        lived = _lived(system, root, other, third)
        seen = {name: root.get(f"/api/v1/hazards/{hazard}").json()["commands"] for name, hazard in lived.items()}
        allowed = {name: {c["command"] for c in commands if c["allowed"]} for name, commands in seen.items()}
        made = Bench(system, root, lived, allowed, _good(root, lived), [])
        made.kept = made.rows()
        yield made


def _good(client: httpx.Client, lived: dict[str, str]) -> dict[str, list[Any]]:
    """Words of the pack in force and of this ledger, by the names of the fields in which they stand."""
    seen = client.get(f"/api/v1/hazards/{lived['confirmed']}").json()
    choices, posts = seen["choices"], [p["name"] for p in seen["choices"]["posts"]]
    return {
        "grade": [g["grade"] for g in seen["grades"]], "criterion": [c["name"] for c in choices["criteria"]["major"]],
        "kind": [k["kind"] for k in seen["measure_kinds"]], "cause": [c["name"] for c in choices["causes"]],
        "days": [1, choices["most_days"]], "item": [w["name"] for w in choices["waivers"]], "post": posts,
        "into": [lived[name] for name in TWINS],
        "posts": [["park_command"], ["department"], ["park_command", "department"]],
        "measure": [4], "evidence": [[], [PAPER]], "version": [None, None, None, 2],
        "start": [None, "2026-01-05T10:00:00+08:00"], "until": [None, "2099-01-05T10:00:00+08:00"], "held_at": [None],
        "incident": [None], "command_id": [None, None, "again"], "zone": ["smelter", "pipeline"], "origin": ["", "check_up", "hotline"],
    }  # fmt: skip


def _bodies(document: dict[str, Any], path: str, component: str | None) -> st.SearchStrategy[Any]:
    """Bodies of ``component`` only, or of whatever the route takes: most of them valid, some broken."""
    narrowed = copy.deepcopy(document)
    if component is not None:
        content = narrowed["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        content["schema"] = {"$ref": f"#/components/schemas/{component}"}
    operation = openapi.from_dict(narrowed)[path]["POST"]
    modes = (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode).map(lambda case: case.body) for mode in modes])


def _with_words(body: Any, good: dict[str, list[Any]], chosen: list[int]) -> Any:
    """``body`` with words of the ledger in most of the fields that have such; which ones, says ``chosen``."""
    if not isinstance(body, dict) or chosen[0] == 0:
        return body
    replaced = dict(body)
    for n, name in enumerate(sorted(good.keys() & body.keys())):
        pick = chosen[n % len(chosen)]
        if pick % 6:
            replaced[name] = good[name][pick % len(good[name])]
    return replaced


def _fuzz(bench: Bench, examples: int, command: str) -> set[int]:
    """The statuses that came. ``command``: one of the ledger's, or propose."""
    path, component = ("/api/v1/hazards", None) if command == "propose" else (PATH, _components(bench)[command])
    document = bench.client.get("/openapi.json").json()
    statuses: set[int] = set()
    fitting = TWINS if command == "merge" else [name for name in sorted(bench.hazards) if command in bench.allowed[name]]
    situations = st.one_of(st.sampled_from(fitting or sorted(bench.hazards)), st.sampled_from(sorted(bench.hazards)))

    @seed(20260105)
    @given(_bodies(document, path, component), st.lists(st.integers(0, 60), min_size=7, max_size=7), situations)
    @settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def run(body: Any, chosen: list[int], situation: str) -> None:
        content = json.dumps(_with_words(body, bench.good, chosen), default=str).encode(errors="surrogatepass")
        statuses.add(bench.sent(path.format(id=bench.hazards[situation]), content))

    run()
    return statuses


def _components(bench: Bench) -> dict[str, str]:
    """Command to the component of the OpenAPI document that describes its body."""
    document = bench.client.get("/openapi.json").json()
    content = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    return {command: reference.rpartition("/")[2] for command, reference in content["schema"]["discriminator"]["mapping"].items()}


def test_every_command_is_possible_in_one_of_the_situations(bench: Bench) -> None:
    assert set().union(*bench.allowed.values()) == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_body_of_a_command_breaks_anything_and_an_error_changes_nothing(bench: Bench, command: str) -> None:
    assert _fuzz(bench, 16, command) & {409, 422}, "some were broken, or came at the wrong time"


def test_no_proposal_breaks_anything_and_an_error_puts_nothing_down(bench: Bench) -> None:
    assert {201, 422} <= _fuzz(bench, 40, "propose")


@pytest.mark.soak
@pytest.mark.parametrize("command", [*sorted(COMMANDS), "propose"])
def test_long_fuzzing_finds_no_more(bench: Bench, command: str) -> None:
    _fuzz(bench, 1500, command)


ODD = [b"", b"{", b"null", b"[]", b'"confirm"', b"\xff\xfe", b"{}", b'{"command": "confirm", "grade": "\\ud800"}', b'{"command": 7}',
       b'{"command": "comment", "text": "\\u0000"}', b'{"command": "comment", "text": "x", "version": 1e400}',
       b'{"command": "comment", "text": "x", "version": 123456789012345678901234567890}', b'{"command": "comment", "text": NaN}',
       b'{"command": "comment", "text": "x", "text": 7}', b'{"command": "comment", "text": "x", "command_id": "\\udfff"}',
       b"[" * 3000, b'{"command": ' * 2000, b'{"command": "inspect", "posts": "' + b"x" * 300_000 + b'"}']  # fmt: skip


@pytest.mark.parametrize("content", ODD, ids=[str(n) for n in range(len(ODD))])
def test_what_no_schema_makes_is_refused_too(bench: Bench, content: bytes) -> None:
    for path in ("/api/v1/hazards", PATH.format(id=bench.hazards["confirmed"])):
        assert bench.sent(path, content) in (413, 422)
