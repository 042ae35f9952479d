"""Forms of what people enter: lengths and patterns, once for the API's bodies and for every other caller.

What must not go in: what the fields mean.
"""

from typing import Annotated

from msgspec import Meta

_PLAIN = r"^[^\x00]*$"
_SAID = r"^[^\x00]*[^\s\x00][^\x00]*$"
Instant = Annotated[int, Meta(gt=0, le=2**53, extra={"instant": True})]
"""UTC µs inside; at the API a time with its offset."""
Short = Annotated[str, Meta(max_length=200, pattern=_PLAIN)]
ShortSaid = Annotated[str, Meta(min_length=1, max_length=200, pattern=_SAID)]
Longer = Annotated[str, Meta(max_length=1000, pattern=_PLAIN)]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=_SAID)]
Note = Annotated[str, Meta(max_length=4000, pattern=_PLAIN)]
Said = Annotated[str, Meta(min_length=1, max_length=4000, pattern=_SAID)]
Id = Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]
Name = Annotated[str, Meta(max_length=64, pattern=_PLAIN)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Meta(ge=1, le=2**31)]
Version = Annotated[int, Meta(ge=0, le=2**53, description="the version you looked at; another one by now: 409")]
