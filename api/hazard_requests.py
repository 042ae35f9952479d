"""Bodies of requests about hazards (隐患), made from the domain's own commands, so that the two can't disagree.

Lengths and patterns stand with the fields in ``hazards/ledger/commands.py``; here they become pydantic models with the names and
descriptions of the domain, times with an offset, and ``command_id``. What must not go in: answers (``api/hazard_models.py``), decisions.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Union

import msgspec
from pydantic import Field, StrictStr, create_model

from api.models import Strict
from api.struct_models import request_model
from hazards.ledger import commands as domain
from hazards.ledger.limits import EPOCH

_NO_NUL = r"^[^\x00]*$"
KindName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
GradeName = Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL, description="a grade of the pack, such as general 一般, major 重大")]
CommandId = Annotated[
    StrictStr | None,
    Field(min_length=1, max_length=100, pattern=_NO_NUL, description="your own id of this request: sent again, it has no second effect"),
]


class Proposal(Strict):
    """A hazard to be: from an incident, which fills in what is left out, or by hand with zone, kind, grade and title.

    ``origin``: how it was found, where that is not what your role says: check_item, whistle_blow, hotline, check_up, other_system."""

    incident: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    zone: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    kind: KindName | None = None
    grade: GradeName | None = None
    title: Annotated[StrictStr | None, Field(max_length=200, pattern=_NO_NUL)] = None
    description: Annotated[StrictStr, Field(max_length=4000, pattern=_NO_NUL)] = ""
    origin: Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL)] = ""
    reference: Annotated[StrictStr, Field(max_length=200, pattern=_NO_NUL, description="its number in another system")] = ""
    command_id: CommandId = None


def _command(name: str) -> type[Strict]:
    """The body of the command ``name``: the domain's, with the caller's own id of the request."""
    model = request_model(domain.STRUCTS[name])
    more: Any = {"command_id": (CommandId, None)}
    return create_model(f"{model.__name__}Command", __base__=model, __doc__=model.__doc__, __module__=__name__, **more)


if TYPE_CHECKING:

    class HazardCommand(Strict):
        """Any of the commands."""

        command: str
        command_id: str | None
else:
    HazardCommand = Annotated[Union[tuple(_command(name) for name in domain.STRUCTS)], Field(discriminator="command")]  # noqa: UP007


def to_domain(body: HazardCommand) -> domain.HazardCommand:
    """The command that ``body`` asks for."""
    given = _inside(body.model_dump(exclude={"command_id"}))
    made: domain.HazardCommand = msgspec.convert(given, type=domain.STRUCTS[body.command])
    return made


def _inside(value: Any) -> Any:
    """``value`` with its times as UTC µs."""
    match value:
        case datetime():
            return (value - EPOCH) // timedelta(microseconds=1)
        case dict():
            return {name: _inside(each) for name, each in value.items()}
        case list():
            return [_inside(each) for each in value]
    return value
