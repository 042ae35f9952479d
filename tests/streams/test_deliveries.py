"""Which offset may be committed: never past a message that is not acknowledged, whatever the order, holes or a log that starts anew."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from streams.deliveries import Deliveries


@dataclass
class Message:
    offset: int
    acked: bool = False


def delivered(*offsets: int) -> tuple[Deliveries, list[Message]]:
    deliveries, messages = Deliveries(), [Message(o) for o in offsets]
    for message in messages:
        deliveries.delivered("p", message)
    return deliveries, messages


def test_nothing_acknowledged_nothing_committed() -> None:
    deliveries, _ = delivered(1, 2)
    assert deliveries.committable("p") is None
    assert deliveries.unacknowledged() == 2


def test_up_to_the_first_that_is_not_acknowledged() -> None:
    deliveries, (one, two, three) = delivered(1, 2, 3)
    three.acked = one.acked = True
    assert deliveries.committable("p") == 2
    assert deliveries.committable("p") == 2, "the first commit may have failed"
    two.acked = True
    assert deliveries.committable("p") == 4


def test_a_hole_in_the_offsets_does_not_stop_it() -> None:
    deliveries, messages = delivered(1, 9, 4000)
    for message in messages:
        message.acked = True
    assert deliveries.committable("p") == 4001


def test_a_log_that_starts_from_zero_again() -> None:
    deliveries, (old,) = delivered(500)
    old.acked = True
    assert deliveries.committable("p") == 501
    new = Message(0, acked=True)
    deliveries.delivered("p", new)
    assert deliveries.committable("p") == 1


def test_what_is_acknowledged_after_the_partition_went_has_no_effect() -> None:
    deliveries, (late,) = delivered(7)
    deliveries.forget(["p"])
    late.acked = True
    assert deliveries.committable("p") is None


@given(st.lists(st.integers(0, 10_000), min_size=1, unique=True).map(sorted), st.data())
def test_never_past_an_open_message_and_at_last_all(offsets: list[int], data: st.DataObject) -> None:
    deliveries, messages = delivered(*offsets)
    committed = 0
    for message in data.draw(st.permutations(messages)):
        message.acked = True
        committed = deliveries.committable("p") or committed
        assert all(m.acked for m in messages if m.offset < committed)
    assert committed == offsets[-1] + 1
