"""The one error tree of bihuan. Every error says what was wrong, where, and what to do.

What must not go in: HTTP status codes, exit codes, library exceptions. The edges map this tree
(``api/problems.py`` to problem details, ``bihuan/cli.py`` to exit codes) with tables that a test proves complete.

::

    BihuanError
    ├── BadInput                what was sent can't be understood or is not valid
    │   ├── MalformedMessage    one message; ``where`` is a JSON pointer
    │   ├── TooLarge            body, batch or file over its bound
    │   ├── UnknownSchema       a major version that this build does not know (parked, replayable)
    │   └── InvalidFile         a site or policy file; carries a problem for each line
    ├── Refused                 understood, and not allowed
    │   ├── NotSignedIn         no valid session or token
    │   ├── NotPermitted        the role or the enterprise scope does not allow it
    │   ├── NotInState          the state table has no such transition
    │   ├── Throttled           too many attempts; later it is allowed again (``retryable``)
    │   └── Conflict            somebody else changed it first
    ├── NotFound                no such thing, or none that the caller may see
    ├── Unavailable             a part is away; retrying helps (``retryable``)
    │   ├── StorageUnavailable
    │   ├── BrokerUnavailable
    │   ├── JournalFull         the door is shedding
    │   └── SourceLost          a camera or sensor link broke
    ├── SourceUnreadable        a video or device that will never work as it is configured
    └── Misconfigured           a setting, a partition count, a locked data folder
"""

from dataclasses import dataclass, field
from typing import ClassVar


class BihuanError(Exception):
    """Root of the tree.

    ``what``: what was wrong, one sentence. ``where``: field, row, line or device, or "". ``hint``: what to do, or "".
    """

    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(": ".join(p for p in (where, what) if p) + (f" ({hint})" if hint else ""))


class BadInput(BihuanError):
    """What was sent can't be understood or is not valid."""


class MalformedMessage(BadInput):
    """One message that does not hold what its format asks; ``where`` is a JSON pointer (RFC 6901)."""


class TooLarge(BadInput):
    """A body, batch or file over its bound."""


class UnknownSchema(BadInput):
    """A message of a major version that this build does not know. It is parked and can be replayed after an upgrade."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong in a file. ``line`` counts from 1; 0 means the file as a whole."""

    line: int
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = ", ".join(p for p in (f"line {self.line}" if self.line else "", self.where) if p)
        return (f"{place}: " if place else "") + self.what + (f" ({self.hint})" if self.hint else "")


@dataclass
class InvalidFile(BadInput):
    """A site or policy file with at least one problem."""

    file: str
    problems: tuple[FileProblem, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        super().__init__("; ".join(str(p) for p in self.problems), where=self.file)


class Refused(BihuanError):
    """Understood, and not allowed."""


class NotSignedIn(Refused):
    """No valid session or token."""


class NotPermitted(Refused):
    """The role or the enterprise scope does not allow it."""


class NotInState(Refused):
    """The state table has no such transition."""


class Throttled(Refused):
    """Too many attempts for now; the same may be tried again later."""

    retryable = True


class Conflict(Refused):
    """Somebody else changed it first; ``what`` says what changed."""


class NotFound(BihuanError):
    """No such thing, or none that the caller may see."""


class Unavailable(BihuanError):
    """A part is away; trying again helps."""

    retryable = True


class StorageUnavailable(Unavailable):
    """SQL or the time series does not answer."""


class BrokerUnavailable(Unavailable):
    """Kafka does not answer."""


class JournalFull(Unavailable):
    """The journal reached its bound (rows or disk) and sheds; what was not accepted must be sent again."""


class SourceLost(Unavailable):
    """A camera or sensor link broke and is being tried again."""


class SourceUnreadable(BihuanError):
    """A video or device that will never work as it is configured."""


class Misconfigured(BihuanError):
    """A setting, a partition count, a locked data folder: the process does not start."""
