"""The ring of packets: bounds, key frames, gaps, spans."""

from ingest.cameras.ring import Piece, Ring


def piece(n: int, *, key: bool = False, size: int = 100, source: object = "a", rate: float = 10.0) -> Piece[str]:
    return Piece(n, n / rate, 0, n / rate, key, size, f"p{n}", source)


def filled(count: int, *, every: int = 10, **bounds: float) -> Ring[str]:
    ring: Ring[str] = Ring(seconds=bounds.get("seconds", 100.0), most_bytes=int(bounds.get("most_bytes", 1_000_000)))
    for n in range(count):
        ring.add(piece(n, key=n % every == 0))
    return ring


def numbers(pieces: list[Piece[str]]) -> list[int]:
    return [p.n for p in pieces]


def test_it_keeps_no_more_seconds_and_no_more_bytes_than_it_may() -> None:
    assert len(filled(100, seconds=2.0)) == 21
    ring = filled(100, most_bytes=1000)
    assert (len(ring), ring.size) == (10, 1000)
    ring.add(piece(100, size=5000))
    assert (len(ring), ring.size) == (1, 5000), "the newest is kept whatever it takes"


def test_what_follows_a_packet_is_given_only_without_a_gap() -> None:
    ring = filled(30, most_bytes=2000)  # 10 … 29 are left
    assert numbers(ring.after(25)) == [26, 27, 28, 29]
    assert numbers(ring.after(9)) == list(range(10, 30))
    assert ring.after(8) == [], "9 is gone"
    assert ring.after(29) == []


def test_the_newest_key_frame_and_all_after_it() -> None:
    ring = filled(25)
    key = ring.newest_key()
    assert key is not None and key.n == 20
    assert numbers(ring.since_last_key()) == [20, 21, 22, 23, 24]
    ring.clear()
    assert (ring.newest_key(), ring.since_last_key(), ring.size) == (None, [], 0)


def test_a_span_begins_at_the_key_frame_before_and_ends_where_it_is_told() -> None:
    ring = filled(60)
    assert numbers(ring.span(2.55, 3.25)) == list(range(20, 33))
    assert numbers(ring.span(-5.0, 0.35)) == [0, 1, 2, 3], "from the first key frame that there is"
    assert ring.span(7.0, 9.0) == []


def test_a_span_over_a_new_connection_holds_only_the_source_that_lasted_longer() -> None:
    ring = filled(20)
    for n in range(20, 40):
        ring.add(piece(n, key=n == 23, source="b"))
    assert numbers(ring.span(1.5, 3.9)) == list(range(23, 40)), "begun at a key frame of the same source"
    assert numbers(ring.span(0.5, 2.5)) == list(range(20)), "a camera that was lost soon after the alarm"
