"""People of several roles at one ledger: what they ask of it through the API, and what the tests say of the answers. No tests here."""

from datetime import UTC, datetime
from typing import Any

import httpx

from hazards.ledger.policy import Authority
from storage.ledger_clocks import tick_hazard, waking_hazards
from tests.api.conftest import PASSWORD, System, bearer

BASES = {a.value for a in Authority} - {Authority.DEMO.value}
PLAN = {"responsibility": "张三", "measures": "更换密封", "funds": "5万元", "time": "11月30日前", "contingency": "停炉撤人"}
BY_HAND = {"zone": "smelter", "kind": "training", "grade": "serious", "title": "特种作业人员未持证"}
PNG = b"\x89PNG\r\n\x1a\n picture of afterwards"
INSPECTED = {"posts": ["department"], "experts": ["郑工"], "passed": True, "note": "现场核查合格"}
BY_BOTH = (("park_command", "inspect", INSPECTED | {"posts": ["park_command"]}), ("department", "inspect", INSPECTED))
"""The inspections that a major hazard needs: one of each post, by a person of it."""


def paper(**fields: Any) -> dict[str, Any]:
    """A piece of evidence. Without ``taken_at`` it is made when it is handed in: ``Ledger.give`` fills the time in."""
    return {"stage": "after", "place": "3号炉前", "document": "培训记录-12"} | fields


class Ledger:
    """One system, and whoever comes to it. ``who`` is somebody of a role ("department", "enterprise:alu", "enterprise:alu2" for
    another one), a machine with a token of it ("machine:department"), or a person by name, once ``come`` has signed that one in."""

    def __init__(self, client: httpx.AsyncClient, system: System) -> None:
        self.client, self.system = client, system
        self.headers: dict[str, dict[str, str]] = {}

    def of(self, who: str) -> dict[str, str]:
        """Headers of ``who``."""
        if who not in self.headers:
            machine = who.startswith("machine:")
            role, _, enterprise = who.removeprefix("machine:").rstrip("0123456789").partition(":")
            bound = enterprise or None
            self.headers[who] = bearer(self.system.token(role, bound)) if machine else self.system.person(who, role, bound)
        return self.headers[who]

    async def come(self, name: str, role: str, enterprise: str | None = None) -> str:
        """A person with an account, signed in; the name."""
        self.system.user(name, role, enterprise)
        await self.sign_in(name)
        return name

    async def sign_in(self, *names: str) -> None:
        """Those persons sign in, with cookie and CSRF token as a browser has them."""
        for name in names:
            async with httpx.AsyncClient(transport=self.client._transport, base_url=self.client.base_url) as browser:
                answer = await browser.post("/api/v1/session", json={"name": name, "password": PASSWORD})
                assert answer.status_code == 200, answer.text
                cookies = "; ".join(f"{cookie}={value}" for cookie, value in browser.cookies.items())
                self.headers[name] = {"Cookie": cookies, "X-CSRF-Token": answer.json()["csrf"]}

    async def prove(self, *names: str) -> None:
        """Those persons give their passwords again, so that they can sign."""
        for name in names:
            answer = await self.post("/session/confirm", name, password=PASSWORD)
            assert answer.status_code == 204, answer.text

    async def post(self, path: str, who: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"/api/v1{path}", json=body, headers=self.of(who))

    async def get(self, path: str, who: str = "operator") -> httpx.Response:
        return await self.client.get(f"/api/v1{path}", headers=self.of(who))

    async def put_down(self, who: str = "operator", **fields: Any) -> dict[str, Any]:
        """A new hazard, by hand unless ``fields`` name an incident."""
        answer = await self.post("/hazards", who, **(fields if "incident" in fields else BY_HAND | fields))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def give(self, hazard: dict[str, Any], who: str, command: str, **fields: Any) -> httpx.Response:
        if "evidence" in fields:
            now = datetime.fromtimestamp(self.system.now() / 1e6, UTC).isoformat()
            fields["evidence"] = [{"taken_at": now} | each for each in fields["evidence"]]
        return await self.post(f"/hazards/{hazard['id']}/commands", who, command=command, **fields)

    async def done(self, hazard: dict[str, Any], who: str, command: str, **fields: Any) -> dict[str, Any]:
        """A command that is carried out; the hazard afterwards."""
        answer = await self.give(hazard, who, command, **fields)
        assert answer.status_code == 200, answer.text
        after: dict[str, Any] = answer.json()
        return after

    async def refused(self, hazard: dict[str, Any], who: str, command: str, status: int, rule: str, **fields: Any) -> dict[str, Any]:
        """A command that is refused with that rule and its basis, and changes nothing; the problem."""
        before = await self.standing(hazard)
        answer = await self.give(hazard, who, command, **fields)
        problem: dict[str, Any] = answer.json()
        assert (answer.status_code, problem.get("rule")) == (status, rule), answer.text
        assert problem["basis"] in BASES and problem["ruling"]["basis"] == problem["basis"] and problem["ruling"]["text"]["zh"]
        assert (problem["ruling"]["basis"] == "platform_default") == (not problem["ruling"]["sources"]), "only a document is cited as one"
        if (problem.get("gate") or {}).get("verdict") not in ("refuted", "blind"):  # a refusal by devices is on the record
            assert await self.standing(hazard) == before
        return problem

    async def standing(self, hazard: dict[str, Any]) -> tuple[Any, ...]:
        """Where it stands and how long its record is, for whoever sees all."""
        now = await self.read(hazard, "administrator")
        return now["version"], now["state"], now["due_at"], now["tracks"], [e["digest"] for e in await self.record(hazard)]

    async def read(self, hazard: dict[str, Any], who: str = "operator") -> dict[str, Any]:
        answer = await self.get(f"/hazards/{hazard['id']}", who)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def record(self, hazard: dict[str, Any]) -> list[dict[str, Any]]:
        """Its record from the first entry on."""
        found: list[dict[str, Any]] = (await self.get(f"/hazards/{hazard['id']}/events?limit=1000", "administrator")).json()["items"]
        return found

    async def last(self, hazard: dict[str, Any], event: str, rule: str, basis: str) -> dict[str, Any]:
        """The newest entry of the record, which is that event by that rule; its particulars."""
        entry = (await self.record(hazard))[-1]
        assert (entry["event"], entry["ruling"]["rule"], entry["ruling"]["basis"]) == (event, rule, basis)
        details: dict[str, Any] = entry["details"]
        return details

    async def confirmed(self, who: str = "operator", grade: str = "serious", **fields: Any) -> dict[str, Any]:
        """A hazard whose grade the department has confirmed."""
        hazard = await self.put_down(who, grade=grade, **fields)
        return await self.done(hazard, "department", "confirm", grade=grade, criterion="demo-5" if grade == "major" else "")

    async def rectifying(self, who: str = "operator", grade: str = "serious", **fields: Any) -> dict[str, Any]:
        """One that its enterprise rectifies, with an approved plan where it is major."""
        hazard = await self.confirmed(who, grade, **fields)
        own = f"enterprise:{hazard['enterprise']}"
        if grade == "major":
            await self.done(hazard, own, "plan", **PLAN)
            await self.done(hazard, "department", "approve_plan")
        return await self.done(hazard, own, "start_rectification")

    async def inspected(self, hazard: dict[str, Any]) -> None:
        """Both posts inspect, each by a person of its own."""
        for who, command, fields in BY_BOTH:
            await self.done(hazard, who, command, **fields)

    async def alarm(self, *events: dict[str, Any]) -> None:
        """Alarms come in at the door and are merged."""
        answer = await self.client.post("/api/v1/alarms", json=list(events), headers=self.of("machine:operator"))
        assert answer.status_code == 202, answer.text
        await self.system.apply()

    def later(self, **time: float) -> None:
        """The system's clock moves on: days, hours, minutes. Sessions of people may end by it."""
        self.system.later(**time)

    async def tick(self) -> None:
        """What a worker's clocks do by now."""
        database, now = self.system.database, self.system.now()
        while waking := await database.reading(lambda c: waking_hazards(c, now=now)):
            for hazard in waking:
                await database.writing(lambda c, hazard=hazard: tick_hazard(c, hazard, now=now))
