"""One park with its people. Two enterprises, a pipeline that has none, and a quarry that lies outside the park."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hazards.zones import Enterprise, Grade, Zone
from tests.api.conftest import SITE, System, client
from tests.api.ledger import Ledger

__all__ = ["client"]
STORY_SITE = msgspec.structs.replace(
    SITE, enterprises=[*SITE.enterprises, Enterprise(id="stone", name="示例石料")],
    zones=[*SITE.zones, Zone(id="quarry", name="采石场", enterprise="stone", grade=Grade.RED, outside_park=True)],
)  # fmt: skip


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path, site=STORY_SITE)
    yield made
    made.close()


@pytest.fixture
def ledger(client: httpx.AsyncClient, system: System) -> Ledger:
    return Ledger(client, system)
