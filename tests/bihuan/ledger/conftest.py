"""A world on SQLite and PostgreSQL."""

from pathlib import Path

import pytest

from storage.database import Database
from tests.bihuan.ledger.world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Empty but for its site."""
    return World(database, tmp_path)
