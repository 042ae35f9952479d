"""Brings a data folder up to date before anything works on it: tables, policy packs, first administrator, site.

Runs in the first part that starts (its packages are imported anyway), on a thread. What must not go in: starting parts.
"""

import re
import time
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from bihuan.configuration import Settings
from bihuan.control import Prepared, Start
from bihuan.policy_file import shipped, shipped_versions
from hazards.errors import InvalidFile, Misconfigured, StorageUnavailable
from storage import schema
from storage.accounts import ADMINISTRATOR, create_user, hash_password
from storage.database import Database
from storage.policies import apply_policy, has_version
from storage.site_store import apply_site, load_registry

log = structlog.get_logger()

FIRST_ADMINISTRATOR = "admin"
_REVISION = re.compile(r"^(down_)?revision(?:\s*:[^=]+)?\s*=\s*(?:[\"']([^\"']+)[\"']|None)", re.MULTILINE)


def now_us() -> int:
    """Now, UTC microseconds."""
    return time.time_ns() // 1000


def newest_revision() -> str:
    """The newest database version of this build, read off the files: asking Alembic costs each start half a second."""
    known: set[str] = set()
    replaced: set[str] = set()
    for file in (Path(schema.__file__).parent / "migrations" / "versions").glob("*.py"):
        for down, revision in _REVISION.findall(file.read_text(encoding="utf-8")):
            (replaced if down else known).add(revision)
    newest = known - replaced - {""}
    if len(newest) != 1:
        raise Misconfigured(f"the migrations end in {sorted(newest)}", where="storage/migrations")
    return newest.pop()


def revision_of(database: Database) -> str | None:
    """The version of the database's tables, None without any."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
        return found


def is_current(database: Database) -> bool:
    """Whether the tables are this build's."""
    try:
        return revision_of(database) == newest_revision()
    except (SQLAlchemyError, StorageUnavailable):
        return False  # it is away: the upgrade finds out


def upgrade(database: Database) -> None:
    """This build's tables. Raises StorageUnavailable, Misconfigured (the folder was used by a newer build)."""
    if is_current(database):
        return
    from alembic.util import CommandError

    from storage.migrations import upgrade as by_alembic

    try:
        by_alembic(database)
    except CommandError as e:
        raise Misconfigured(f"the database is not of this build: {e}", where="alembic_version", hint="use the newer bihuan") from e


def open_ledger(settings: Settings) -> Database:
    """The ledger with this build's tables, whether or not the system runs. Raises StorageUnavailable, Misconfigured."""
    database = Database(settings.database_url, readers=1)
    try:
        upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def open_to_read(settings: Settings) -> Database:
    """The ledger as it is, which nothing done with it can change. Raises StorageUnavailable, Misconfigured (tables of another build)."""
    database = Database(settings.database_url, readers=1, read_only=True)
    try:
        found, wanted = revision_of(database), newest_revision()
        if found != wanted:
            raise Misconfigured(
                f"its tables are of version {found}, this build reads version {wanted}" if found else "there is no ledger",
                where="alembic_version", hint="use the bihuan that last ran on it, or let this one run on a copy of it first",
            )  # fmt: skip
    except BaseException:
        database.close()
        raise
    return database


def ensure_packs(database: Database) -> list[str]:
    """Apply the policy packs that come with the program, each version once; those that are new. A running system sees them in a second."""
    with database.read() as connection:
        new = [name for name, version in shipped_versions().items() if not has_version(connection, version)]
    if not new:
        return []
    packs = [shipped(name) for name in new]  # outside the transaction: reading a file takes half a second
    with database.write() as connection:
        return [pack.version for pack in packs if apply_policy(connection, pack, by="bihuan", role="platform", now=now_us())]


def ensure_administrator(database: Database, password: str) -> bool:
    """Create the first administrator unless somebody has that role; whether it was created."""
    query = select(schema.users.c.id).where(schema.users.c.role == ADMINISTRATOR).limit(1)

    def missing(connection: Connection) -> bool:
        return connection.execute(query).first() is None

    with database.read() as connection:
        if not missing(connection):
            return False
    hashed = hash_password(password)  # outside the transaction: it takes a tenth of a second
    with database.write() as connection:
        if not missing(connection):
            return False
        create_user(connection, FIRST_ADMINISTRATOR, name="管理员", role=ADMINISTRATOR, enterprise=None, password_hash=hashed, now=now_us())
    return True


def prepare(start: Start) -> Prepared:
    """Prepare for ``start``, waiting for a database that is away; what can never work is told as ``Prepared.problem``."""
    while True:
        try:
            database = open_ledger(start.settings)
            try:
                return Prepared(administrator=_fill(database, start))
            finally:
                database.close()
        except StorageUnavailable as e:
            if not start.settings.database:
                return Prepared(problem=f"{e.what}: {start.settings.ledger_path}")
            log.warning("the database is away", error=str(e))
            time.sleep(1.0)
        except (Misconfigured, InvalidFile) as e:
            return Prepared(problem=str(e))


def _fill(database: Database, start: Start) -> bool:
    if packs := ensure_packs(database):
        log.info("policy packs applied", versions=packs)
    site = start.site
    if site is not None:
        with database.write() as connection:
            known = load_registry(connection)
            if start.settings.demo and not start.settings.site and known.version and not known.synthetic:
                raise Misconfigured(
                    f"holds the site {known.site.id}", where=start.settings.data, hint="give --demo a data folder of its own"
                )
            change = apply_site(connection, site, by="bihuan", role="platform", now=now_us())
        log.info("site applied", site=site.id, version=change.version)
    return ensure_administrator(database, start.password) if start.password else False
