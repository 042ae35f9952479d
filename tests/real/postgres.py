"""Databases of a test on the PostgreSQL server named by BIHUAN_TEST_POSTGRES."""

import uuid

import psycopg
from sqlalchemy import make_url


def create_database(server: str) -> str:
    """A new empty database on ``server`` (URL of a superuser); its URL for SQLAlchemy."""
    name = f"bihuan_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_plain(server), autocommit=True) as c:
        c.execute(f'CREATE DATABASE "{name}"')
    return make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Remove it, whoever is still connected."""
    with psycopg.connect(_plain(server), autocommit=True) as c:
        c.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
