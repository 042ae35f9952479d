"""Ids: the same thing always gets the same id, different things never."""

import hashlib
from uuid import uuid5

from hypothesis import given
from hypothesis import strategies as st

from hazards.identity import NAMESPACE, onset_id, signal_id
from hazards.telemetry import pack_id


def test_ids_never_change_between_versions() -> None:
    assert signal_id("device/CAM-2", "7c1b0f1e-9a51-4d0e-9a41-5b8f5f0a2f11") == "e04ea594-6b4d-5e13-b74d-05a38c1f7246"


@given(st.text(), st.text(), st.text(), st.text())
def test_source_and_id_together_are_the_key(source: str, source_id: str, other_source: str, other_id: str) -> None:
    same = (source, source_id) == (other_source, other_id)
    assert (signal_id(source, source_id) == signal_id(other_source, other_id)) == same


def test_a_protocol_without_ids_is_told_apart_by_onset_and_sequence() -> None:
    ids = {onset_id("camera/CAM-1", "CAM-1", "flame", a, t, n) for a in ("raised", "cleared") for t in (1, 2) for n in (0, 1)}
    assert len(ids) == 8


@given(st.text(max_size=40))
def test_the_quick_id_of_a_pack_is_the_uuid_of_its_name(zone: str) -> None:
    digest = hashlib.sha256(f"{zone}\0a/b".encode())
    digest.update((2).to_bytes(8, "little") + b"xy")
    assert pack_id(zone, ["a/b"], b"xy") == str(uuid5(NAMESPACE, "pack/" + digest.hexdigest()))
