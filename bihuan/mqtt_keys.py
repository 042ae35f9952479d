"""The section ``mqtt`` of the site file, checked by line. It is kept in ``Site.settings``; ``ingest/mqtt/settings.py`` reads it there.

What must not go in: connecting; the form of topics (``ingest/mqtt/topics.py``).
"""

import os
import re
from collections.abc import Container
from pathlib import Path
from urllib.parse import urlsplit

from yaml.nodes import ScalarNode

from bihuan.yaml_lines import Fields, Problems
from hazards.metrics import METRIC_PATTERN
from hazards.units import UNITS
from ingest.mqtt.settings import FORMATS, PROTOCOLS, SCHEMES
from ingest.mqtt.topics import TopicTemplate

SUBSCRIPTIONS_AT_MOST = 100
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CLIENT_ID = re.compile(r"[^\x00-\x1f\x7f]{1,256}")


def check_mqtt(top: Fields, enterprises: Container[str], problems: Problems) -> None:
    """``top`` is the whole file; what is asked here stays among what is kept."""
    node = top.rest().get("mqtt")
    section = top.document.fields(node, "mqtt", problems) if node is not None else None
    if section is None:
        return
    _check_broker(section, problems)
    rows = section.items("subscriptions")
    if not 1 <= len(rows) <= SUBSCRIPTIONS_AT_MOST:
        problems.error(section.at("subscriptions"), "mqtt.subscriptions", f"has {len(rows)} rows", f"1 to {SUBSCRIPTIONS_AT_MOST}")
    filters: dict[str, int] = {}
    for n, row_node in enumerate(rows):
        if (row := section.document.fields(row_node, f"mqtt.subscriptions[{n}]", problems)) is not None:
            _check_row(row, filters, enterprises, problems)
            _warn_unknown(row, problems)
    _warn_unknown(section, problems)


def _check_broker(section: Fields, problems: Problems) -> None:
    url = section.text("url", None)
    try:
        parts = urlsplit(url)
        sound = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        sound = secret = False
    if url and not sound:
        problems.error(section.at("url"), "mqtt.url", "is no address of a broker", "mqtt://HOST:1883 or mqtts://HOST:8883")
    elif secret:
        problems.error(section.at("url"), "mqtt.url", "names a user or a password", "use username and password_env")
    if (protocol := section.text("protocol", "5")) not in PROTOCOLS:
        problems.error(section.at("protocol"), "mqtt.protocol", f"{protocol!r} is not spoken here", " or ".join(PROTOCOLS))
    client_id = section.text("client_id")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        problems.error(section.at("client_id"), "mqtt.client_id", "can't be a client id", "1 to 256 characters")
    section.whole("session_expiry", 0, 2**32 - 2)
    section.text("username")
    variable, ca = section.text("password_env"), section.text("ca")
    if variable and not os.environ.get(variable):
        problems.warn(section.at("password_env"), "mqtt.password_env", f"the environment has no {variable}", "the broker may refuse us")
    if variable and sound and parts.scheme == "mqtt" and parts.hostname not in _LOOPBACK:
        problems.warn(section.at("url"), "mqtt.url", "the password goes over the network as it is", "use mqtts")
    if ca and not Path(ca).is_absolute():
        problems.error(section.at("ca"), "mqtt.ca", "an absolute path is expected", "every process has to find it")
    elif ca and not Path(ca).is_file():
        problems.warn(section.at("ca"), "mqtt.ca", f"there is no file {ca}", "the broker's certificate can't be checked")


def _check_row(row: Fields, filters: dict[str, int], enterprises: Container[str], problems: Problems) -> None:
    payload = row.text("format", None)
    if payload and payload not in FORMATS:
        problems.error(row.at("format"), row.place("format"), f"there is no format {payload!r}", ", ".join(FORMATS))
    row.whole("qos", 0, 1)
    device, metric, unit = row.text("device"), row.text("metric"), row.text("unit")
    if metric and not METRIC_PATTERN.match(metric):
        problems.error(row.at("metric"), row.place("metric"), f"{metric[:60]!r} can't be a metric", "lower_snake_case")
    if unit and unit not in UNITS:
        problems.error(row.at("unit"), row.place("unit"), f"there is no unit {unit[:40]!r}", "SenML's names, such as Cel, kPa, %LEL")
    enterprise = row.text("enterprise")
    if enterprise and enterprise not in enterprises:
        problems.error(row.at("enterprise"), row.place("enterprise"), f"there is no enterprise {enterprise!r}")
    for key in ("time_field", "unit_field", "value_field"):
        row.text(key)
    named = _check_fields(row, problems)
    try:
        template = TopicTemplate(row.text("topic", None))
    except ValueError as e:
        problems.error(row.at("topic"), row.place("topic"), f"is no topic: {e}", "park/{zone}/{device}/{metric}")
        return
    if template.filter in filters:
        problems.error(row.at("topic"), row.place("topic"), f"subscribes to {template.filter} again", f"row {filters[template.filter]}")
    filters.setdefault(template.filter, len(filters))
    _check_names(row, payload, device=bool(device) or "device" in template.names, metric=bool(metric) or "metric" in template.names,
                 fields=named, problems=problems)  # fmt: skip


def _check_names(row: Fields, payload: str, *, device: bool, metric: bool, fields: bool, problems: Problems) -> None:
    """SenML names device and metric itself, JSON names metrics."""
    if payload in ("json", "plain") and not device:
        problems.error(row.at("topic"), row.where, "nothing names the device", "{device} in the topic, or device:")
    if payload == "plain" and not metric:
        problems.error(row.at("topic"), row.where, "nothing names the metric", "{metric} in the topic, or metric:")
    if fields and (metric or payload != "json"):
        problems.error(row.at("fields"), row.place("fields"), "is for JSON objects of several metrics", "leave it out")


def _check_fields(row: Fields, problems: Problems) -> bool:
    node = row.node_of("fields")
    inner = row.document.fields(node, row.place("fields"), problems) if node is not None else None
    for key, value in inner.rest().items() if inner is not None else ():
        if not isinstance(value, ScalarNode) or not METRIC_PATTERN.match(value.value):
            problems.error(value, f"{row.place('fields')}.{key}", "a metric is expected", "lower_snake_case")
    return inner is not None


def _warn_unknown(fields: Fields, problems: Problems) -> None:
    for key, node in fields.rest().items():
        problems.warn(node, fields.place(key), "is not known here and is ignored")
