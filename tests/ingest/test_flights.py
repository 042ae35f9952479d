"""The forwarder's bookkeeping: order within a zone, bounded memory, who is sent again and when."""

from hypothesis import given
from hypothesis import strategies as st

from bus.partitions import partition_of
from ingest.bounds import HELD_BYTES, HELD_ROWS, PACK_BYTES, PACK_SIGNALS, STUCK, Bounds
from ingest.flights import Flights
from storage.journal import JournalEntry


def entry(seq: int, zone: str = "tank", size: int = 10) -> JournalEntry:
    return JournalEntry(seq, f"id-{seq}", zone, 0, b"x" * size)


def sent(flights: Flights, *seqs: int, zone: str = "tank", now: float = 0.0) -> None:
    assert flights.take([entry(seq, zone) for seq in seqs], now) == len(seqs)
    flights.acknowledged(flights.next_pack(zone), now)
    flights.stop_sending(zone)


def of_partition(number: int, count: int = 8) -> str:
    """A zone that goes to partition ``number``."""
    return next(z for n in range(1000) if partition_of(z := f"zone-{n}", count) == number)


def test_packs_are_of_one_zone_in_order_and_bounded_in_rows_and_bytes() -> None:
    flights = Flights()
    flights.take([entry(n, "ab"[n % 2]) for n in range(500)], 0.0)
    assert sorted(flights.idle_zones()) == ["a", "b"]
    assert [e.seq for e in flights.next_pack("a")] == list(range(0, PACK_SIGNALS * 2, 2))
    assert flights.idle_zones() == ["b"]
    assert [e.seq for e in flights.next_pack("a")] == list(range(PACK_SIGNALS * 2, 500, 2))
    assert flights.next_pack("a") == [] and flights.idle_zones() == ["b"]
    flights.take([entry(n, "big", PACK_BYTES // 2) for n in range(1000, 1003)], 0.0)
    assert [len(flights.next_pack("big")) for _ in range(3)] == [2, 1, 0]


def test_a_row_larger_than_a_pack_still_goes_alone() -> None:
    flights = Flights()
    flights.take([entry(1, size=PACK_BYTES + 1), entry(2)], 0.0)
    assert [len(flights.next_pack("tank")) for _ in range(3)] == [1, 1, 0]


def test_room_is_bounded_by_rows_bytes_and_window() -> None:
    flights = Flights(Bounds(window=2500))
    zones = [of_partition(n) for n in range(8)]
    for n in range(HELD_ROWS // 9 * 8):
        assert flights.take([entry(n, zones[n % 8])], 0.0) == 1
    assert flights.room == HELD_ROWS - HELD_ROWS // 9 * 8
    for zone in zones:
        while pack := flights.next_pack(zone):
            flights.acknowledged(pack, 0.0)
    assert flights.room == 2500 - HELD_ROWS // 9 * 8 and flights.awaited == HELD_ROWS // 9 * 8
    flights.settled(range(HELD_ROWS), 1.0)
    assert flights.room == HELD_ROWS and flights.drained
    flights.take([entry(5000, size=HELD_BYTES)], 0.0)
    assert flights.room == 0


def test_a_window_of_bytes_bounds_what_the_broker_is_to_hold() -> None:
    flights = Flights(Bounds(window_bytes=1000))
    sent(flights, 1, zone=of_partition(0))
    assert flights.take([entry(2, of_partition(0), 989), entry(3, of_partition(1), 500)], 0.0) == 2
    flights.acknowledged(flights.next_pack(of_partition(0)), 0.0)
    flights.acknowledged(flights.next_pack(of_partition(1)), 0.0)
    assert flights.room == 0
    flights.settled([2], 1.0)
    assert flights.room == HELD_ROWS


def test_partitions_that_stand_still_leave_room_for_the_others_and_lose_no_row() -> None:
    flights, dead, alive = Flights(), [of_partition(n) for n in range(5)], of_partition(7)
    seq, now = 0, 0.0
    while seq < 5000:  # nobody sends for the five
        now += 0.01
        if flights.take([entry(seq, dead[seq % 5])], now):
            seq += 1
    assert flights.room >= HELD_ROWS // 6 - 1
    assert flights.take([entry(9000 + n, alive) for n in range(100)], now) == 100
    got = list[int]()
    while (start := flights.left_behind()) is not None or flights.idle_zones():  # the leaders are back
        if start is not None:
            rows = [entry(n, dead[n % 5]) for n in range(start, min(start + 500, 5000))]
            flights.take_behind(start, rows, rows[-1].seq if rows else 9099, 9099, now)
        for zone in dead:
            while pack := flights.next_pack(zone):
                got += [e.seq for e in pack]
                flights.acknowledged(pack, now)
                flights.settled([e.seq for e in pack], now)
        while pack := flights.next_pack(alive):
            flights.acknowledged(pack, now)
    assert sorted(got) == list(range(5000))
    assert all([n for n in got if n % 5 == k] == list(range(k, 5000, 5)) for k in range(5))


def test_a_full_partition_that_moves_is_waited_for_and_one_that_stands_still_is_passed_over() -> None:
    flights, busy, other = Flights(), of_partition(0), of_partition(1)
    rows = [entry(n, busy) for n in range(HELD_ROWS)]
    taken = flights.take(rows, 0.0)
    assert taken == HELD_ROWS // 2
    assert flights.take([*rows[taken:], entry(9000, other)], STUCK / 2) == 0
    assert flights.take([*rows[taken:], entry(9000, other)], STUCK) == HELD_ROWS - taken + 1
    assert set(flights.idle_zones()) == {busy, other} and flights.left_behind() is None
    flights.acknowledged(flights.next_pack(busy), STUCK)
    flights.settled(range(PACK_SIGNALS), STUCK)
    assert flights.left_behind() == taken


def test_a_pack_put_back_goes_first_again() -> None:
    flights = Flights()
    flights.take([entry(n) for n in range(300)], 0.0)
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
    flights.settled([0, 1, 2], 1.0)
    assert set(flights.ask(100).values()) == set(range(3, 10))
    assert flights.ask(100).keys() == {f"id-{n}" for n in range(3, 10)}


def test_a_row_is_overdue_after_patience_and_then_after_twice_as_long() -> None:
    flights = Flights(Bounds(patience=15))
    sent(flights, 1, now=100)
    assert flights.overdue(114.9, 10) == [] and flights.overdue(115, 10) == [1]
    flights.send_again([1], [entry(1)])
    assert flights.awaited == 0
    sent(flights, now=115)
    assert flights.overdue(144.9, 10) == [] and flights.overdue(145, 10) == [1]


def test_a_row_that_only_waits_its_turn_is_not_sent_again_and_one_that_was_overtaken_is() -> None:
    flights, tank, depot = Flights(Bounds(patience=15)), of_partition(0), of_partition(1)
    for n in range(4):
        sent(flights, n, zone=tank, now=100)
    sent(flights, 9, zone=depot, now=100)
    flights.settled([0], 110)
    assert flights.overdue(120, 10) == [9]  # partition 0 moved 10 s ago: 1 to 3 are in its queue
    flights.settled([2], 119)
    assert flights.overdue(120, 10) == [1, 9]  # 2 came after 1 and is applied: 1 got lost
    assert flights.overdue(134, 10) == [1, 3, 9]
    assert flights.overdue(134, 1) == [1]


def test_where_a_repeat_costs_memory_only_what_was_overtaken_is_sent_again_a_while_later() -> None:
    flights, tank, depot = Flights(Bounds(patience=15, overtaken_only=True)), of_partition(0), of_partition(1)
    for n in range(4):
        sent(flights, n, zone=tank, now=100)
    sent(flights, 9, zone=depot, now=100)
    assert flights.overdue(9999, 10) == []  # the reader is away for hours
    flights.settled([2], 9999)  # and is back
    assert flights.overdue(10_000, 10) == [] and flights.overdue(10_014, 10) == []
    assert flights.overdue(10_015, 10) == [0, 1]
    flights.wait_longer([1], 10_015)
    assert flights.overdue(10_020, 10) == [0]


def test_nobody_is_blamed_for_the_time_in_which_sql_was_away() -> None:
    flights = Flights(Bounds(patience=15))
    sent(flights, 1, now=100)
    flights.excuse(200)
    assert flights.overdue(214, 10) == [] and flights.overdue(215, 10) == [1]


def test_what_is_sent_again_goes_before_what_waits_and_what_was_released_is_forgotten() -> None:
    flights = Flights(Bounds(patience=1))
    sent(flights, 1, 2, 3)
    flights.take([entry(7), entry(8)], 0.0)
    flights.send_again([1, 2, 3], [entry(1), entry(3)])
    assert [e.seq for e in flights.next_pack("tank")] == [1, 3, 7, 8]
    assert flights.awaited == 0 and flights.ask(10) == {}


ZONES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(st.one_of(
    st.tuples(st.just("append"), st.lists(ZONES, max_size=5)), st.tuples(st.just("read"), st.integers(1, 6)),
    st.tuples(st.just("send"), ZONES), st.tuples(st.just("acknowledge"), ZONES), st.tuples(st.just("fail"), ZONES),
    st.tuples(st.just("settle"), st.integers(0, 3)), st.tuples(st.just("again"), st.integers(1, 3)),
), max_size=80)  # fmt: skip


class Lane:
    """A journal's lane in memory, read by a forwarder as ``ingest.flow`` does."""

    def __init__(self, window: int) -> None:
        self.flights, self.rows = Flights(Bounds(patience=1, window=window), partitions=2), dict[int, str]()
        self.cursor, self.settled, self.now = 0, set[int](), 0.0

    def select(self, start: int, limit: int) -> list[JournalEntry]:
        return [entry(n, self.rows[n]) for n in sorted(self.rows) if n >= start and n not in self.settled][:limit]

    def read(self, limit: int) -> None:
        start = self.flights.left_behind()
        if start is not None:
            rows = self.select(start, limit)
            self.flights.take_behind(start, rows, min(rows[-1].seq, self.cursor) if rows else self.cursor, self.cursor, self.now)
        if rows := self.select(self.cursor + 1, min(limit, self.flights.room)):
            taken = self.flights.take(rows, self.now)
            self.cursor = rows[-1].seq if taken == len(rows) else rows[taken].seq - 1

    def settle(self, limit: int) -> None:
        seqs = list(self.flights.ask(limit).values())
        self.flights.settled(seqs, self.now)
        self.settled |= set(seqs)


@given(STEPS, st.integers(3, 12))
def test_whatever_happens_rows_reach_the_broker_in_order_per_zone_and_none_is_forgotten(
    steps: list[tuple[str, object]], window: int
) -> None:
    lane = Lane(window)
    flights, sending, first_sent = lane.flights, dict[str, list[JournalEntry]](), dict[str, list[int]]()

    def acknowledge(zone: str) -> None:
        pack = sending.pop(zone, [])
        flights.acknowledged(pack, lane.now)
        known = first_sent.setdefault(zone, [])
        known += [e.seq for e in pack if e.seq not in known]
        flights.stop_sending(zone)

    for name, argument in steps:
        lane.now += 0.7
        if name == "append" and isinstance(argument, list):
            lane.rows |= {len(lane.rows) + 1 + n: zone for n, zone in enumerate(argument)}
        elif name == "read" and isinstance(argument, int):
            lane.read(argument)
        elif name == "send" and argument in flights.idle_zones():
            sending[str(argument)] = flights.next_pack(str(argument))
        elif name == "acknowledge":
            acknowledge(str(argument))
        elif name == "fail" and argument in sending:
            flights.put_back(sending.pop(str(argument)))
            flights.stop_sending(str(argument))
        elif name == "settle" and isinstance(argument, int):
            lane.settle(argument)
        elif name == "again" and isinstance(argument, int):
            late = flights.overdue(lane.now, argument)
            flights.send_again(late, [entry(seq, lane.rows[seq]) for seq in sorted(late)])
    for _ in range(3 * len(lane.rows) + 3):
        lane.now += STUCK
        lane.read(10)
        for zone in list(sending):
            acknowledge(zone)
        for zone in flights.idle_zones():
            sending[zone] = flights.next_pack(zone)
            acknowledge(zone)
        lane.settle(1000)
    assert lane.settled == set(lane.rows) and flights.drained
    for zone, seqs in first_sent.items():
        assert seqs == sorted(seqs) == [seq for seq, z in lane.rows.items() if z == zone]
