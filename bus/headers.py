"""The one header that records carry: which agents are done with a pack already. What must not go in: topics, clients.

Only the embedded broker's forwarder sets it (``ingest/routes.py``): it sends a pack again for one agent, and the others pass it over.
"""

from collections.abc import Iterable, Mapping

DONE = "done"


def done_header(*agents: str) -> tuple[tuple[str, bytes], ...]:
    """The headers of a record that ``agents`` are done with."""
    return ((DONE, ",".join(agents).encode()),)


def done_with(headers: Iterable[tuple[str, bytes]] | Mapping[str, bytes] | None) -> frozenset[str]:
    """The agents that are done with a record of these headers, as aiokafka (pairs) or Faust (a mapping) gives them."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return frozenset(name for key, value in pairs if key == DONE for name in value.decode("utf-8", "replace").split(","))
