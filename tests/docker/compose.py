"""``docker/compose.yaml`` as an engine would read it: merged and with the environment filled in. What must not go in: checks."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DOCKER = Path(__file__).parents[2] / "docker"
_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:?[-?])([^}]*))?\})")


class MissingVariable(Exception):
    """A required variable is not set."""


def raw() -> dict[str, Any]:
    """The file with its anchors merged and its variables as they stand."""
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def variables() -> dict[str, str]:
    """Each variable of the file and what follows its name: "" for none, ":?…" required, ":-…" with a default."""
    return {m[2]: (m[3] or "") + (m[4] or "") for m in _VARIABLE.finditer((DOCKER / "compose.yaml").read_text()) if m[2]}


def services(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services for the environment ``given``. Raises MissingVariable."""
    filled: dict[str, Any] = _filled(raw(), given)
    found: dict[str, dict[str, Any]] = filled["services"]
    return found


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a service, as text."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def _filled(node: Any, given: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, given) for value in node]
    return _VARIABLE.sub(lambda m: _value(m, given), node) if isinstance(node, str) else node


def _value(match: re.Match[str], given: Mapping[str, str]) -> str:
    dollar, name, operator, rest = match.groups()
    if dollar:
        return "$"
    if value := given.get(name):
        return value
    if operator in (":?", "?"):
        raise MissingVariable(f"{name}: {rest}")
    return rest or ""
