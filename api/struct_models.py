"""pydantic models made from the domain's structs: one definition of a field serves the domain, the API's bodies and OpenAPI.

Times, UTC µs inside (``hazards.ledger.forms.Instant``), are times with an offset here. What must not go in: which structs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import inspect
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr, create_model

from api.models import Strict
from hazards.ledger.limits import EPOCH

_REQUEST: dict[type[inspect.Type], Any] = {inspect.StrType: StrictStr, inspect.IntType: StrictInt, inspect.BoolType: StrictBool}
_ANSWER: dict[type[inspect.Type], Any] = {inspect.StrType: str, inspect.IntType: int, inspect.BoolType: bool}
_FINITE = Annotated[StrictFloat, Field(allow_inf_nan=False)]
_BOUNDS = ("gt", "ge", "le", "min_length", "max_length", "pattern")


@cache
def request_model(struct: type[msgspec.Struct]) -> type[Strict]:
    """The body that asks for ``struct``, with its bounds; of a tagged one the tag is a field, too. Unknown fields are refused."""
    made: type[Strict] = create_model(struct.__name__, __base__=Strict, __doc__=struct.__doc__, __module__=__name__,
                                      **_fields(struct, strict=True))  # fmt: skip
    return made


@cache
def answer_model(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """The body that shows ``struct``."""
    made: type[BaseModel] = create_model(f"{struct.__name__}Shown", __doc__=struct.__doc__, __module__=__name__,
                                         **_fields(struct, strict=False))  # fmt: skip
    return made


def shown(value: msgspec.Struct, time: Callable[[int], datetime]) -> BaseModel:
    """``value`` as a body of its answer model. ``time``: from UTC µs to a time with the site's offset."""
    model = answer_model(type(value))
    return model(**{name: _shown(getattr(value, name), name in _instants(type(value)), time) for name in model.model_fields})


def _shown(value: Any, instant: bool, time: Callable[[int], datetime]) -> Any:
    if instant and value is not None:
        return time(value)
    if isinstance(value, msgspec.Struct):
        return shown(value, time)
    if isinstance(value, list):
        return [_shown(each, instant, time) for each in value]
    return {name: _shown(each, instant, time) for name, each in value.items()} if isinstance(value, dict) else value


@cache
def _instants(struct: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of ``struct`` that are times."""
    fields = inspect.type_info(struct).fields  # type: ignore[attr-defined]
    return frozenset(each.encode_name for each in fields if _is_instant(each.type))


def _is_instant(form: inspect.Type) -> bool:
    if isinstance(form, inspect.UnionType):
        return any(_is_instant(t) for t in form.types)
    return isinstance(form, inspect.Metadata) and bool((form.extra or {}).get("instant"))


def _fields(struct: type[msgspec.Struct], *, strict: bool) -> dict[str, Any]:
    info = inspect.type_info(struct)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{struct} is no struct")
    fields: dict[str, Any] = {} if info.tag is None else {str(info.tag_field): (Literal[info.tag], ...)}
    for each in info.fields:
        form = _form(each.type, strict=strict)
        if not strict or (each.default is msgspec.NODEFAULT and each.default_factory is msgspec.NODEFAULT):
            fields[each.encode_name] = (form, ...)  # an answer has every field
        elif each.default is not msgspec.NODEFAULT:
            fields[each.encode_name] = (form, each.default)
        else:
            fields[each.encode_name] = (form, Field(default_factory=each.default_factory))
    return fields


def _form(form: inspect.Type, *, strict: bool, extra: dict[str, Any] | None = None) -> Any:
    """The type of a field as pydantic has it. Raises TypeError for a kind of field that no struct had so far."""
    match form:
        case inspect.Metadata(type=inner):
            made = _form(inner, strict=strict, extra=form.extra)
            description = (form.extra_json_schema or {}).get("description")
            return Annotated[made, Field(description=description)] if description else made
        case inspect.IntType() if extra and extra.get("instant"):
            return Annotated[AwareDatetime, AfterValidator(_within(form))] if strict else datetime
        case inspect.StrType() | inspect.IntType() | inspect.BoolType():
            plain = (_REQUEST if strict else _ANSWER)[type(form)]
            bounds = {name: value for name in _BOUNDS if (value := getattr(form, name, None)) is not None} if strict else {}
            return Annotated[plain, Field(**bounds)] if bounds else plain
        case inspect.FloatType():
            return _FINITE if strict else float
        case inspect.DictType(value_type=value):
            inner = _form(value, strict=strict)
            return dict[StrictStr, inner] if strict else dict[str, inner]  # type: ignore[valid-type]
        case inspect.LiteralType(values=values):
            return Literal[tuple(values)]
        case inspect.EnumType(cls=cls):
            return Literal[tuple(member.value for member in cls)]
        case inspect.ListType(item_type=item, max_length=longest):
            inner = _form(item, strict=strict)
            return Annotated[list[inner], Field(max_length=longest)] if strict and longest else list[inner]  # type: ignore[valid-type]
        case inspect.UnionType(types=types):
            return Union[tuple(_form(t, strict=strict) for t in types)]  # noqa: UP007 (made at run time)
        case inspect.NoneType():
            return None
        case inspect.StructType(cls=cls):
            return (request_model if strict else answer_model)(cls)
    raise TypeError(f"no form of the API for {form}")


def _within(form: inspect.IntType) -> Callable[[datetime], datetime]:
    """The bounds of an instant, µs inside, as a check of times."""
    first, last = (EPOCH + timedelta(microseconds=at or 0) for at in (form.gt, form.le))

    def check(time: datetime) -> datetime:
        if not first < time <= last:
            raise ValueError(f"a time between {first.year} and {last.year} belongs here")
        return time

    return check
