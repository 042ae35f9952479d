"""The site file: YAML to ``hazards.zones.Site``, every problem named by its line.

Further keys of a device and of the file are kept in ``settings``. What must not go in: SQL, opening cameras.
"""

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from yaml.nodes import MappingNode, Node

from bihuan.camera_keys import camera_settings
from bihuan.district_keys import read_agreements, site_district, zone_district
from bihuan.mqtt_keys import check_mqtt
from bihuan.outlines import sound_outline
from bihuan.policy_file import shipped_versions
from bihuan.position_keys import read_positions
from bihuan.rule_file import read_rules
from bihuan.sensor_keys import check_sensor
from bihuan.webhook_keys import check_webhooks
from bihuan.yaml_lines import Document, Fields, Problems, check_size, line_of, points
from detectors import DETECTORS
from hazards.errors import FileProblem, InvalidFile
from hazards.messages import UNASSIGNED
from hazards.zones import AlarmTiming, Contact, Device, Enterprise, Grade, Point, Site, Zone

T = TypeVar("T", Enterprise, Zone, Device)

_ID = re.compile(r"^[^\s/\\?#%\x00-\x1f\x7f]{1,128}$")
_CAMERA_SCHEMES = ("file", "rtsp", "rtsps", "http", "https", "usb")
LONGEST_ON_DELAY = 3600 * 1_000_000
"""µs for which alarms of a device may have to stand before anybody hears of them."""
_TYPES = ("camera", "sensor", "platform")


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site that may be applied, and what is odd about its file."""

    site: Site
    warnings: tuple[FileProblem, ...] = ()


def read_site(path: Path) -> SiteFile:
    """The site in the file at ``path``; relative clips start at its folder. Raises InvalidFile."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InvalidFile(str(path), (FileProblem(0, "", "is not a regular file"),))
        check_size(found.st_size, str(path))
        data = path.read_bytes()
    except (OSError, ValueError) as e:
        raise InvalidFile(str(path), (FileProblem(0, "", f"can't be read: {getattr(e, 'strerror', None) or e}"),)) from e
    return parse_site(data, file=str(path), folder=path.absolute().parent)


def parse_site(data: bytes, *, file: str, folder: Path) -> SiteFile:
    """The site in ``data``; ``file`` names it in problems. Raises InvalidFile with every problem found; its notes are the warnings."""
    document, problems = Document(data, file), Problems()
    site = _Reader(document, problems, folder).site()
    warnings = tuple(sorted(problems.warnings, key=lambda p: p.line))
    if problems.errors:
        error = InvalidFile(file, tuple(sorted(problems.errors, key=lambda p: p.line)))
        for warning in warnings:
            error.add_note(f"warning: {warning}")
        raise error
    return SiteFile(site, warnings)


class _Reader:
    """One pass over one document."""

    def __init__(self, document: Document, problems: Problems, folder: Path) -> None:
        self.document, self.problems, self.folder = document, problems, folder
        self.lines: dict[str, dict[str, int]] = {}  # section to id to line
        self.district = ""  # the site's

    def site(self) -> Site:
        top = Fields(self.document, self.document.root, "", self.problems)
        head_node = top.node_of("site")
        if head_node is None:
            self.problems.error(top.node, "site", "is missing", "site: {id: …, name: …}")
        head = self.document.fields(head_node, "site", self.problems) if head_node is not None else None
        self.district = site_district(head, self.problems) if head is not None else ""
        enterprises = self._section(top, "enterprises", self._enterprise)
        zones = self._section(top, "zones", self._zone)
        devices = self._section(top, "devices", self._device)
        agreements = read_agreements(top, self.problems)
        positions = read_positions(top, self.lines["zones"], self.problems)
        rules_node = top.node_of("rules")
        rules = [] if rules_node is None else read_rules(self.document, rules_node, "rules", self.lines["zones"], self.problems)
        check_webhooks(top, self.lines["enterprises"], self.problems)
        check_mqtt(top, self.lines["enterprises"], self.problems)
        settings = {k: self.document.plain(v) for k, v in top.rest().items()}
        if (hooks := top.node_of("webhooks")) is not None:
            settings["webhooks"] = self.document.plain(hooks)
        if head is None:
            return Site(id="", name="")
        site = Site(
            id=self._id(head),
            name=head.text("name", None),
            district=self.district,
            time_zone=head.text("time_zone", "Asia/Shanghai"),
            policy=head.text("policy"),
            synthetic=head.flag("synthetic"),
            enterprises=enterprises,
            zones=zones,
            devices=devices,
            agreements=agreements,
            positions=positions,
            rules=rules,
        )
        self._check_time_zone(head, site.time_zone)
        if site.policy and site.policy not in shipped_versions():
            hint = f"apply it with `bihuan policy apply`, or name one of {', '.join(shipped_versions())}; until then the first holds"
            self.problems.warn(head.at("policy"), "site.policy", f"{site.policy!r} does not come with the program", hint)
        return msgspec.structs.replace(site, settings=settings | {k: self.document.plain(v) for k, v in head.rest().items()})

    def _section(self, top: Fields, name: str, read: Callable[[Fields], T | None]) -> list[T]:
        known = self.lines[name] = {}
        found = []
        for n, node in enumerate(top.items(name)):
            fields = self.document.fields(node, f"{name}[{n}]", self.problems)
            if fields is None:
                continue
            identity = fields.text("id", "") if isinstance(node, MappingNode) else ""
            if identity:
                fields.where = f"{name[:-1]} {identity}"
            thing = read(fields)
            if identity in known:
                self.problems.error(fields.at("id"), fields.where, "the id is used twice", f"first on line {known[identity]}")
            elif thing is not None:
                known[identity] = line_of(node)
                found.append(thing)
        return found

    def _id(self, fields: Fields) -> str:
        identity = fields.text("id", None)
        if identity and not _ID.match(identity):
            self.problems.error(
                fields.at("id"), fields.place("id"), f"{identity!r} can't be an id", "up to 128 characters, no space / \\ ? # %"
            )
        return identity

    def _ignored(self, fields: Fields) -> None:
        for key, node in fields.rest().items():
            self.problems.warn(node, fields.place(key), "is not known here and is ignored")

    def _enterprise(self, fields: Fields) -> Enterprise:
        contacts = []
        for n, node in enumerate(fields.items("contacts")):
            if (c := self.document.fields(node, f"{fields.place('contacts')}[{n}]", self.problems)) is not None:
                contacts.append(Contact(name=c.text("name", None), role=c.text("role"), phone=c.text("phone")))
                self._ignored(c)
        enterprise = Enterprise(id=self._id(fields), name=fields.text("name", None), contacts=contacts)
        self._ignored(fields)
        return enterprise

    # --- zones ---
    def _zone(self, fields: Fields) -> Zone | None:
        grade = fields.text("grade", None)
        if grade and grade not in set(Grade):
            self.problems.error(fields.at("grade"), fields.place("grade"), f"{grade!r} is no grade", "red, orange, yellow or blue")
            grade = ""
        enterprise = fields.text("enterprise") or None
        if enterprise is not None and enterprise not in self.lines["enterprises"]:
            self.problems.error(fields.at("enterprise"), fields.place("enterprise"), f"there is no enterprise {enterprise!r}")
        polygon, line = self._outline(fields, "polygon", 3), self._outline(fields, "line", 2)
        if not polygon and not line and fields.node_of("polygon") is None and fields.node_of("line") is None:
            self.problems.warn(fields.node, fields.where, "has no polygon and no line: it is not on the map")
        if polygon and line:
            self.problems.error(fields.at("line"), fields.place("line"), "a zone is a polygon or a line, not both")
        identity = self._id(fields)
        if identity == UNASSIGNED:
            self.problems.error(fields.at("id"), fields.place("id"), f"{UNASSIGNED} is kept for alarms of unknown devices")
        zone = Zone(
            identity,
            fields.text("name", None),
            Grade(grade or Grade.RED),
            enterprise,
            polygon,
            line,
            fields.texts("risks"),
            fields.texts("measures"),
            fields.whole("major_hazard_level", 1, 4),
            fields.flag("outside_park"),
            zone_district(fields, self.district, self.problems),
        )
        self._ignored(fields)
        return zone

    def _outline(self, fields: Fields, key: str, least: int) -> list[Point]:
        corners = fields.points(key)
        if corners is None or fields.node_of(key) is None:
            return []
        return sound_outline(corners, least, fields.at(key), fields.place(key), self.problems)

    # --- devices ---
    def _device(self, fields: Fields) -> Device:
        zone = fields.text("zone", None)
        if zone and zone not in self.lines["zones"]:
            self.problems.error(fields.at("zone"), fields.place("zone"), f"there is no zone {zone!r}")
        kind = fields.text("type", None)
        if kind and kind not in _TYPES:
            self.problems.error(fields.at("type"), fields.place("type"), f"{kind!r} is no type of device", ", ".join(_TYPES))
        waits = fields.duration("on_delay")
        if waits > LONGEST_ON_DELAY:
            what = "alarms would wait too long before anybody hears of them"
            self.problems.error(fields.at("on_delay"), fields.place("on_delay"), what, "at most 1h")
        timing = AlarmTiming(on_delay=waits, off_delay=fields.duration("off_delay"), latching=fields.flag("latching"))
        detectors = fields.texts("detectors")
        for name in detectors:
            if name not in DETECTORS:
                self.problems.warn(
                    fields.at("detectors"), fields.place("detectors"), f"there is no detector {name!r} in this version: it is left out",
                    f"there are: {', '.join(DETECTORS)}",
                )
        device = Device(
            id=self._id(fields),
            zone=zone,
            type=kind,
            timing=timing,
            url=self._url(fields, kind),
            loop=fields.flag("loop"),
            detectors=detectors,
            areas=self._areas(fields, detectors),
        )
        check_sensor(fields, self.problems)
        settings = {k: self.document.plain(v) for k, v in fields.rest().items()}
        if kind == "camera":
            settings |= camera_settings(fields, self.folder, self.problems)
        return msgspec.structs.replace(device, settings=settings)

    def _url(self, fields: Fields, kind: str) -> str:
        url = fields.text("url")
        if kind != "camera" or not url:
            if kind == "camera":
                self.problems.warn(fields.node, fields.where, "the camera has no url: it stays dark")
            return url
        node, where = fields.at("url"), fields.place("url")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as e:
            self.problems.error(node, where, f"is no URL: {e}")
            return url
        scheme = parts.scheme.lower() if "://" in url or url.lower().startswith(("file:", "usb:")) else ""
        if scheme not in _CAMERA_SCHEMES:
            self.problems.error(node, where, f"{url!r} is no camera URL", f"one of {', '.join(s + ':' for s in _CAMERA_SCHEMES)}")
        elif scheme == "file":
            return self._clip(url, node, where)
        elif scheme != "usb" and not parts.hostname:
            self.problems.error(node, where, f"{url!r} names no host")
        return url

    def _clip(self, url: str, node: Node, where: str) -> str:
        name = url[len("file:") :]
        path = Path(name.removeprefix("//") if name.startswith("//") else name)
        if not str(path).strip() or name in ("", "//"):
            self.problems.error(node, where, "names no file")
            return url
        path = path if path.is_absolute() else self.folder / path
        try:
            folder = name.endswith("/") and path.is_dir()
            there = folder or path.is_file()
        except OSError:  # a name that no file can have
            there = folder = False
        if not there:
            self.problems.warn(node, where, f"there is no file {path}", "the camera shows as offline until there is one")
        return f"file:{path}/" if folder else f"file:{path}"

    def _areas(self, fields: Fields, detectors: list[str]) -> dict[str, list[Point]]:
        node = fields.node_of("areas")
        inner = self.document.fields(node, fields.place("areas"), self.problems) if node is not None else None
        if inner is None:
            return {}
        areas = {}
        for name in list(inner.rest()):
            corners = points(self.document, inner.items(name), inner.place(name), self.problems)
            if name not in detectors:
                self.problems.warn(inner.at(name), inner.place(name), "no detector of this camera has this name")
            if corners is None:
                continue
            if any(not 0 <= v <= 1 for p in corners for v in p):
                self.problems.error(inner.at(name), inner.place(name), "an area is given in fractions of the picture", "0 to 1")
            else:
                areas[name] = sound_outline(corners, 3, inner.at(name), inner.place(name), self.problems)
        return areas

    # --- the rest ---
    def _check_time_zone(self, head: Fields, name: str) -> None:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            self.problems.error(head.at("time_zone"), head.place("time_zone"), f"{name!r} is no time zone", "for example Asia/Shanghai")
