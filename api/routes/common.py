"""What several route modules share: parameter types and paging. What must not go in: routes."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator
from pydantic_core import PydanticUseDefault

from api.gate import principal_of
from api.principals import Principal
from api.services import Services, services_of
from hazards.errors import BadInput
from ingest.rfc3339 import parse_time

T = TypeVar("T")

NO_NUL = r"^[^\x00]*$"
LARGEST_PAGE = 500


def number_or_default(value: Any) -> int:
    """``value`` as a number; what is none counts as not given."""
    try:
        return int(value)
    except ValueError:
        raise PydanticUseDefault from None



Asking = Annotated[Principal, Depends(principal_of)]
With = Annotated[Services, Depends(services_of)]
Id = Annotated[str, Path(alias="id", max_length=300, pattern=NO_NUL)]
Limit = Annotated[int, BeforeValidator(number_or_default), Query(description=f"clamped to 1…{LARGEST_PAGE}, never refused")]
Cursor = Annotated[str | None, Query(max_length=1000, pattern=NO_NUL, description="``next`` of the page before")]
Filter = Annotated[str | None, Query(max_length=300, pattern=NO_NUL)]


def clamp(limit: int) -> int:
    """``limit`` within its bounds."""
    return min(max(limit, 1), LARGEST_PAGE)


def moment(text: str, name: str) -> int:
    """The time in parameter ``name``, UTC µs. Raises BadInput."""
    try:
        return parse_time(text.replace(" ", "+") if "T" in text.upper() else text)  # a + in a URL arrives as a space
    except ValueError as e:
        raise BadInput(str(e), where=name, hint="RFC 3339 with offset; a + is written %2B in a URL") from e


def page_by_id(things: Sequence[T], id_of: Callable[[T], str], *, cursor: str | None, limit: int) -> tuple[list[T], str | None]:
    """The things after id ``cursor`` in order of id, and the next cursor."""
    ordered = sorted((t for t in things if cursor is None or id_of(t) > cursor), key=id_of)
    page = ordered[: clamp(limit)]
    return page, id_of(page[-1]) if len(ordered) > len(page) else None
