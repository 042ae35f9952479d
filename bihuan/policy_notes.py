"""A pack and the lines of its file: where what is found in it is noted. What must not go in: what is wrong with a pack."""

from collections.abc import Mapping

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
