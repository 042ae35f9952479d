"""Both sides of the account: a sender that notes exactly which alarms got a 202, and an audit of what the system shows for them.

What must not go in: killing.
"""

import asyncio
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from benchmarks.client import Client, alarm_event
from benchmarks.park import Place, places
from hazards.errors import Unavailable

UNKNOWN_DEVICES = [Place(f"nobody-{n}", "unassigned", "flame") for n in range(3)]
UNKNOWN_KINDS = [Place(f"D-{z}-0", f"zone-{z}", "ground_tremor") for z in range(3)]
IN_FLIGHT = 64


@dataclass
class Sender:
    """Posts ``rate`` alarms a second for as long as it runs, whatever happens to the system.

    Known and unknown devices and kinds; raised, cleared and pulse; single and in batches of five; some twice with one id; and what
    got no answer is sent again half of the time, as real senders do. ``accepted``: ids that got a 202, with the time of it.
    """

    client: Client
    zones: int
    rate: float = 100
    seed: int = 0
    source: str = "kill-test"
    accepted: dict[str, float] = field(default_factory=dict)
    sent: int = 0
    unanswered: int = 0
    shed: int = 0
    refused: list[str] = field(default_factory=list)
    _raised: dict[Place, bool] = field(default_factory=lambda: defaultdict(bool))
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._places = places(self.zones) + UNKNOWN_DEVICES + UNKNOWN_KINDS

    def stop(self) -> None:
        """No further alarms; ``run`` returns when those under way are answered."""
        self._stop.set()

    async def run(self) -> None:
        """Send until ``stop``."""
        tasks, due = set[asyncio.Task[None]](), time.monotonic()
        while not self._stop.is_set():
            size = 5 if self._random.random() < 0.05 else 1
            tasks.add(asyncio.create_task(self._send([self._next() for _ in range(size)], again=self._random.random() < 0.5)))
            for task in [t for t in tasks if t.done()]:
                tasks.remove(task)
                task.result()  # an error that nobody foresaw ends the run
            due = max(due + size / self.rate, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(tasks) >= IN_FLIGHT:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*tasks)

    def _next(self) -> dict[str, Any]:
        place = self._random.choice(self._places)
        if self._random.random() < 0.1:
            action = "pulse"
        else:
            self._raised[place] = not self._raised[place]
            action = "raised" if self._raised[place] else "cleared"
        self.sent += 1
        return alarm_event(f"{self.seed}-{self.sent}", place.device, place.kind, action, source=self.source, score=0.5, message="kill test")

    async def _send(self, events: list[dict[str, Any]], *, again: bool) -> None:
        if self._random.random() < 0.05:
            await asyncio.gather(self._post(events), self._post(events))  # the same ids twice at once
            return
        while not await self._post(events) and again and not self._stop.is_set():
            await asyncio.sleep(0.1)

    async def _post(self, events: list[dict[str, Any]]) -> bool:
        """Post once; whether it was answered for good."""
        try:
            answer = await self.client.post_alarms(events[0] if len(events) == 1 else events)
        except Unavailable:
            self.unanswered += 1
            return False
        ids = [e["id"] for e in events]
        if answer.status == 202:
            body = answer.json()
            if body["accepted"] != len(ids) or body["ids"] != ids:
                self.refused.append(f"202 that names other alarms: {body} for {ids}")
            self.accepted.update(dict.fromkeys(ids, time.monotonic()))
        elif answer.status == 503:
            self.shed += 1  # "not now" is an honest answer; nothing was promised
            return False
        else:
            self.refused.append(f"{answer.status} {answer.text[:300]}")
        return True


@dataclass(frozen=True)
class Shown:
    """What the API shows: every incident, and under each its alarms' ids as the sender gave them."""

    incidents: list[dict[str, Any]]
    alarms: dict[str, list[str]]  # incident → ids

    def places_of(self) -> Counter[str]:
        """How often each alarm stands anywhere."""
        return Counter(i for ids in self.alarms.values() for i in ids)

    def open_groups(self) -> Counter[tuple[str, ...]]:
        """Incidents that still take alarms, by what merges: zone and family, and the device where nobody registered it."""
        return Counter(
            (i["zone"], i["family"], *(i["devices"] if i["zone"] == "unassigned" else ())) for i in self.incidents if i["state"] != "closed"
        )


async def look(client: Client, source: str) -> Shown:
    """Read every incident and every alarm of ``source`` through the API, all pages."""
    incidents, alarms, places = await client.incidents(), {}, asyncio.Semaphore(4)

    async def read(incident: str) -> None:
        async with places:
            alarms[incident] = [a["id"] for a in await client.alarms_of(incident) if a["source"] == source]

    await asyncio.gather(*(read(i) for i in {i["id"] for i in incidents}))
    return Shown(incidents, alarms)


def miscounted(shown: Shown) -> dict[str, tuple[int, int]]:
    """Incidents whose own count is not that of the alarms under them: (counted, standing)."""
    both = {i["id"]: (i["alarm_count"], len(shown.alarms[i["id"]])) for i in shown.incidents}
    return {i: pair for i, pair in both.items() if pair[0] != pair[1]}


async def settle(client: Client, sender: Sender, seconds: float) -> Shown:
    """Look until every accepted alarm stands and two looks in a row show the same; the last look after ``seconds`` anyway.

    An alarm whose 202 was cut off may be in the journal and still land, between the reading of an incident and of its alarms."""
    limit, before = time.monotonic() + seconds, None
    while True:
        shown = await look(client, sender.source)
        if wrong := miscounted(shown):
            print(f"while settling, counted and standing differ: {list(wrong.items())[:5]}")
        standing = shown.places_of()
        if (shown == before and all(standing[i] for i in sender.accepted)) or time.monotonic() > limit:
            return shown
        before = shown
        await asyncio.sleep(0.5)


async def audit(client: Client, sender: Sender, *, seconds: float = 60) -> Shown:
    """Wait until what was accepted stands and nothing moves any more, then check that nothing is lost or doubled."""
    shown = await settle(client, sender, seconds)
    standing = shown.places_of()
    lost = [i for i in sender.accepted if not standing[i]]
    assert not lost, f"{len(lost)} of {len(sender.accepted)} accepted alarms are lost, for example {sorted(lost)[:5]}"
    doubled = {i: n for i, n in standing.items() if n > 1}
    assert not doubled, f"alarms that stand more than once: {list(doubled.items())[:5]}"
    identities = Counter(i["id"] for i in shown.incidents)
    assert max(identities.values()) == 1, f"incidents listed more than once: {identities.most_common(3)}"
    crowded = {g: n for g, n in shown.open_groups().items() if n > 1}
    assert not crowded, f"groups with more than one open incident: {crowded}"
    wrong = miscounted(shown)
    assert not wrong, f"incidents whose count is not that of their alarms (counted, standing): {list(wrong.items())[:5]}"
    assert not sender.refused, f"{len(sender.refused)} well-formed alarms were refused: {sender.refused[:3]}"
    return shown
