"""How the whole system stands, in figures: what its processes noted in SQL, what waits there. What must not go in: names of the park."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct
from sqlalchemy import Connection, func, select

from storage import schema
from storage.deliveries import State
from storage.part_notes import PartNote, notes_since

FRESH = 35 * 1_000_000
"""µs for which a note holds: three times as long as until the next."""

Gauges = dict[str, tuple[str, float]]
"""Name, with labels where it has any, to help and value."""


EVALUATED = "Readings that the present workers evaluated, those of them late, too late for a roll-up, or early, and alarms that followed."

ALARM_LOAD = {
    "alarm_rate": ("bihuan_alarm_rate", "Alarms annunciated in the last 10 minutes, a seat, at the busiest operating position."),
    "floods": ("bihuan_alarm_floods", "Operating positions that are in an alarm flood."),
    "standing": ("bihuan_alarms_standing", "Incidents that stand."),
    "stale": ("bihuan_alarms_stale", "Of them for more than 24 hours."),
    "unacknowledged": ("bihuan_alarms_unacknowledged", "Incidents that nobody acknowledged."),
}
"""What the store notes of the alarm load: its figure to gauge and help."""
CAMERAS = {
    "cameras": ("bihuan_cameras", "Cameras that are watched."),
    "live": ("bihuan_cameras_live", "Of them that send pictures."),
    "offline": ("bihuan_cameras_offline", "Of them that have been silent for so long that it is an alarm."),
    "analysed_frames": ("bihuan_camera_frames_analysed", "Frames a second that detectors looked at."),
    "reconnects": ("bihuan_camera_reconnects", "Connections to cameras made anew since the start."),
    "decode_errors": ("bihuan_camera_decode_errors", "Packets of cameras that could not be decoded since the start."),
}
"""What the video parts note, added up: figure to gauge and help."""
WORST_CAMERA = {
    "frame_age": ("bihuan_camera_frame_age_seconds", "From a frame's arrival to its look, the longest of the last second."),
    "evidence_bytes": ("bihuan_evidence_bytes", "Bytes of cameras' pictures and clips that are kept."),  # each knows of all
}
"""What the video parts note, of which the highest counts."""


class Standing(Struct, frozen=True):
    """What SQL tells. ``behind``: outbox rows that each follower has not passed."""

    notes: list[PartNote]
    deliveries: int
    behind: dict[str, int]


def read_standing(connection: Connection, now: int) -> Standing:
    """Read it; ``now`` is UTC µs."""
    waiting = select(func.count()).select_from(schema.deliveries).where(schema.deliveries.c.state == State.WAITING.value)
    newest = connection.scalar(select(func.max(schema.outbox.c.position))) or 0
    followers = connection.execute(select(schema.followers.c.name, schema.followers.c.position))
    behind = {row.name: max(0, newest - row.position) for row in followers}
    return Standing(notes_since(connection, now - FRESH), connection.scalar(waiting) or 0, behind)


def gauges_of(standing: Standing, now: int) -> Gauges:
    """The figures, for Prometheus."""
    notes = standing.notes
    gauges: Gauges = {}
    for part, count in sorted(Counter(note.part for note in notes).items()):
        gauges[f'bihuan_parts{{part="{part}"}}'] = ("Processes that lately said that they work.", float(count))
    for follower, rows in sorted(standing.behind.items()):
        gauges[f'bihuan_follower_behind{{follower="{follower}"}}'] = ("Outbox rows that have not gone out yet.", float(rows))
    gauges["bihuan_deliveries_waiting"] = ("Webhooks that wait for their next attempt.", float(standing.deliveries))
    gauges["bihuan_alarms_waiting"] = ("Accepted alarms in the journals.", sum(_all(notes, "ingest", "alarms_waiting")))
    gauges["bihuan_telemetry_waiting"] = ("Packs of readings in the journals.", sum(_all(notes, "ingest", "telemetry_waiting")))
    oldest = min((at for at in _all(notes, "ingest", "telemetry_oldest_at") if at), default=float(now))
    gauges["bihuan_telemetry_waiting_seconds"] = ("Age of the oldest of them.", max(0.0, (now - oldest) / 1e6))
    for figure in ("readings", "late", "too_late", "early", "rule_alarms", "alarms_late", "alarms_early"):
        gauges[f'bihuan_evaluated{{what="{figure}"}}'] = (EVALUATED, sum(_all(notes, "worker", figure)))
    gauges["bihuan_store_waiting"] = ("Messages that the time series has yet to take.", sum(_all(notes, "store", "waiting")))
    held_up = max(_all(notes, "store", "held_up"), default=0.0)
    gauges["bihuan_store_held_up"] = ("1 while the time series does not take what is given to it.", held_up)
    for figure, (gauge, help_) in ALARM_LOAD.items():
        if told := _all(notes, "store", figure):  # only the one store that leads in this counts
            gauges[gauge] = (help_, max(told))
    for figure, (name, help_) in CAMERAS.items():
        gauges[name] = help_, sum(_all(notes, "video", figure))
    for figure, (name, help_) in WORST_CAMERA.items():
        gauges[name] = help_, max(_all(notes, "video", figure), default=0.0)
    if any(_all(notes, "mqtt", "configured")):
        gauges["bihuan_mqtt_connected"] = ("1 while the MQTT broker of the site file is connected.", max(_all(notes, "mqtt", "connected")))
        clocks = {state: sum(_all(notes, "mqtt", f"clocks_{state}")) for state in ("corrected", "distrusted")}
        gauges |= clock_gauges("mqtt", clocks)
    return gauges


def clock_gauges(heard: str, counts: Mapping[str, float]) -> Gauges:
    """Clocks of devices that one kind of door ``heard``, by what is done about them."""
    said = "Devices whose clock is wrong: corrected, or not believed, by the door that hears them."
    return {f'bihuan_device_clocks{{heard="{heard}",state="{state}"}}': (said, float(count)) for state, count in counts.items()}


def _all(notes: Iterable[PartNote], part: str, figure: str) -> list[float]:
    return [note.figures[figure] for note in notes if note.part == part and figure in note.figures]
