"""What the site file's section ``mqtt`` says: one broker, one row a subscription. Its checks by line are in ``bihuan/mqtt_keys.py``.

What must not go in: secrets (only the name of the variable that holds one), the client.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from ingest.mqtt.topics import TopicTemplate

FORMATS = ("senml", "json", "plain")
PROTOCOLS = ("5", "3.1.1")
SCHEMES = {"mqtt": 1883, "mqtts": 8883}
"""URL scheme to port; ``mqtts`` is TLS."""


class Subscription(Struct, frozen=True, omit_defaults=True):
    """One row. ``device`` and ``metric`` stand for what the topic does not say; ``unit`` for what the payload does not say.

    Of JSON objects: ``time_field``, ``unit_field``; ``value_field`` holds the number when topic or row give the metric; else ``fields``
    maps the fields to be taken to metrics, and without it every number is one. ``enterprise``: may only speak for its devices."""

    topic: str
    format: str
    qos: int = 1
    device: str = ""
    metric: str = ""
    unit: str = ""
    time_field: str = "time"
    unit_field: str = "unit"
    value_field: str = "value"
    fields: dict[str, str] = field(default_factory=dict)
    enterprise: str | None = None


class MqttSettings(Struct, frozen=True, omit_defaults=True):
    """One broker. ``session_expiry``: seconds that it keeps our session while we are away (MQTT 5; with 3.1.1 the broker decides)."""

    url: str
    subscriptions: list[Subscription]
    client_id: str = ""  # "": bihuan- and the id of the site
    protocol: str | int = "5"
    username: str = ""
    password_env: str = ""
    ca: str = ""
    session_expiry: int = 7 * 24 * 3600

    @property
    def is_5(self) -> bool:
        """MQTT 5, not 3.1.1."""
        return str(self.protocol).startswith("5")


def settings_of(site: Mapping[str, Any]) -> MqttSettings | None:
    """The section of ``Site.settings``, or None when there is none that can be used (an older version kept it unchecked)."""
    try:
        found = msgspec.convert(site.get("mqtt"), MqttSettings)
        for row in found.subscriptions:
            TopicTemplate(row.topic)
    except (msgspec.ValidationError, ValueError):
        return None
    usable = found.subscriptions and all(row.format in FORMATS and row.qos in (0, 1) for row in found.subscriptions)
    return found if usable else None
