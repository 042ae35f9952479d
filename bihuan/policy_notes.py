"""A pack and the lines of its file: what stands where, and where what is found is noted. What must not go in: what is wrong with a pack."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs
from yaml.nodes import Node

from bihuan.yaml_lines import Problems
from hazards.ledger.policy import Policy


class Notes:
    """``nodes``: by place such as ``grades.major.limit``, as the reader left them."""

    def __init__(self, policy: Policy, nodes: Mapping[str, Node], problems: Problems) -> None:
        self.policy, self.nodes, self.problems = policy, nodes, problems

    def error(self, where: str, what: str, hint: str = "") -> None:
        """Something that makes the pack invalid."""
        self.problems.error(self._node(where), where, what, hint)

    def warn(self, where: str, what: str, hint: str = "") -> None:
        """Something worth a look."""
        self.problems.warn(self._node(where), where, what, hint)

    def _node(self, where: str) -> Node:
        """The node at ``where``, or the nearest one around it."""
        while where not in self.nodes and where:
            where = where.rpartition(".")[0]
        return self.nodes[where]


def walked(value: Any, where: str = "", name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Everything in ``value``, itself first: its place in the file, the field it stands in, and what it is."""
    yield where, name, value
    if isinstance(value, Struct):
        for field in structs.fields(value):
            yield from walked(getattr(value, field.name), f"{where}.{field.name}".lstrip("."), field.name)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from walked(each, f"{where}.{key}", name)
    elif isinstance(value, tuple | frozenset):
        for n, each in enumerate(value):
            own = own_name(each)
            yield from walked(each, f"{where}.{own}" if own else f"{where}[{n}]", name)


def own_name(value: Any) -> str:
    """The first field of a struct where it is a text: its name in the file."""
    first = getattr(value, structs.fields(value)[0].name) if isinstance(value, Struct) else None
    return first if isinstance(first, str) else ""
