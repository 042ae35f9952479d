"""YAML to msgspec structs by their own types, with the line of every value: what is unknown, missing or of another kind is a problem.

Shorthands keep files readable: structs of a tuple may stand under their first field as a key; one of two fields may be that key and its
value; what is named in ``words`` is read from a word, a mapping's truth too, and so is a field that is named in ``fields``. What must not
go in: what a file means.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import inspect
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bihuan.yaml_lines import Document, Problems

Word = Callable[[str], Any]
"""From a word to a struct or a field's value, or None where it is none."""


_COLLECTIONS: dict[type, Callable[[list[Any]], Any]] = {
    inspect.VarTupleType: tuple, inspect.FrozenSetType: frozenset, inspect.ListType: list,
}  # fmt: skip


class StructReader:
    """Reads one document. ``nodes``: every value that was read, by its place such as ``grades.major.limit.rule``."""

    def __init__(
        self, document: Document, problems: Problems, words: Mapping[type, Word],
        fields: Mapping[tuple[type, str], tuple[Word, str]] | None = None,
    ) -> None:  # fmt: skip
        """``fields``: by struct and field, how it is read, and what is said to be expected."""
        self._document, self._problems, self._words, self._fields = document, problems, words, fields or {}
        self.nodes: dict[str, Node] = {}

    def read(self, node: Node, struct: type[msgspec.Struct], where: str = "", **given: Any) -> Any:
        """A ``struct`` made of ``node``'s keys and ``given``; None after noting what is wrong."""
        self._note(node, where)
        fields = self._document.fields(node, where, self._problems)
        if fields is None:
            return None
        values, sound = dict(given), True
        for each in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
            name, child = each.encode_name, None if each.encode_name in given else fields.node_of(each.encode_name)
            if child is not None:
                worded, place = self._fields.get((struct, name)), fields.place(name)
                values[name] = self._field(child, worded, place) if worded else self._value(child, each.type, place)
                sound = sound and values[name] is not None
            elif name not in given and each.default is msgspec.NODEFAULT and each.default_factory is msgspec.NODEFAULT:
                self._problems.error(node, fields.place(name), "is missing")
                sound = False
        for name, child in fields.rest().items():
            known = ", ".join(f.encode_name for f in inspect.type_info(struct).fields if f.encode_name not in given)  # type: ignore[attr-defined]
            self._problems.error(child, fields.place(name), "is no key here", f"known: {known}")
            sound = False
        return struct(**values) if sound else None

    def many(self, node: Node, struct: type[msgspec.Struct], where: str) -> list[Any] | None:
        """Structs of a list, or under their first field; None after noting what is wrong."""
        self._note(node, where)
        return self._many(node, inspect.type_info(struct), where)

    def _field(self, node: Node, worded: tuple[Word, str], where: str) -> Any:
        self._note(node, where)
        read, expected = worded
        made = read(str(node.value)) if isinstance(node, ScalarNode) else None
        return made if made is not None else self._wrong(node, where, expected)

    def _note(self, node: Node, where: str) -> None:
        self.nodes[where] = node

    def _value(self, node: Node, form: inspect.Type, where: str) -> Any:
        self._note(node, where)
        match form:
            case inspect.UnionType(types=types):
                return self._value(node, next(t for t in types if not isinstance(t, inspect.NoneType)), where)
            case inspect.StructType(cls=cls) if isinstance(node, ScalarNode) and cls in self._words:
                made = self._words[cls](str(node.value))
                return made if made is not None else self._wrong(node, where, f"{node.value!r} is not understood here")
            case inspect.StructType(cls=cls):
                return self.read(node, cls, where)
            case inspect.VarTupleType(item_type=item) | inspect.FrozenSetType(item_type=item) | inspect.ListType(item_type=item):
                found = self._many(node, item, where)
                return None if found is None else _COLLECTIONS[type(form)](found)
            case inspect.DictType(key_type=key, value_type=value):
                return self._mapping(node, key, value, where)
        return self._plain(node, form, where)

    def _many(self, node: Node, item: inspect.Type, where: str) -> list[Any] | None:
        if isinstance(node, MappingNode) and isinstance(item, inspect.StructType):
            fields = self._document.fields(node, where, self._problems)
            found = [self._named(child, item, name, f"{where}.{name}") for name, child in (fields.rest() if fields else {}).items()]
        elif isinstance(node, SequenceNode):
            found = [self._value(child, item, f"{where}[{n}]") for n, child in enumerate(node.value)]
        else:
            self._wrong(node, where, "a list or names with keys are expected")
            return None
        return None if None in found else found

    def _named(self, node: Node, item: inspect.StructType, name: str, where: str) -> Any:
        """One struct under its first field, or as that field and the value of its second."""
        first, *others = item.fields
        if len(others) == 1 and not isinstance(node, MappingNode):
            value = self._value(node, others[0].type, where)
            return None if value is None else item.cls(**{first.encode_name: name, others[0].encode_name: value})
        return self.read(node, item.cls, where, **{first.encode_name: name})

    def _mapping(self, node: Node, key: inspect.Type, value: inspect.Type, where: str) -> dict[Any, Any] | None:
        fields = self._document.fields(node, where, self._problems)
        if fields is None:
            return None
        made, sound = {}, True
        for name, child in fields.rest().items():
            place = f"{where}.{name}"
            carries = isinstance(value, inspect.StructType) and value.fields[0].encode_name in ("id", "name")
            word = self._words.get(bool) if isinstance(value, inspect.BoolType) and isinstance(child, ScalarNode) else None
            read = word(str(child.value)) if word is not None else None
            if read is None:
                read = self._named(child, value, name, place) if carries else self._value(child, value, place)  # type: ignore[arg-type]
            else:
                self._note(child, place)
            key_read = name if not isinstance(key, inspect.EnumType) else next((m for m in key.cls if m.value == name), None)
            if key_read is None:
                self._wrong(child, place, "is no key here", ", ".join(m.value for m in key.cls))  # type: ignore[attr-defined]
            sound = sound and read is not None and key_read is not None
            made[key_read] = read
        return made if sound else None

    def _plain(self, node: Node, form: inspect.Type, where: str) -> Any:
        if not isinstance(node, ScalarNode):
            return self._wrong(node, where, "one value is expected")
        match form:
            case inspect.StrType():
                return str(node.value)
            case inspect.EnumType(cls=cls):
                made = next((m for m in cls if m.value == node.value), None)
                known = ", ".join(m.value for m in cls)
                return made if made is not None else self._wrong(node, where, f"{node.value!r} is not one of them", known)
            case inspect.BoolType() | inspect.IntType():
                value = self._document.plain(node)
                wanted = bool if isinstance(form, inspect.BoolType) else int
                if type(value) is wanted and (wanted is bool or 0 <= value < 10**9):
                    return value
                return self._wrong(node, where, "true or false is expected" if wanted is bool else "a whole number is expected")
            case inspect.FloatType():
                value = self._document.plain(node)
                sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
                return float(value) if sound else self._wrong(node, where, "a number is expected")
        raise TypeError(f"no way to read {form} at {where}")

    def _wrong(self, node: Node, where: str, what: str, hint: str = "") -> None:
        self._problems.error(node, where, what, hint)
