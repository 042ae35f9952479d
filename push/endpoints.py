"""Endpoints: who gets webhooks and where, from the site; the keys that sign for them, from the environment.

What must not go in: what was delivered (``storage/deliveries.py``), the file's check (``bihuan/site_file.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hazards.errors import BihuanError
from hazards.identity import endpoint_id
from hazards.zones import Site
from push.signing import secrets_in


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. ``enterprise`` None: it gets everything. ``trouble``: why nothing can be sent there now, or ""."""

    id: str
    url: str
    enterprise: str | None = None
    allow_private: bool = False
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    trouble: str = ""

    def hears_of(self, enterprise: str | None) -> bool:
        """Whether it is told of what belongs to ``enterprise``."""
        return self.enterprise is None or self.enterprise == enterprise


def endpoints_of(site: Site, environment: Mapping[str, str]) -> dict[str, Endpoint]:
    """The endpoints of ``site`` by id. A row that is no endpoint (an older file) is left out: the file's check names it."""
    rows = site.settings.get("webhooks")
    found = {}
    for row in rows if isinstance(rows, list) else []:
        url = row.get("url") if isinstance(row, dict) else None
        if isinstance(url, str) and url:
            enterprise = str(row["enterprise"]) if row.get("enterprise") else None
            keys, trouble = keys_in(str(row.get("secret_env") or ""), environment)
            identity = endpoint_id(enterprise, url)
            found[identity] = Endpoint(identity, url, enterprise, row.get("allow_private") is True, keys, trouble)
    return found


def keys_in(variable: str, environment: Mapping[str, str]) -> tuple[tuple[bytes, ...], str]:
    """The keys in ``variable`` (several, separated by commas, while a secret is changed), or none and why."""
    if not variable:
        return (), "the site file names no secret_env, and nothing goes out unsigned"
    text = environment.get(variable, "")
    if not text.strip():
        return (), f"the environment has no {variable}, and nothing goes out unsigned"
    try:
        return secrets_in(text), ""
    except BihuanError as e:
        return (), f"{variable}: {e}"
