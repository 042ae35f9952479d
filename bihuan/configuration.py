"""Every configuration key on one screen: its default and its meaning. ``docs/configuration.md`` is generated from it.

Precedence: command line, environment (``BIHUAN_KEY``), the file of ``BIHUAN_CONFIG`` (lines ``KEY=VALUE``), default.
``BIHUAN_KEY_FILE`` reads the value from a file, for secrets. Checked by msgspec, because pydantic's settings would cost each
start a third of a second. What must not go in: reading at import, decisions, what a site is (that is the site file).
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from hazards.errors import Misconfigured

PREFIX = "BIHUAN_"
_SIZE = re.compile(r"^(\d+)\s*(B|kB|KB|MB|GB)?$")
_FACTOR = {None: 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def _key(meaning: str, **more: Any) -> Meta:
    """The documentation of one key, standing beside it; ``unit`` "bytes" allows 256MB, ``secret`` masks it."""
    limits = {k: more.pop(k) for k in ("ge", "le", "pattern", "min_length") if k in more}
    return Meta(description=meaning, extra=more, **limits)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a bihuan process, decoded and checked."""

    data: Annotated[str, _key("The data folder: journal, ledger, evidence files, secrets. One running system a folder.", min_length=1)] = (
        "bihuan-data"
    )
    host: Annotated[str, _key("Address that the API and the console listen on. 0.0.0.0 opens them to the network.")] = "127.0.0.1"
    port: Annotated[int, _key("Port of the API and the console; 0 takes a free one.", ge=0, le=65535)] = 8080
    site: Annotated[str, _key("Site file to apply at every start; empty keeps the site that was applied last.")] = ""
    public_url: Annotated[
        str,
        _key(
            "Address of this system as others reach it, for the links in webhooks; empty gives paths alone.",
            pattern=r"^$|^https?://[^\s/]+(/[^\s]*)?$",
        ),
    ] = ""
    kafka: Annotated[
        str,
        _key(
            "Kafka's bootstrap servers, HOST:PORT separated by commas; empty runs the embedded broker.",
            pattern=r"^$|^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$",
        ),
    ] = ""
    database: Annotated[
        str, _key("SQLAlchemy URL of PostgreSQL (postgresql+psycopg://…); empty keeps SQLite in the data folder.", secret=True)
    ] = ""
    influx_url: Annotated[
        str,
        _key("Address of InfluxDB 2 (http://…); empty keeps the time series in SQLite in the data folder.", pattern=r"^$|^https?://[^\s]+$"),
    ] = ""
    influx_org: Annotated[str, _key("Organisation in InfluxDB.", min_length=1)] = "bihuan"
    influx_token: Annotated[
        str, _key("Token of InfluxDB: reads and writes the district's bucket, and may make it if it is missing.", secret=True)
    ] = ""
    store: Annotated[bool, _key("Keep telemetry, alarms, incidents and hazards in the time series.")] = True
    keep_raw_days: Annotated[float, _key("Days that raw readings are kept; at least 30 for major hazard sources.", ge=1)] = 30.0
    keep_1s_days: Annotated[float, _key("Days that roll-ups of one second are kept.", ge=1)] = 7.0
    keep_1m_days: Annotated[float, _key("Days that roll-ups of one minute are kept.", ge=1)] = 400.0
    keep_15m_days: Annotated[float, _key("Days that roll-ups of fifteen minutes are kept.", ge=1)] = 1830.0
    keep_events_days: Annotated[float, _key("Days that points of alarms, incidents, hazards and alarm quality are kept.", ge=1)] = 1830.0
    evidence: Annotated[
        str, _key("Folder of the evidence files; empty is `evidence` in the data folder. Shared by parts on several machines.")
    ] = ""
    evidence_days: Annotated[
        float, _key("Days that pictures and clips of cameras' alarms are kept unless a hazard or a hold refers to them.", ge=90)
    ] = 365.0
    evidence_bound: Annotated[
        int, _key("Bytes of pictures and clips of cameras' alarms; beyond them the oldest goes that nothing refers to.", ge=0, unit="bytes")
    ] = 50_000_000_000
    evidence_free: Annotated[
        int, _key("Bytes that stay free on the evidence's disk; below them the oldest goes that nothing refers to.", ge=0, unit="bytes")
    ] = 2_000_000_000
    anchor_key: Annotated[
        str,
        _key(
            "File of the key that signs the ledger's daily anchors, made at the first start; empty is `ledger-anchor.key` in the data "
            "folder. Mode 0600; not in backups unless asked, so keep a copy elsewhere."
        ),
    ] = ""
    anchor_folder: Annotated[
        str,
        _key(
            "Folder outside this system, such as a mounted share of another machine, that gets each daily anchor of the ledger as a JSON "
            "file. It must be there; a folder for each system. Empty: none."
        ),
    ] = ""
    anchor_email: Annotated[
        str,
        _key(
            "E-mail addresses, separated by commas, that get each daily anchor of the ledger by BIHUAN_ANCHOR_SMTP.",
            pattern=r"^$|^[^\s,@]+@[^\s,@]+(\s*,\s*[^\s,@]+@[^\s,@]+)*$",
        ),
    ] = ""
    anchor_smtp: Annotated[
        str,
        _key(
            "Mail server: smtps://USER:PASSWORD@HOST:465 (TLS), smtp://USER:PASSWORD@HOST:587 (demands STARTTLS) or "
            "smtp://HOST:25?starttls=no (plain); ?from=ADDRESS names the sender, ?ca=FILE a certificate authority of one's own.",
            secret=True,
            pattern=r"^$|^smtps?://[^\s/]+/?(\?\S*)?$",
        ),
    ] = ""
    partitions: Annotated[
        int, _key("Partitions of every zone-keyed topic. Fixed for the life of the topics: a mismatch stops the start.", ge=1, le=1024)
    ] = 8
    replication: Annotated[int, _key("Replication factor of the topics that are created; 3 on a Kafka of three brokers.", ge=1, le=9)] = 1
    broker_bound: Annotated[
        int, _key("Bytes that the embedded broker may hold; it is replaced by a fresh one at 70 % of them.", ge=200_000, unit="bytes")
    ] = 256_000_000
    workers: Annotated[
        int, _key("Worker processes of this machine. The embedded default needs one; Kafka spreads partitions over all.", ge=1, le=64)
    ] = 1
    fetch_wait_ms: Annotated[int, _key("Longest wait of a consumer for new messages, in milliseconds.", ge=1, le=5000)] = 20
    telemetry_pack_ms: Annotated[
        int, _key("Milliseconds that readings of a busy zone wait for company before they go on together.", ge=1, le=1000)
    ] = 50
    journal_rows: Annotated[int, _key("Rows that the journal holds before it sheds (telemetry at 80 %, alarms at 100 %).", ge=100)] = (
        2_000_000
    )
    beat_timeout: Annotated[float, _key("Seconds without a sign of life after which a part is killed and started again.", ge=1)] = 10.0
    stall_timeout: Annotated[
        float, _key("Seconds that an accepted alarm may wait, while the worker's count stands still, before the worker is replaced.", ge=2)
    ] = 15.0
    stop_timeout: Annotated[float, _key("Seconds that stopping may take before what is left is killed.", ge=1)] = 8.0
    session_hours: Annotated[float, _key("Hours until a person must sign in again.", ge=0.1)] = 12.0
    secure_cookie: Annotated[bool, _key("Mark the session cookie Secure: set it when the console is served over HTTPS.")] = False
    log: Annotated[str, _key("Least level that is logged: debug, info, warning or error.", pattern="^(debug|info|warning|error)$")] = "info"
    demo: Annotated[bool, _key("Add a synthetic park, plainly marked synthetic.")] = False

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def journal_path(self) -> Path:
        """The journal's SQLite file."""
        return self.folder / "journal.sqlite"

    @property
    def ledger_path(self) -> Path:
        """The ledger's SQLite file, unless ``database`` names PostgreSQL."""
        return self.folder / "ledger.sqlite"

    @property
    def series_path(self) -> Path:
        """The time series' SQLite file, unless ``influx_url`` names InfluxDB."""
        return self.folder / "series.sqlite"

    @property
    def cameras_path(self) -> Path:
        """The file that knows across restarts what the cameras have raised."""
        return self.folder / "cameras.json"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.database or f"sqlite:///{self.ledger_path}"

    @property
    def evidence_path(self) -> Path:
        """Folder of the evidence files."""
        return Path(self.evidence) if self.evidence else self.folder / "evidence"

    @property
    def evidence_key_path(self) -> Path:
        """The file of the key that signs what cameras' alarms leave behind, beside the anchors' key."""
        return self.folder / "camera-evidence.key"

    @property
    def evidence_waiting_path(self) -> Path:
        """Folder of the statements about evidence that SQL does not know yet."""
        return self.folder / "evidence-waiting"

    @property
    def anchor_key_path(self) -> Path:
        """The file of the key that signs anchors: beside the secrets, not among them, since those are backed up with the ledger."""
        return Path(self.anchor_key) if self.anchor_key else self.folder / "ledger-anchor.key"


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the documentation."""

    name: str
    default: Any
    meaning: str
    unit: str
    secret: bool

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return PREFIX + self.name.upper()


def keys() -> list[Key]:
    """Every key in the order of ``Settings``."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        meta: Meta = next(m for m in field.type.__metadata__ if isinstance(m, Meta))
        extra = meta.extra or {}
        rows.append(Key(field.name, field.default, meta.description or "", extra.get("unit", ""), extra.get("secret", False)))
    return rows


def parse_size(text: str, where: str) -> int:
    """Bytes of "2000000", "256MB" or "1 GB" (decimal multiples). Raises Misconfigured."""
    match = _SIZE.match(text.strip())
    if not match:
        raise Misconfigured(f"{text!r} is not a size", where=where, hint="for example 256MB")
    return int(match[1]) * _FACTOR[match[2]]


def read_file(path: Path) -> dict[str, str]:
    """The ``KEY=VALUE`` lines of a configuration file; # starts a comment line, the prefix may be left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise Misconfigured(f"can't be read: {e}", where=str(path)) from e
    values = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise Misconfigured("no KEY=VALUE", where=f"{path}, line {number}")
        values[PREFIX + name.strip().upper().removeprefix(PREFIX)] = value.strip().strip("\"'")
    return values


def _value(key: Key, given: Mapping[str, str]) -> Any:
    """What is given for ``key``, as text or bytes counted, or None."""
    text = given.get(key.variable)
    file = given.get(key.variable + "_FILE")
    if text is None and file is not None:
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except OSError as e:
            raise Misconfigured(f"can't be read: {e.strerror}", where=f"{key.variable}_FILE={file}") from e
    if text is None or (text == "" and not isinstance(key.default, str)):
        return None
    return parse_size(text, key.variable) if key.unit == "bytes" else text


def load(environment: Mapping[str, str] | None = None, **command_line: Any) -> Settings:
    """The settings of this process. ``command_line``: values of options, None where not given. Raises Misconfigured."""
    environment = os.environ if environment is None else environment
    given: dict[str, str] = {}
    if environment.get(PREFIX + "CONFIG"):
        given |= read_file(Path(environment[PREFIX + "CONFIG"]))
    given |= {k: v for k, v in environment.items() if k.startswith(PREFIX)}
    values = {k.name: v for k in keys() if (v := _value(k, given)) is not None}
    values |= {k: v for k, v in command_line.items() if v is not None}
    try:
        settings = msgspec.convert({k: _boolean(v) for k, v in values.items()}, Settings, strict=False)
    except msgspec.ValidationError as e:
        what, _, path = str(e).partition(" - at `$.")
        name = path.rstrip("`")
        raise Misconfigured(what, where=PREFIX + name.upper() if name else PREFIX, hint="`bihuan config` lists every key") from e
    if settings.influx_url and not settings.influx_token:
        raise Misconfigured("InfluxDB needs a token", where="BIHUAN_INFLUX_TOKEN", hint="BIHUAN_INFLUX_TOKEN_FILE reads it from a file")
    if settings.anchor_email and not settings.anchor_smtp:
        raise Misconfigured("e-mail needs a mail server", where="BIHUAN_ANCHOR_SMTP", hint="for example smtp://user:password@mail.example:587")
    return msgspec.structs.replace(
        settings,
        data=str(settings.folder.absolute()),
        site=_absolute(settings.site),
        evidence=_absolute(settings.evidence),
        anchor_key=_absolute(settings.anchor_key),
        anchor_folder=_absolute(settings.anchor_folder),
    )


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def _boolean(value: Any) -> Any:
    """yes/no/on/off beside the true/false/1/0 that the decoder knows."""
    words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    return words.get(value.lower(), value) if isinstance(value, str) else value


def masked(key: Key, value: Any) -> str:
    """``value`` for people: a secret's password is hidden, an empty text is shown as such."""
    if key.secret and value:
        parts = urlsplit(str(value))
        if parts.password:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
        if "://" not in str(value):
            return "***"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value != "" else "(empty)"


def as_text(settings: Settings) -> str:
    """Every key with its value now, its default and its meaning, for a terminal."""
    blocks = []
    for k in keys():
        now = masked(k, getattr(settings, k.name))
        blocks.append(f"{k.variable} = {now}\n    {k.meaning}\n    default: {masked(k, k.default)}")
    return "\n".join(blocks)


def as_markdown() -> str:
    """``docs/configuration.md``."""
    lines = [
        "# Configuration",
        "",
        "Generated by `bihuan config --markdown`; a test compares the two.",
        "Precedence: command line, environment, the file named by `BIHUAN_CONFIG` (lines `KEY=VALUE`), default.",
        "`BIHUAN_KEY_FILE` reads the value of `BIHUAN_KEY` from a file, for secrets.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{k.variable}` | `{masked(k, k.default)}` | {k.meaning} |" for k in keys()]
    return "\n".join(lines) + "\n"
