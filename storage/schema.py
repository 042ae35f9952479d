"""Every SQL table on one screen. Times are UTC microseconds (BIGINT), ids are text, bodies are canonical JSON.

Alembic's migrations (``storage/migrations``) build these; a test compares the two. What must not go in: queries.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, false

from hazards.ledger.marks import MARKS

metadata = MetaData()
_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only for INTEGER

# --- the site: what stands where (site file, section 7 of the architecture) ---
site = Table(
    "site", metadata,
    Column("version", _Serial, primary_key=True, autoincrement=True),
    Column("body", Text, nullable=False),  # the whole site as applied
    Column("applied_at", BigInteger, nullable=False),
    Column("applied_by", String, nullable=False),
)
enterprises = Table(
    "enterprises", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("removed_at", BigInteger),  # nothing is deleted
)
zones = Table(
    "zones", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("enterprise", String, index=True),
    Column("grade", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("removed_at", BigInteger),
)
devices = Table(
    "devices", metadata,
    Column("id", String, primary_key=True),
    Column("zone", String, nullable=False, index=True),
    Column("type", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("removed_at", BigInteger),
)

# --- who may do what ---
users = Table(
    "users", metadata,
    Column("id", String, primary_key=True),  # the sign-in name
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("enterprise", String),
    Column("district", String),  # an authority's: what lies within it; None: everything
    Column("password_hash", String, nullable=False),  # argon2id
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_at", BigInteger, nullable=False),
)
sessions = Table(
    "sessions", metadata,
    Column("secret_hash", String, primary_key=True),  # SHA-256 of the cookie
    Column("user", String, nullable=False, index=True),
    Column("csrf", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),  # when the person last proved who it is: a signature needs it fresh
)
tokens = Table(
    "tokens", metadata,
    Column("id", String, primary_key=True),
    Column("secret_hash", String, nullable=False, unique=True),  # SHA-256 of the bearer token
    Column("role", String, nullable=False),
    Column("enterprise", String),
    Column("district", String),  # an authority's: what lies within it; None: everything
    Column("label", String, nullable=False, default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

# --- the trunk: signals, incidents, zone states, outbox ---
alarms = Table(
    "alarms", metadata,
    Column("id", String, primary_key=True),  # hazards.identity: the deduplication key
    Column("source", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("device", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("action", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("score", Float),
    Column("snapshot", String, index=True),
    Column("body", LargeBinary, nullable=False),  # the whole signal, bus.codecs
    Column("incident", String, nullable=False),
    Column("reason", String, nullable=False),  # code of hazards.zone_state.Reason
    Column("explained", Text, nullable=False),  # parameters of the reason, JSON
    Column("applied_at", BigInteger, nullable=False),
    Index("alarms_by_incident", "incident", "at", "id"),
    Index("alarms_by_time", "at"),
)
incidents = Table(
    "incidents", metadata,
    Column("id", String, primary_key=True),
    Column("state_key", String, nullable=False),  # row of zone_states that merges into it
    Column("zone", String, nullable=False),
    Column("enterprise", String),
    Column("family", String, nullable=False),
    Column("kinds", Text, nullable=False),  # JSON list, first seen first
    Column("devices", Text, nullable=False),  # JSON list
    Column("state", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False, default=0),
    Column("cleared_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("alarm_count", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("snapshot", String),
    Column("synthetic", Boolean, nullable=False, default=False),
    Column("certainty", String, nullable=False, server_default="possible"),
    Column("corroboration", Text, nullable=False, server_default="{}"),  # JSON: rule, basis, sources
    Column("quiet", String, nullable=False, server_default=""),  # why nobody is called: hazards.quieting.Quiet
    Column("quiet_by", String, nullable=False, server_default=""),
    Column("labels", Text, nullable=False, server_default="[]"),  # JSON list of Quiet: of its alarms that stand
    Column("version", Integer, nullable=False),  # counts every change, by worker or person
    # people's own: the worker never writes these
    Column("people_version", Integer, nullable=False, default=0),  # value of version at the last change by a person
    Column("acknowledged_by", String),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_severity", Integer),
    Column("assigned_to", String),
    Column("shelved_by", String),
    Column("shelved_until", BigInteger, index=True),
    Column("shelve_reason", Text),
    Index("incidents_newest", "opened_at", "id"),
    Index("incidents_by_state", "state", "opened_at", "id"),
    Index("incidents_by_zone", "zone", "opened_at", "id"),
    Index("incidents_by_family", "zone", "family", "opened_at", "id"),
    Index("incidents_by_enterprise", "enterprise", "opened_at", "id"),
)
incident_events = Table(
    "incident_events", metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("incident", String, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),  # user id, "token:ID" or "bihuan"
    Column("event", String, nullable=False),  # opened, severity_raised, cleared, closed, acknowledged, commented, …
    Column("body", Text, nullable=False),  # JSON: reason and parameters
    Index("incident_events_by_time", "at", "event", "incident"),  # all that alarm-quality figures read of them
)
zone_states = Table(
    "zone_states", metadata,
    Column("key", String, primary_key=True),  # hazards.merging.state_key
    Column("zone", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),  # hazards.zone_codec; in "body" before schema 2, so that no older worker writes over it
    Column("wake_at", BigInteger, index=True),
)
alarm_states = Table(
    "alarm_states", metadata,  # alarms that are not normal, as the zone's state has them
    Column("key", String, primary_key=True),  # of zone_states
    Column("device", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("zone", String, nullable=False),
    Column("incident", String, nullable=False, index=True),
    Column("state", String, nullable=False),  # hazards.annunciation.AlarmState
    Column("phase", String, nullable=False),  # hazards.alarm_state.Phase
    Column("severity", Integer, nullable=False),
    Column("quiet", String, nullable=False),
    Column("quiet_by", String, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("alarm_states_by_zone", "zone", "since", "device", "kind"),
)
outbox = Table(
    "outbox", metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("topic", String, nullable=False),
    Column("key", String, nullable=False),  # the Kafka key: zone, or enterprise for notices
    Column("zone", String, nullable=False),
    Column("enterprise", String),
    Column("subject", String, nullable=False),  # incident or hazard id
    Column("event", String, nullable=False),  # opened, updated, closed, …
    Column("payload", LargeBinary, nullable=False),  # bus.codecs, as it goes to Kafka
    Column("created_at", BigInteger, nullable=False),
    Column("position", BigInteger, unique=True),  # place in the feed, given by the one relay, without gaps
    Column("published_at", BigInteger, index=True),
)
dead_letters = Table(
    "dead_letters", metadata,
    Column("id", String, primary_key=True),
    Column("topic", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("signal", String, index=True),  # id of the one signal it holds, when it is known
    Column("payload", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("replayed_at", BigInteger),
)

# --- hazards (隐患): the ledger ---
hazards = Table(
    "hazards", metadata,
    Column("id", String, primary_key=True),
    Column("zone", String, nullable=False),
    Column("enterprise", String),
    Column("kind", String, nullable=False),
    Column("grade", String, nullable=False),
    Column("confirmed", Boolean, nullable=False, default=False),  # the grade was confirmed by a person
    Column("state", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("incident", String, index=True),  # the incident it was proposed from
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, index=True),
    Column("overdue_at", BigInteger),  # when its clock found that the due date was missed
    Column("wake_at", BigInteger, index=True),  # when a clock wants to be looked at next
    # what lists are narrowed to: hazards/ledger/marks.py
    Column("repeated", Boolean, nullable=False, server_default=false()),
    Column("listed", Boolean, nullable=False, server_default=false()),
    Column("supervised", Boolean, nullable=False, server_default=false()),
    Column("extension_requested", Boolean, nullable=False, server_default=false()),
    Column("summons_due", Boolean, nullable=False, server_default=false()),
    Column("alarm_since_claim", Boolean, nullable=False, server_default=false()),
    # what merging asks for: hazards/ledger/marks.py
    Column("watched", Boolean, nullable=False, server_default=false()),  # overdue, or said to be rectified
    Column("first_due", BigInteger),  # of one that is not over: its due date
    Column("closed_at", BigInteger),
    Column("version", Integer, nullable=False),
    Column("synthetic", Boolean, nullable=False, default=False),
    Column("body", Text, nullable=False),  # the whole hazard as the domain keeps it, JSON
)
_NARROWED = ("state", "grade", "due_at", "zone", "enterprise", *MARKS)
"""What lists of hazards are narrowed to. Every index of a list holds all of it, so that what does not fit is passed over within the index,
and only the rows of the page are fetched: a body is some kilobytes."""


def _list_index(name: str, *first: str, **where: Any) -> None:
    names = (*first, "opened_at", "id", *(n for n in _NARROWED if n not in first))
    Index(name, *(hazards.c[n] for n in names), **where)


for _name, _first in (("newest", ()), ("by_state", ("state",)), ("by_zone", ("zone",)), ("by_enterprise", ("enterprise",))):
    _list_index(f"hazards_{_name}", *_first)
for _mark in MARKS:  # few rows have one, so an index of those few costs the others nothing
    _is_set = hazards.c[_mark].is_(True)
    _list_index(f"hazards_{_mark}", sqlite_where=_is_set, postgresql_where=_is_set)


def _few(name: str, which: Any, *names: str) -> None:
    Index(name, *(hazards.c[n] for n in names), sqlite_where=which, postgresql_where=which)


_few("hazards_watched", hazards.c.watched.is_(True), "zone", "kind", "state", "synthetic", "confirmed", "overdue_at", "due_at", "id")
_open = hazards.c.first_due.is_not(None)
_few("hazards_open", _open, "zone", "first_due", "id", "state", "due_at", "enterprise", "synthetic")
_few("hazards_open_by_kind", _open, "zone", "kind", "synthetic", "first_due", "id")
_few("hazards_closed", hazards.c.closed_at.is_not(None), "zone", "kind", "synthetic", "closed_at", "id")
hazard_incidents = Table(
    "hazard_incidents", metadata,  # both ways; what the hazards' own bodies and the record say
    Column("hazard", String, primary_key=True),
    Column("incident", String, primary_key=True, index=True),
    Column("why", String, nullable=False),  # origin, duplicate, recurrence, since_claim: storage/hazard_links.py
)
policies = Table(
    "policies", metadata,
    Column("number", _Serial, primary_key=True, autoincrement=True),  # in the order of application
    Column("id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("zh", String, nullable=False),
    Column("en", String, nullable=False),
    Column("body", Text, nullable=False),  # the whole pack, JSON with sorted keys
    Column("digest", String, nullable=False),  # SHA-256 of it
    Column("applied_at", BigInteger, nullable=False),
    Column("applied_by", String, nullable=False),
    Index("policies_by_version", "version", unique=True),
    Index("policies_by_id", "id", "number"),
)
alarm_rules = Table(
    "alarm_rules", metadata,  # every version of every alarm rule; triggers refuse every change
    Column("revision", _Serial, primary_key=True, autoincrement=True),  # over all rules, in the order of change
    Column("rule", String, nullable=False),
    Column("number", Integer, nullable=False),  # of the rule's versions: from 1, without gaps
    Column("body", Text, nullable=False),  # hazards.rules.AlarmRule, JSON with sorted keys
    Column("source", String, nullable=False),  # who says it: pack, site, console
    Column("change", String, nullable=False),  # storage.alarm_rules.Change
    Column("withdrawn", Boolean, nullable=False),  # the rule is not in force any more
    Column("reason", Text, nullable=False),  # a person's own words
    Column("details", Text, nullable=False),  # JSON: what was restored, replaced
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Index("alarm_rules_by_rule", "rule", "number", unique=True),
)
hazard_events = Table(
    "hazard_events", metadata,
    Column("hazard", String, primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1, without gaps: the version that it made
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("event", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # canonical JSON, never rewritten
    Column("digest", String, nullable=False),  # SHA-256 over the digest before and these bytes: the chain
    Column("command_id", String),  # the caller's own name of the command: a second one of that name has no effect
    Index("hazard_events_once", "hazard", "command_id", unique=True),
)
anchors = Table(
    "anchors", metadata,  # one a day over the whole ledger; a trigger refuses every change
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("day", String, nullable=False, unique=True),  # the last day that it is for, in the site's time zone
    Column("body", LargeBinary, nullable=False),  # the signed statement, hazards.ledger.anchors.canonical
    Column("digest", String, nullable=False),  # SHA-256 of the statement: the next one names it
    Column("signature", String, nullable=False),  # Ed25519, hexadecimal
    Column("handovers", Text, nullable=False),  # JSON: from which key to which, as it was then
    Column("created_at", BigInteger, nullable=False),
)
anchor_heads = Table(
    "anchor_heads", metadata,  # the heads that an anchor pins; fixed once its row in anchors is there
    Column("anchor", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # in the order over which the anchor's digest was made
    Column("hazard", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String, nullable=False),
    Index("anchor_heads_by_hazard", "hazard", "number", unique=True),
)
anchor_deliveries = Table(
    "anchor_deliveries", metadata,
    Column("anchor", Integer, primary_key=True, autoincrement=False),
    Column("place", String, primary_key=True),  # folder:PATH or email:ADDRESS
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("tried_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("trouble", Text, nullable=False, server_default=""),  # why the last attempt failed
)

duties = Table(
    "duties", metadata,  # periodic duties (履职): one row a duty, body and period
    Column("id", String, primary_key=True),  # name:body:period
    Column("name", String, nullable=False),
    Column("post", String, nullable=False),
    Column("body", String, nullable=False),
    Column("period", String, nullable=False),  # 2026-11, 2026-Q4
    Column("due_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("done_by", String),
    Column("note", Text, nullable=False, server_default=""),
    Column("fired", Text, nullable=False, server_default="[]"),  # JSON: points that were told
    Column("wake_at", BigInteger, index=True),
    Index("duties_newest", "due_at", "id"),
)

declarations = Table(
    "declarations", metadata,  # what is declared of zones (作业票, 标校, 停产 …); measures of hazards have a row here, too
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("zone", String, nullable=False),  # "" for the whole site
    Column("enterprise", String),
    Column("state", String, nullable=False),  # entered, ended, withdrawn; whether it is in force is a matter of time
    Column("starts_at", BigInteger, nullable=False),
    Column("over_at", BigInteger, nullable=False),  # 2^62: nobody knows; 0: withdrawn, it is never in force
    Column("entered_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("synthetic", Boolean, nullable=False, server_default=false()),
    Column("body", Text, nullable=False),  # the whole declaration, JSON with sorted keys
    Index("declarations_in_force", "zone", "over_at"),
    Index("declarations_over", "over_at"),
    Index("declarations_newest", "entered_at", "id"),
    Index("declarations_by_enterprise", "enterprise", "entered_at", "id"),
)
revisions = Table(
    "revisions", metadata,  # counts the changes of what parts watch; its row is locked by whoever changes, so that counts commit in order
    Column("name", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# --- telemetry: what keeps it once and whole ---
telemetry_marks = Table(
    "telemetry_marks", metadata,  # only with the embedded broker: packs that an agent is done with; the forwarder then releases and deletes
    Column("id", String, primary_key=True),  # of the journal row: the pack's
    Column("agent", String, primary_key=True),  # evaluate, store
)
checkpoints = Table(
    "checkpoints", metadata,
    Column("agent", String, primary_key=True),
    Column("key", String, primary_key=True),  # the zone
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
)

# --- who follows the outbox, and what goes out to people ---
followers = Table(
    "followers", metadata,
    Column("name", String, primary_key=True),  # store, push
    Column("position", BigInteger, nullable=False),  # the last outbox position that had its effect
    Column("updated_at", BigInteger, nullable=False),
)
endpoints = Table(
    "endpoints", metadata,
    Column("id", String, primary_key=True),  # hazards.identity: of its enterprise and address
    Column("enterprise", String),  # None: everything of the site goes there
    Column("url", String, nullable=False),
    Column("trouble", Text, nullable=False, server_default=""),  # why nothing can be sent, as with a missing secret
    Column("turned_off_at", BigInteger),  # by its answer 410 or by a person
    Column("turned_off_by", String),
    Column("turned_off_why", Text),
    Column("paused_until", BigInteger),  # it asked to slow down
    Column("slowed", Integer, nullable=False, server_default="0"),  # requests to slow down in a row
    Column("failures", Integer, nullable=False, server_default="0"),  # failed attempts in a row
    Column("delivered_at", BigInteger),  # its last success
    Column("removed_at", BigInteger),  # nothing is deleted
)
deliveries = Table(
    "deliveries", metadata,
    Column("id", String, primary_key=True),  # the webhook-id: endpoint and event decide it
    Column("endpoint", String, nullable=False),
    Column("enterprise", String),  # the endpoint's
    Column("position", BigInteger, nullable=False),  # of the event in the outbox: the order of what is told
    Column("subject", String, nullable=False),  # incident or hazard id
    Column("event", String, nullable=False),  # the type in the body: incident.opened, hazard.confirmed, …
    Column("severity", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it is signed and sent
    Column("told", Text, nullable=False),  # JSON: what the endpoint knows of the subject afterwards
    Column("state", String, nullable=False),  # waiting, delivered, dead, cancelled
    Column("attempts", Integer, nullable=False, default=0),
    Column("attempts_before", Integer, nullable=False, default=0),  # those before the latest replay: the plan begins again
    Column("next_at", BigInteger),  # when the next attempt is due; None: no more
    Column("created_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("replayed_at", BigInteger),
    Column("replayed_by", String),
    Column("last_status", Integer),
    Column("last_error", Text),
    Index("deliveries_due", "state", "endpoint", "next_at"),
    Index("deliveries_newest", "created_at", "id"),
    Index("deliveries_by_subject", "subject", "endpoint", "position"),
)
delivery_attempts = Table(
    "delivery_attempts", metadata,
    Column("delivery", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
)

# --- how it runs ---
evidence = Table(
    "evidence", metadata,  # uploads: the same file may be one of several zones
    Column("sha256", String, primary_key=True),
    Column("media_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("device", String, nullable=False),
    Column("zone", String, primary_key=True),
    Column("taken_at", BigInteger, nullable=False),
)
camera_evidence = Table(
    "camera_evidence", metadata,  # what cameras' alarms left: hazards.camera_evidence.Statement, signed
    Column("device", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("onset", BigInteger, primary_key=True),
    Column("role", String, primary_key=True),
    Column("sha256", String, nullable=False, index=True),
    Column("media_type", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("zone", String, nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("signature", String, nullable=False),
    Column("public_key", String, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("cited", Boolean, nullable=False),  # a hazard names it
    Column("removed_at", BigInteger),
    Column("removed_for", String),  # age, space
)
Index("camera_evidence_oldest", camera_evidence.c.begins, sqlite_where=camera_evidence.c.removed_at.is_(None),
      postgresql_where=camera_evidence.c.removed_at.is_(None))  # fmt: skip
evidence_holds = Table(
    "evidence_holds", metadata,
    Column("id", String, primary_key=True),
    Column("zone", String, nullable=False, index=True),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("entered_by", String, nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Column("lifted_at", BigInteger),
    Column("lifted_by", String),
    Column("lifted_reason", Text),
)
patrol_rounds = Table(
    "patrol_rounds", metadata,
    Column("id", String, primary_key=True),
    Column("seconds", Integer, nullable=False),  # that each camera is shown
    Column("started_by", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_by", String),
    Column("ended_at", BigInteger),
)
Index("patrol_rounds_by_time", patrol_rounds.c.started_at, patrol_rounds.c.id)
patrol_looks = Table(
    "patrol_looks", metadata,  # one a camera of a round, from its start on
    Column("round", String, primary_key=True),
    Column("camera", String, primary_key=True),
    Column("number", Integer, nullable=False),  # the order in which they are shown
    Column("zone", String, nullable=False, index=True),
    Column("judgement", String),  # normal, abnormal, no_picture; NULL: nobody has judged it
    Column("note", Text),
    Column("pictured", Boolean),  # whether whoever judged it had a picture before them
    Column("judged_by", String),
    Column("judged_at", BigInteger),
)
camera_statuses = Table(
    "camera_statuses", metadata,
    Column("camera", String, primary_key=True),
    Column("noted_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # hazards.cameras.CameraStatus, JSON
)
forwarders = Table(
    "forwarders", metadata,
    Column("journal", String, primary_key=True),  # id of the journal file
    Column("unapplied", Integer, nullable=False),
    Column("oldest_at", BigInteger),  # receipt of the oldest row that SQL has not applied; None: drained
    Column("oldest_zone", String),
    Column("updated_at", BigInteger, nullable=False),
)
part_notes = Table(
    "part_notes", metadata,
    Column("part", String, primary_key=True),
    Column("instance", String, primary_key=True),  # machine, data folder, number
    Column("noted_at", BigInteger, nullable=False),
    Column("figures", Text, nullable=False),  # name to number, JSON
)
