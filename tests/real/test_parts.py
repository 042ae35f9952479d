"""The fixtures themselves: each part comes up, can be killed and ends."""

from pathlib import Path

from sqlalchemy import text

from storage.database import Database
from tests.real.kafka import EmbeddedBroker, KafkaCluster
from tests.real.ports import accepts
from tests.real.rtsp import Rtsp, encode_for_rtsp


def test_the_embedded_broker_listens_until_it_is_killed(embedded_broker: EmbeddedBroker) -> None:
    assert accepts(embedded_broker.address)
    embedded_broker.kill()
    assert not accepts(embedded_broker.address)


def test_a_killed_kafka_broker_comes_back_on_its_address(fresh_kafka: KafkaCluster) -> None:
    fresh_kafka.kill(1)
    fresh_kafka.restart(1)
    assert accepts(fresh_kafka.addresses)


def test_each_test_gets_an_empty_database_with_the_tables(database: Database) -> None:
    with database.read() as c:
        assert c.execute(text("select count(*) from incidents")).scalar_one() == 0


def test_a_clip_is_served_over_rtsp(media: Path, rtsp: Rtsp, tmp_path: Path) -> None:
    import av

    clip = encode_for_rtsp(tmp_path / "clip.mp4", (media / "fire/10_fire_pit.mp4", 0, 2), (media / "negative/03_bottles.mp4", 0, 2))
    server = rtsp(gate=clip)
    with av.open(server.url("gate"), options={"rtsp_transport": "tcp"}, timeout=20) as stream:
        frame = next(stream.decode(video=0))
    assert (frame.width, frame.height) == (640, 360)
