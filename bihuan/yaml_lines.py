"""YAML read so that every value knows its line: a small reader over PyYAML's nodes that collects problems instead of raising.

What must not go in: what a site or a policy is.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hazards.durations import LONGEST, LONGEST_DAYS, read_duration
from hazards.errors import FileProblem, InvalidFile

MOST_BYTES = 8_000_000
MOST_NODES = 400_000
DEEPEST = 40
_NULL = "tag:yaml.org,2002:null"
_AS_WRITTEN = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary", "tag:yaml.org,2002:str"}
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def line_of(node: Node) -> int:
    """The line of ``node``, counted from 1."""
    return int(node.start_mark.line) + 1


def check_size(size: int, file: str) -> None:
    """Raises InvalidFile for more bytes than are read."""
    if size > MOST_BYTES:
        raise InvalidFile(file, (FileProblem(0, "", f"{size} bytes are more than the {MOST_BYTES} allowed"),))


class Problems:
    """What is wrong and what is only odd, in the order of the file."""

    def __init__(self) -> None:
        self.errors: list[FileProblem] = []
        self.warnings: list[FileProblem] = []

    def error(self, node: Node, where: str, what: str, hint: str = "") -> None:
        """Something that makes the file invalid."""
        self.errors.append(FileProblem(line_of(node), where, what, hint))

    def warn(self, node: Node, where: str, what: str, hint: str = "") -> None:
        """Something worth a look."""
        self.warnings.append(FileProblem(line_of(node), where, what, hint))


class Document:
    """One YAML document as nodes. Raises InvalidFile for what is no YAML, too large or endless."""

    def __init__(self, data: bytes, file: str) -> None:
        check_size(len(data), file)
        try:
            self._loader = yaml.SafeLoader(data.decode("utf-8-sig"))
            root = self._loader.get_single_node()
        except UnicodeDecodeError as e:
            line = data[: e.start].count(b"\n") + 1
            raise InvalidFile(file, (FileProblem(line, "", "is not UTF-8 text"),)) from e
        except yaml.MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            what = " ".join(str(e.problem or e.context or "is not YAML").split())
            raise InvalidFile(file, (FileProblem(mark.line + 1 if mark else 0, "", f"not YAML: {what}"),)) from e
        except (yaml.YAMLError, RecursionError) as e:
            raise InvalidFile(file, (FileProblem(1, "", f"not YAML: {' '.join(str(e).split())[:200]}"),)) from e
        if not isinstance(root, MappingNode):
            raise InvalidFile(file, (FileProblem(1, "", "is empty or has no keys at the top"),))
        self.root = root
        for count, (node, depth) in enumerate(_walk(root, 0)):
            if count > MOST_NODES or depth > DEEPEST:
                raise InvalidFile(file, (FileProblem(line_of(node), "", "nested or repeated beyond reason"),))
        if unusable := self._unusable():
            raise InvalidFile(file, unusable)

    def _unusable(self) -> tuple[FileProblem, ...]:
        """What YAML allows and no part can keep, each node once. After this ``plain`` and ``fields`` raise for no node."""
        checked, found = set[int](), list[FileProblem]()
        for node, _ in _walk(self.root, 0, enter=lambda n: self._merge(n, found)):
            if isinstance(node, ScalarNode) and id(node) not in checked and (what := self._unusable_scalar(node)):
                found.append(FileProblem(line_of(node), "", what))
            checked.add(id(node))
        return tuple(sorted(found, key=lambda p: p.line))

    def _merge(self, node: MappingNode, found: list[FileProblem]) -> None:
        try:
            self._loader.flatten_mapping(node)
        except (yaml.YAMLError, RecursionError):
            found.append(FileProblem(line_of(node), "", "<< does not name keys to merge"))
            node.value = []

    def _unusable_scalar(self, node: ScalarNode) -> str:
        if "\0" in node.value or any("\ud800" <= c <= "\udfff" for c in node.value):
            return "a text holds a NUL or half a surrogate pair, which can't be kept"
        if node.tag in _AS_WRITTEN:
            return ""
        try:
            self._loader.construct_object(node)
        except yaml.YAMLError:
            pass  # a tag nobody knows: kept as it is written
        except (ValueError, OverflowError, RecursionError, LookupError, TypeError, AttributeError):
            return f"{_shortened(node.value)} is no value of its kind, or too large"
        return ""

    def plain(self, node: Node) -> Any:
        """The value of ``node`` as plain Python; dates stay text so that it can become JSON."""
        if isinstance(node, MappingNode):
            self._loader.flatten_mapping(node)
            return {str(k.value): self.plain(v) for k, v in node.value}
        if isinstance(node, SequenceNode):
            return [self.plain(v) for v in node.value]
        if node.tag in _AS_WRITTEN:
            return node.value
        try:
            value = self._loader.construct_object(node)
        except yaml.YAMLError:
            return node.value
        if isinstance(value, int) and not _LOWEST <= value <= _HIGHEST:
            return node.value  # an id of many digits, more likely than a number
        return None if isinstance(value, float) and not math.isfinite(value) else value

    def fields(self, node: Node, where: str, problems: Problems) -> "Fields | None":
        """The keys of a mapping, or None after noting that it is none."""
        if not isinstance(node, MappingNode):
            problems.error(node, where, "keys are expected here", "{key: value}")
            return None
        self._loader.flatten_mapping(node)
        return Fields(self, node, where, problems)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _walk(node: Node, depth: int, enter: Callable[[MappingNode], None] = lambda _: None) -> Iterator[tuple[Node, int]]:
    """Every node as often as it is reached, ``enter`` before a mapping's keys; stops below DEEPEST: a node inside itself ends too."""
    yield node, depth
    if depth > DEEPEST:
        return
    if isinstance(node, MappingNode):
        enter(node)
        for key, value in node.value:
            yield from _walk(key, depth + 1, enter)
            yield from _walk(value, depth + 1, enter)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _walk(value, depth + 1, enter)


class Fields:
    """The keys of one mapping; each getter notes what is wrong and returns a harmless value. ``rest`` is what nobody asked for."""

    def __init__(self, document: Document, node: MappingNode, where: str, problems: Problems) -> None:
        self.document, self.node, self.where, self.problems = document, node, where, problems
        self._nodes: dict[str, Node] = {}
        self._asked: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                problems.error(key, where, "a key must be a word")
            elif key.value in self._nodes:
                problems.error(key, where, f"{key.value} is given twice")
            else:
                self._nodes[key.value] = value

    def place(self, key: str) -> str:
        """How a key is called in a problem."""
        return f"{self.where}.{key}" if self.where else key

    def node_of(self, key: str) -> Node | None:
        """The node of ``key``; an explicit null is like leaving it out."""
        self._asked.add(key)
        node = self._nodes.get(key)
        return None if node is None or node.tag == _NULL else node

    def at(self, key: str) -> Node:
        """Where to point for ``key``: at it, or at the mapping when it is missing."""
        return self._nodes.get(key) or self.node

    def rest(self) -> dict[str, Node]:
        """The keys that were not asked for."""
        return {k: v for k, v in self._nodes.items() if k not in self._asked}

    def text(self, key: str, default: str | None = "") -> str:
        """A text as it is written, so that 007 stays 007. ``default`` None: the key must be there."""
        node = self.node_of(key)
        if node is None:
            if default is None:
                self.problems.error(self.node, self.place(key), "is missing")
            return default or ""
        if not isinstance(node, ScalarNode):
            self.problems.error(node, self.place(key), "a text is expected")
            return ""
        if default is None and not node.value.strip():
            self.problems.error(node, self.place(key), "is empty")
        return str(node.value)

    def flag(self, key: str) -> bool:
        """A yes or no, no when left out."""
        node = self.node_of(key)
        value = self.document.plain(node) if node is not None else False
        if not isinstance(value, bool):
            self.problems.error(self.at(key), self.place(key), "true or false is expected")
            return False
        return value

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number within bounds, or None when left out."""
        node = self.node_of(key)
        if node is None:
            return None
        value = self.document.plain(node)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problems.error(node, self.place(key), f"a whole number from {low} to {high} is expected")
            return None
        return value

    def duration(self, key: str) -> int:
        """Microseconds of a duration such as 0s, 500ms, 2m; 0 when left out."""
        node = self.node_of(key)
        if node is None:
            return 0
        microseconds = read_duration(str(node.value)) if isinstance(node, ScalarNode) else None
        if microseconds is None:
            self.problems.error(node, self.place(key), "a duration with its unit is expected", "for example 500ms, 30s, 5m")
            return 0
        if microseconds > LONGEST:
            self.problems.error(node, self.place(key), "the duration is too long", f"at most {LONGEST_DAYS}d")
            return 0
        return microseconds

    def items(self, key: str) -> list[Node]:
        """The entries of a list, none when left out."""
        node = self.node_of(key)
        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            self.problems.error(node, self.place(key), "a list is expected")
            return []
        return list(node.value)

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        texts = []
        for n, node in enumerate(self.items(key)):
            if isinstance(node, ScalarNode):
                texts.append(str(node.value))
            else:
                self.problems.error(node, f"{self.place(key)}[{n}]", "a text is expected")
        return texts

    def points(self, key: str) -> list[tuple[float, float]] | None:
        """A list of [x, y], or None after noting what is wrong with it; [] when left out."""
        return points(self.document, self.items(key), self.place(key), self.problems)


def points(document: Document, nodes: list[Node], where: str, problems: Problems) -> list[tuple[float, float]] | None:
    """The [x, y] pairs of ``nodes``, or None after noting what is none."""
    found: list[tuple[float, float]] = []
    sound = True
    for n, node in enumerate(nodes):
        value = document.plain(node)
        if isinstance(value, list) and len(value) == 2 and all(_finite(v) for v in value):
            found.append((float(value[0]), float(value[1])))
        else:
            problems.error(node, f"{where}[{n}]", "a point is two numbers", "[x, y]")
            sound = False
    return found if sound else None


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
