"""Figures of the whole system: summed over its processes, honest about what is away, without names of the park."""

from api.metrics import Metrics
from api.standing import Standing, gauges_of
from storage.part_notes import PartNote

NOW = 1_000_000_000


def note(part: str, instance: str, **figures: float) -> PartNote:
    return PartNote(part, instance, NOW, figures)


def text(standing: Standing) -> list[str]:
    return [line for line in Metrics().text(gauges_of(standing, NOW)).splitlines() if not line.startswith("bihuan_http")]


def test_figures_of_several_machines_are_summed_and_the_oldest_counts() -> None:
    standing = Standing(
        [
            note("ingest", "a", alarms_waiting=1, telemetry_waiting=1234567, telemetry_oldest_at=NOW - 3_000_000),
            note("ingest", "b", alarms_waiting=2, telemetry_waiting=20, telemetry_oldest_at=0),
            note("store", "a", waiting=5, held_up=0), note("store", "b", waiting=0, held_up=1),
            note("mqtt", "a", configured=1, connected=1),
            note("video", "a", cameras=3, live=2, frame_age=0.2, evidence_bytes=900), note("video", "b", cameras=1, live=1, frame_age=0.7),
        ],
        deliveries=4, behind={"store": 7, "push": 0},
    )  # fmt: skip
    lines = text(standing)
    for line in (
        'bihuan_parts{part="ingest"} 2', 'bihuan_parts{part="mqtt"} 1', "bihuan_alarms_waiting 3", "bihuan_telemetry_waiting 1234587",
        "bihuan_cameras 4", "bihuan_cameras_live 3", "bihuan_camera_frame_age_seconds 0.7", "bihuan_evidence_bytes 900",
        "bihuan_telemetry_waiting_seconds 3", "bihuan_store_waiting 5", "bihuan_store_held_up 1", "bihuan_mqtt_connected 1",
        "bihuan_deliveries_waiting 4", 'bihuan_follower_behind{follower="store"} 7', 'bihuan_follower_behind{follower="push"} 0',
    ):  # fmt: skip
        assert line in lines
    assert lines.count("# TYPE bihuan_parts gauge") == 1


def test_a_site_without_mqtt_is_not_called_disconnected() -> None:
    lines = text(Standing([note("mqtt", "a", configured=0, connected=0)], deliveries=0, behind={}))
    assert not [line for line in lines if "mqtt_connected" in line]
    assert "bihuan_telemetry_waiting_seconds 0" in lines
