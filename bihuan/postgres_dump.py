"""PostgreSQL's own tools for backup and restore: pg_dump, pg_restore. What must not go in: SQLite, files of ours."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from hazards.errors import Misconfigured, StorageUnavailable
from storage.database import Database


def _run(tool: str, url: str, *arguments: str) -> None:
    """Run ``tool`` on the database; the password goes by the environment, since others can read a command line."""
    program = shutil.which(tool)
    if program is None:
        raise Misconfigured(f"{tool} is not installed", where="PATH", hint="it comes with PostgreSQL's client package")
    parts = make_url(url)
    environment = os.environ | ({"PGPASSWORD": str(parts.password)} if parts.password else {})
    connection = parts.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603 - our own arguments
        [program, f"--dbname={connection}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StorageUnavailable(f"{tool} failed: {' '.join(done.stderr.split())[:400]}", where="sql")


def dump(url: str, target: Path) -> None:
    """A consistent dump in PostgreSQL's custom format. Raises Misconfigured, StorageUnavailable."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def restore(url: str, source: Path, *, force: bool) -> None:
    """Restore a dump in one transaction. Raises Misconfigured when the database holds something and ``force`` is not given."""
    if not force and _holds_something(url):
        raise Misconfigured("the database is not empty", where="BIHUAN_DATABASE", hint="--force replaces what is there")
    _run("pg_restore", url, "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", str(source))


def _holds_something(url: str) -> bool:
    database = Database(url, readers=1)
    try:
        with database.read() as connection:
            tables = set(inspect(connection).get_table_names())
            return any(connection.execute(text(f"SELECT 1 FROM {t} LIMIT 1")).first() for t in ("users", "alarms") if t in tables)  # noqa: S608
    except SQLAlchemyError as e:
        raise StorageUnavailable(str(e), where="sql") from e
    finally:
        database.close()
