"""Ids. The id of a signal is its deduplication key, so every id here is a pure function of what it names.

What must not go in: random ids, clocks, sequences from a database.
"""

from uuid import UUID, uuid5

NAMESPACE = UUID("6c1c7d1e-2f0b-5b7e-9a39-0b1a7a4d5c11")  # fixed for ever: changing it doubles every replayed alarm


def _name(*parts: str | int) -> str:
    """Parts joined so that no two different tuples give the same text (lengths are part of it)."""
    return "".join(f"{len(str(p))}:{p}" for p in parts)


def signal_id(source: str, source_id: str) -> str:
    """Id of a signal whose sender gave an id. CloudEvents 1.0: source + id is unique."""
    return str(uuid5(NAMESPACE, "signal/" + _name(source, source_id)))


def onset_id(source: str, device: str, kind: str, action: str, onset_us: int, sequence: int = 0) -> str:
    """Id of a signal from a protocol without ids, from the onset in microseconds (architecture 3.1)."""
    return str(uuid5(NAMESPACE, "onset/" + _name(source, device, kind, action, onset_us, sequence)))


def incident_id(group: str, first_signal: str) -> str:
    """Id of the incident that ``first_signal`` opens in the merging group ``group``."""
    return str(uuid5(NAMESPACE, "incident/" + _name(group, first_signal)))


def endpoint_id(enterprise: str | None, url: str) -> str:
    """Id of a webhook's endpoint: whom it serves and where it is. A changed secret leaves it the same."""
    return str(uuid5(NAMESPACE, "endpoint/" + _name(enterprise or "", url)))


def delivery_id(endpoint: str, position: int) -> str:
    """Id of what an endpoint is told of the outbox event at ``position``: the webhook-id, the same in every attempt."""
    return str(uuid5(NAMESPACE, "delivery/" + _name(endpoint, position)))


def hazard_of_incident(incident: str) -> str:
    """Id of the hazard that ``incident`` proposes: whoever proposes it, and however often, it is this one."""
    return str(uuid5(NAMESPACE, "hazard/incident/" + _name(incident)))


def hazard_of_command(actor: str, command_id: str) -> str:
    """Id of the hazard that ``actor`` puts down by hand under the name ``command_id`` of the request."""
    return str(uuid5(NAMESPACE, "hazard/command/" + _name(actor, command_id)))


def declaration_of_command(actor: str, command_id: str) -> str:
    """Id of the declaration that ``actor`` enters under the name ``command_id`` of the request."""
    return str(uuid5(NAMESPACE, "declaration/command/" + _name(actor, command_id)))
