"""Commands on the ledger for the command line: tokens, people, the site; on a running, stopped or never started system.

What must not go in: SQL (``storage.accounts``, ``storage.site_store``), policy packs (``bihuan/policies.py``), printing.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from bihuan.configuration import Settings
from bihuan.data_folder import make_folder
from bihuan.preparation import now_us, open_ledger
from hazards.errors import BadInput
from storage import accounts
from storage.database import Database
from storage.site_store import apply_site

T = TypeVar("T")


@contextmanager
def ledger(settings: Settings) -> Iterator[Database]:
    """The ledger of ``settings``, closed in the end."""
    make_folder(settings.folder)
    database = open_ledger(settings)
    try:
        yield database
    finally:
        database.close()


def _write(settings: Settings, work: Callable[[Connection], T]) -> T:
    with ledger(settings) as database, database.write() as connection:
        return work(connection)


def _check_role(role: str) -> None:
    from api.roles import Role

    if role not in set(Role):
        raise BadInput(f"there is no role {role!r}", where="--role", hint=", ".join(Role))


def new_token(settings: Settings, *, role: str, enterprise: str | None, district: str | None = None, label: str) -> str:
    """The secret of a new token, which is kept nowhere. Raises BadInput."""
    _check_role(role)
    return _write(
        settings,
        lambda c: accounts.create_token(c, role=role, enterprise=enterprise, district=district, label=label, now=now_us())[1],
    )


def new_user(settings: Settings, user: str, *, name: str, role: str, enterprise: str | None, district: str | None = None) -> str:
    """The generated password of a new person. Raises BadInput, Conflict."""
    _check_role(role)
    password = secrets.token_urlsafe(12)
    hashed = accounts.hash_password(password)
    _write(
        settings,
        lambda c: accounts.create_user(
            c, user, name=name, role=role, enterprise=enterprise, district=district, password_hash=hashed, now=now_us()
        ),
    )
    return password


def new_password(settings: Settings, user: str) -> str:
    """A new generated password for ``user``. Raises NotFound."""
    password = secrets.token_urlsafe(12)
    hashed = accounts.hash_password(password)
    _write(settings, lambda c: accounts.set_password(c, user, hashed))
    return password


def apply_file(settings: Settings, file: Path) -> list[str]:
    """Apply a site file; lines that say what changed. Parts of a running system see it within a second. Raises InvalidFile."""
    from bihuan.site_file import read_site

    found = read_site(file)
    change = _write(settings, lambda c: apply_site(c, found.site, by="command line", now=now_us()))
    lines = [f"warning: {file}: {w}" for w in found.warnings]
    for verb, tables in (("added", change.added), ("changed", change.changed), ("removed", change.removed)):
        lines += [f"{verb} {table}: {', '.join(ids)}" for table, ids in tables.items()]
    return [*lines, f"site {found.site.id}: version {change.version}"]
