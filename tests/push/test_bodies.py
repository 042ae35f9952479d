"""Bodies: the standard's shape, always under 20 kB, and what does not fit is named."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards.zones import Site
from push.bodies import LARGEST, body_of
from storage.site_store import Registry

REGISTRY = Registry(1, Site(id="park", name="园区"))
NOON = 1_795_400_000_000_000


def made(data: dict[str, Any]) -> dict[str, Any]:
    body = body_of("incident.opened", NOON, data, REGISTRY)
    assert len(body) < LARGEST
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def test_a_body_has_type_timestamp_and_data() -> None:
    assert made({"id": "i"}) == {"type": "incident.opened", "timestamp": "2026-11-23T10:13:20+08:00", "data": {"id": "i"}}


def test_texts_are_shortened_before_anything_is_left_out() -> None:
    data = made({"id": "i", "message": "长" * 9000, "devices": ["D"] * 20})["data"]
    assert data["message"].endswith("…") and len(data["message"]) == 500 and data["devices"] == ["D"] * 20
    assert "left_out" not in data


def test_what_matters_least_and_is_largest_is_left_out_first() -> None:
    given_ = {"id": "i", "state": "active", "links": {"self": "/i"}, "devices": ["D" * 60] * 400, "corroboration": {"x": "y" * 50}}
    data = made(given_)["data"]
    assert data["left_out"] == ["devices"] and data["state"] == "active" and data["corroboration"]


NAMES = st.sampled_from(["message", "zone_name", "devices", "kinds", "links", "why", "x"])
VALUES = st.one_of(st.text(max_size=40), st.integers(1, 30_000).map(lambda n: ["安" * 9] * n), st.just("\x01" * 9000))


@settings(max_examples=60)
@given(st.dictionaries(NAMES, VALUES))
def test_no_body_is_ever_too_large(data: dict[str, Any]) -> None:
    found = made({"id": "i", **data})["data"]
    assert found["id"] == "i"
    assert set(found.get("left_out", [])) | set(found) >= set(data)
