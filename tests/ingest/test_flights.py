"""The forwarder's bookkeeping: order within a zone, bounded memory, who is sent again and when."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.flights import HELD_BYTES, HELD_ROWS, PACK_BYTES, PACK_SIGNALS, Flights
from storage.journal import JournalEntry


def entry(seq: int, zone: str = "tank", size: int = 10) -> JournalEntry:
    return JournalEntry(seq, f"id-{seq}", zone, 0, b"x" * size)


def sent(flights: Flights, *seqs: int, zone: str = "tank", partition: int = 0, now: float = 0.0) -> None:
    flights.take([entry(seq, zone) for seq in seqs])
    flights.acknowledged(flights.next_pack(zone), partition, now)
    flights.stop_sending(zone)


def test_packs_are_of_one_zone_in_order_and_bounded_in_rows_and_bytes() -> None:
    flights = Flights()
    flights.take([entry(n, "ab"[n % 2]) for n in range(500)])
    assert sorted(flights.idle_zones()) == ["a", "b"]
    assert [e.seq for e in flights.next_pack("a")] == list(range(0, PACK_SIGNALS * 2, 2))
    assert flights.idle_zones() == ["b"]
    assert [e.seq for e in flights.next_pack("a")] == list(range(PACK_SIGNALS * 2, 500, 2))
    assert flights.next_pack("a") == [] and flights.idle_zones() == ["b"]
    flights.take([entry(n, "big", PACK_BYTES // 2) for n in range(1000, 1003)])
    assert [len(flights.next_pack("big")) for _ in range(3)] == [2, 1, 0]


def test_a_row_larger_than_a_pack_still_goes_alone() -> None:
    flights = Flights()
    flights.take([entry(1, size=PACK_BYTES + 1), entry(2)])
    assert [len(flights.next_pack("tank")) for _ in range(3)] == [1, 1, 0]


def test_room_is_bounded_by_rows_bytes_and_window() -> None:
    flights = Flights(window=2500)
    assert flights.room == HELD_ROWS
    flights.take([entry(n) for n in range(HELD_ROWS)])
    assert flights.room == 0
    while pack := flights.next_pack("tank"):
        flights.acknowledged(pack, 0, 0.0)
    assert flights.room == 500 and flights.awaited == HELD_ROWS
    flights.applied(range(HELD_ROWS), 1.0)
    assert flights.room == HELD_ROWS and flights.drained
    flights.take([entry(5000, size=HELD_BYTES)])
    assert flights.room == 0


def test_a_pack_put_back_goes_first_again() -> None:
    flights = Flights()
    flights.take([entry(n) for n in range(300)])
    pack = flights.next_pack("tank")
    assert flights.room == HELD_ROWS - 300
    flights.put_back(pack)
    assert flights.next_pack("tank") == pack and flights.room == HELD_ROWS - 300
    assert not flights.drained
    for entry_ in pack:
        flights.forget(entry_)
    assert flights.room == HELD_ROWS - 100


def test_everybody_gets_asked_about_in_turn() -> None:
    flights = Flights()
    sent(flights, *range(10))
    asked = [set(flights.ask(4).values()) for _ in range(5)]
    assert asked[0] == {0, 1, 2, 3} and set.union(*asked) == set(range(10))
    flights.applied([0, 1, 2], 1.0)
    assert set(flights.ask(100).values()) == set(range(3, 10))
    assert flights.ask(100).keys() == {f"id-{n}" for n in range(3, 10)}


def test_a_row_is_overdue_after_patience_and_then_after_twice_as_long() -> None:
    flights = Flights(patience=15)
    sent(flights, 1, now=100)
    assert flights.overdue(114.9, 10) == [] and flights.overdue(115, 10) == [1]
    flights.send_again([1], [entry(1)])
    assert flights.awaited == 0
    sent(flights, now=115)
    assert flights.overdue(144.9, 10) == [] and flights.overdue(145, 10) == [1]


def test_a_row_that_only_waits_its_turn_is_not_sent_again_and_one_that_was_overtaken_is() -> None:
    flights = Flights(patience=15)
    for n in range(4):
        sent(flights, n, now=100)
    sent(flights, 9, zone="depot", partition=1, now=100)
    flights.applied([0], 110)
    assert flights.overdue(120, 10) == [9]  # partition 0 moved 10 s ago: 1 to 3 are in its queue
    flights.applied([2], 119)
    assert flights.overdue(120, 10) == [1, 9]  # 2 came after 1 and is applied: 1 got lost
    assert flights.overdue(134, 10) == [1, 3, 9]
    assert flights.overdue(134, 1) == [1]


def test_nobody_is_blamed_for_the_time_in_which_sql_was_away() -> None:
    flights = Flights(patience=15)
    sent(flights, 1, now=100)
    flights.excuse(200)
    assert flights.overdue(214, 10) == [] and flights.overdue(215, 10) == [1]


def test_what_is_sent_again_goes_before_what_waits_and_what_was_released_is_forgotten() -> None:
    flights = Flights(patience=1)
    sent(flights, 1, 2, 3)
    flights.take([entry(7), entry(8)])
    flights.send_again([1, 2, 3], [entry(1), entry(3)])
    assert [e.seq for e in flights.next_pack("tank")] == [1, 3, 7, 8]
    assert flights.awaited == 0 and flights.ask(10) == {}


ZONES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(st.one_of(
    st.tuples(st.just("take"), st.lists(ZONES, max_size=5)), st.tuples(st.just("send"), ZONES), st.tuples(st.just("acknowledge"), ZONES),
    st.tuples(st.just("fail"), ZONES), st.tuples(st.just("apply"), st.integers(0, 3)), st.tuples(st.just("again"), st.integers(1, 3)),
), max_size=60)  # fmt: skip


@given(STEPS)
def test_whatever_happens_rows_reach_the_broker_in_order_per_zone_and_none_is_forgotten(steps: list[tuple[str, object]]) -> None:
    flights, zone_of = Flights(patience=1), dict[int, str]()
    sending, first_sent, applied = dict[str, list[JournalEntry]](), dict[str, list[int]](), set[int]()
    now = 0.0

    def acknowledge(zone: str) -> None:
        pack = sending.pop(zone, [])
        flights.acknowledged(pack, 0, now)
        known = first_sent.setdefault(zone, [])
        known += [e.seq for e in pack if e.seq not in known]
        flights.stop_sending(zone)

    for name, argument in steps:
        now += 1
        if name == "take" and isinstance(argument, list):
            new = {len(zone_of) + n: zone for n, zone in enumerate(argument)}
            zone_of |= new
            flights.take([entry(seq, zone) for seq, zone in new.items()])
        elif name == "send" and argument in flights.idle_zones():
            sending[str(argument)] = flights.next_pack(str(argument))
        elif name == "acknowledge":
            acknowledge(str(argument))
        elif name == "fail" and argument in sending:
            flights.put_back(sending.pop(str(argument)))
            flights.stop_sending(str(argument))
        elif name == "apply" and isinstance(argument, int):
            seqs = list(flights.ask(argument).values())
            flights.applied(seqs, now)
            applied |= set(seqs)
        elif name == "again" and isinstance(argument, int):
            late = flights.overdue(now, argument)
            flights.send_again(late, [entry(seq, zone_of[seq]) for seq in sorted(late)])
    for zone in list(sending):
        acknowledge(zone)
    for zone in flights.idle_zones():
        while pack := flights.next_pack(zone):
            sending[zone] = pack
            acknowledge(zone)
    flights.applied(asked := list(flights.ask(1000).values()), now)
    assert applied | set(asked) == set(zone_of) and flights.drained
    for zone, seqs in first_sent.items():
        assert seqs == sorted(seqs) == [seq for seq, z in zone_of.items() if z == zone]
