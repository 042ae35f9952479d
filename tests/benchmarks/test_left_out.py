"""A figure that can't be measured is left out and said so; nothing is guessed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import benches
from benchmarks.benches import print_bench
from benchmarks.figures import Figure, LeftOut
from benchmarks.influx import real_influx
from benchmarks.kafka import real_kafka
from benchmarks.peers.environment import peers_python
from hazards.errors import BadInput, Misconfigured, Unavailable


def test_peers_whose_packages_cannot_be_had_say_why_and_are_tried_again_the_next_time(tmp_path: Path) -> None:
    lock, said = tmp_path / "peers.lock", list[str]()
    lock.write_text("--no-index\nquixstreams==3.28.1 --hash=sha256:" + 64 * "0" + "\n")
    for _ in range(2):
        with pytest.raises(Unavailable, match="quixstreams"):
            peers_python(said.append, folder=tmp_path / "venv", lock=lock)
    assert len(said) == 2


def test_an_environment_is_made_once_for_a_lock_and_anew_for_another(tmp_path: Path) -> None:
    lock, said = tmp_path / "peers.lock", list[str]()
    lock.write_text("--no-index\n")
    for _ in range(2):
        assert peers_python(said.append, folder=tmp_path / "venv", lock=lock).exists()
    assert len(said) == 1
    lock.write_text("--no-index\n# changed\n")
    peers_python(said.append, folder=tmp_path / "venv", lock=lock)
    assert len(said) == 2


def test_figures_go_to_standard_output_and_what_was_left_out_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bench(**_: str) -> Iterator[Figure | LeftOut]:
        yield Figure("one", 1, "s")
        yield LeftOut("two", "no such part here")

    monkeypatch.setitem(benches.BENCHES, "some", bench)
    print_bench("some", json_lines=True)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"figure": "one", "value": 1, "unit": "s", "compared": {}}
    assert err == "two: left out: no such part here\n"


def test_a_bench_that_needs_a_real_part_says_how_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIHUAN_TEST_KAFKA", raising=False)
    monkeypatch.delenv("BIHUAN_TEST_INFLUXD", raising=False)
    with pytest.raises(Misconfigured, match="BIHUAN_KAFKA"), real_kafka(""):
        pass
    with pytest.raises(Misconfigured, match="BIHUAN_TEST_INFLUXD"), real_influx():
        pass


def test_a_name_that_is_no_bench_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="telemetry"):
        print_bench("telemtry", json_lines=True)
