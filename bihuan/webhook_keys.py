"""The webhooks of a site file: ``webhooks: [{enterprise, url, secret_env, allow_private}]``, every mistake named by its line.

A secret that is not there, or is none, is a warning: deliveries then wait and say why, and nothing goes out unsigned.
What must not go in: sending.
"""

import os
import re
from collections.abc import Container
from urllib.parse import urlsplit

from bihuan.yaml_lines import Fields, Problems, line_of
from push.addresses import refusal
from push.endpoints import keys_in

LONGEST_URL = 2000
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")


def check_webhooks(top: Fields, enterprises: Container[str], problems: Problems) -> None:
    """Note what is wrong with the section ``webhooks``; ``enterprises``: ids that the file has."""
    known: dict[tuple[str, str], int] = {}
    for n, node in enumerate(top.items("webhooks")):
        hook = top.document.fields(node, f"webhooks[{n}]", problems)
        if hook is None:
            continue
        whom = hook.text("enterprise")
        if whom and whom not in enterprises:
            problems.error(hook.at("enterprise"), hook.place("enterprise"), f"there is no enterprise {whom!r}")
        url = hook.text("url", None)
        first = known.setdefault((whom, url), line_of(node))
        if first != line_of(node):
            problems.error(hook.at("url"), hook.place("url"), "the same webhook is given twice", f"first on line {first}")
        _check_url(hook, url, problems, allow_private=hook.flag("allow_private"))
        _check_secret(hook, problems)
        for key, extra in hook.rest().items():
            problems.warn(extra, hook.place(key), "is not known here and is ignored")


def _check_url(hook: Fields, url: str, problems: Problems, *, allow_private: bool) -> None:
    if not url:
        return
    node, where = hook.at("url"), hook.place("url")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or len(url) > LONGEST_URL or any(c.isspace() for c in url):
        problems.error(node, where, f"{url[:80]!r} is no http or https URL")
        return
    why = refusal(parts.hostname or "", allow_private=allow_private)
    if why is not None and "is no address" not in why:  # a name is looked up, and checked, at every connection
        curable = refusal(parts.hostname or "", allow_private=True) is None
        problems.warn(node, where, f"nothing will be sent there: {why}", "allow_private: true for a network of your own" if curable else "")
    if parts.scheme == "http" and not allow_private:
        problems.warn(node, where, "messages are signed, and over http not secret", "https")


def _check_secret(hook: Fields, problems: Problems) -> None:
    variable, where = hook.text("secret_env"), hook.place("secret_env")
    if variable and not _VARIABLE.match(variable):
        problems.error(hook.at("secret_env"), where, "is no name of an environment variable", "the secret itself never stands in this file")
        return
    _, trouble = keys_in(variable, os.environ)
    if trouble:
        problems.warn(hook.at("secret_env"), where, trouble, "deliveries wait until this is put right")
