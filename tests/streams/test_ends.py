"""A partition was read to its end when nothing of it is with the broker, in the client, in a queue or in a batch."""

from streams.ends import Ends


def test_nothing_is_known_before_the_first_look() -> None:
    assert not Ends().reached("a", 0, None)


def test_an_empty_partition_and_one_that_was_read_before_are_at_their_end() -> None:
    ends = Ends()
    ends.taken({"a": 0, "b": 70}, {})
    assert ends.reached("a", 0, None) and ends.reached("b", 70, None)
    assert not ends.reached("b", 71, None), "one more stands on the broker"


def test_what_was_taken_has_to_be_worked_on_first() -> None:
    ends = Ends()
    ends.taken({"a": 12}, {"a": 11})
    for through in (None, 5, 10):
        assert not ends.reached("a", 12, through), "it waits in this process"
    assert ends.reached("a", 12, 11)
    ends.taken({"a": 12}, {})
    assert ends.reached("a", 12, 11) and not ends.reached("a", 12, 10)
    ends.taken({"a": 15}, {"a": 14})
    assert not ends.reached("a", 15, 11) and not ends.reached("a", 16, 14)


def test_offsets_that_nobody_wrote_are_no_messages() -> None:
    ends = Ends()
    ends.taken({"a": 12}, {"a": 11})
    ends.taken({"a": 40}, {})  # the rest was older than what the topic keeps
    assert ends.reached("a", 40, 11)


def test_after_a_rebalance_it_is_found_out_anew() -> None:
    ends = Ends()
    ends.taken({"a": 12, "b": 3}, {"a": 11})
    ends.forget(["a"])
    assert not ends.reached("a", 12, 11) and ends.reached("b", 3, None)
