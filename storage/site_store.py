"""The site in SQL, and the registry: a snapshot of it in memory that the door and the merge agent look devices up in.

Applying a site never deletes: what is gone from the file is marked removed. What must not go in: reading files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection, Table, func, select, update

from hazards.ledger.policy import Policy
from hazards.messages import UNASSIGNED
from hazards.rules import AlarmRule
from hazards.zones import Device, Enterprise, Site, Zone
from storage import schema
from storage.alarm_rules import Author, Files, follow_files, newest_rule_revision, rules_in_force, said_by
from storage.policies import every_policy, newest_number, policy_in_force


@dataclass(frozen=True, slots=True)
class Registry:
    """What stands where, as of site ``version`` (0: no site was ever applied), and the policy pack in force.

    ``packs``: every version of every pack that was ever applied; a hazard keeps the one under which it was opened."""

    version: int = 0
    site: Site = field(default_factory=lambda: Site(id="", name=""))
    zones: Mapping[str, Zone] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    policy: Policy | None = None
    pack_number: int = 0
    packs: Mapping[str, Policy] = field(default_factory=dict)
    former: Mapping[str, Zone] = field(default_factory=dict)
    """Zones that are gone from the site: what happened there still belongs to a district."""
    rules: Mapping[str, AlarmRule] = field(default_factory=dict)
    """Alarm rules in force, by id; those that are switched off too."""
    rule_revision: int = 0

    @property
    def revision(self) -> tuple[int, int, int]:
        """Another one means that the site, a pack or an alarm rule has changed since."""
        return self.version, self.pack_number, self.rule_revision

    @property
    def files(self) -> Files:
        """What site file and pack say of alarm rules."""
        return said_by(self.site, self.policy)

    @property
    def synthetic(self) -> bool:
        """Whether all of this is a demonstration."""
        return self.site.synthetic

    def policy_under(self, version: str) -> Policy | None:
        """The pack of that version; for one that this database never had the pack in force, None without any."""
        return self.packs.get(version, self.policy)

    def is_synthetic(self, device: str) -> bool:
        """Whether what ``device`` says is a demonstration: the whole site is, or the device is marked so."""
        known = self.devices.get(device)
        return self.synthetic or (known is not None and known.settings.get("synthetic") is True)

    def zone_of(self, device: str) -> str:
        """The zone of ``device``, or ``unassigned``."""
        known = self.devices.get(device)
        return known.zone if known else UNASSIGNED

    def device(self, device: str) -> Device | None:
        """The device, or None."""
        return self.devices.get(device)

    def zone(self, zone: str) -> Zone | None:
        """The zone, or None."""
        return self.zones.get(zone)

    def enterprise_of(self, zone: str) -> str | None:
        """The enterprise that owns ``zone``, or None."""
        known = self.zones.get(zone)
        return known.enterprise if known else None

    def district_of(self, zone: Zone) -> str:
        """The district that ``zone`` lies in: its own, else the site's; may be empty."""
        return zone.district or self.site.district


@dataclass(frozen=True, slots=True)
class SiteChange:
    """What applying a site did: ids, by table."""

    version: int
    added: dict[str, list[str]]
    changed: dict[str, list[str]]
    removed: dict[str, list[str]]


_COUNTED = (schema.site.c.version, schema.policies.c.number, schema.alarm_rules.c.revision)
_NEWEST = select(*(select(func.max(column)).scalar_subquery() for column in _COUNTED))


def newest_revision(connection: Connection) -> tuple[int, int, int]:
    """What ``Registry.revision`` of the newest registry is: one small query."""
    site, pack, rule = connection.execute(_NEWEST).one()
    return site or 0, pack or 0, rule or 0


def load_registry(connection: Connection) -> Registry:
    """The newest applied site with its policy pack."""
    number, packs = newest_number(connection), every_policy(connection)
    revision, rules = newest_rule_revision(connection), rules_in_force(connection)
    row = connection.execute(select(schema.site.c.version, schema.site.c.body).order_by(schema.site.c.version.desc()).limit(1)).first()
    if row is None:
        return Registry(policy=policy_in_force(connection, ""), pack_number=number, packs=packs, rules=rules, rule_revision=revision)
    site = msgspec.json.decode(row.body, type=Site)
    policy = policy_in_force(connection, site.policy)
    gone = connection.scalars(select(schema.zones.c.body).where(schema.zones.c.removed_at.is_not(None)))
    former = {zone.id: zone for zone in (msgspec.json.decode(body, type=Zone) for body in gone)}
    zones, devices = {z.id: z for z in site.zones}, {d.id: d for d in site.devices}
    return Registry(row.version, site, zones, devices, policy, number, packs, former, rules, revision)


_cache: dict[str, Registry] = {}


def current_registry(connection: Connection) -> Registry:
    """The newest site and pack, read again only when one of them moved: one small query a call."""
    key = str(connection.engine.url)
    known = _cache.get(key)
    if known is None or known.revision != newest_revision(connection):
        known = _cache[key] = load_registry(connection)
    return known


def apply_site(connection: Connection, site: Site, *, by: str, now: int, role: str = "administrator") -> SiteChange:
    """Make ``site`` the current one. Nothing changes when it already is."""
    known = load_registry(connection)
    rules = follow_files(connection, said_by(site, policy_in_force(connection, site.policy)), Author(by, role, now))
    change = SiteChange(known.version, {}, {schema.alarm_rules.name: rules} if rules else {}, {})
    body = msgspec.json.encode(site, order="deterministic")
    if known.version and msgspec.json.encode(known.site, order="deterministic") == body:
        return change
    rows: dict[Table, list[_Entry]] = {
        schema.enterprises: [(e.id, {"name": e.name}, e) for e in site.enterprises],
        schema.zones: [(z.id, {"name": z.name, "enterprise": z.enterprise, "grade": z.grade.value}, z) for z in site.zones],
        schema.devices: [(d.id, {"zone": d.zone, "type": d.type}, d) for d in site.devices],
    }
    for table, entries in rows.items():
        _apply_table(connection, table, entries, change, now)
    result = connection.execute(schema.site.insert().values(body=body.decode(), applied_at=now, applied_by=by))
    return SiteChange(int((result.inserted_primary_key or (0,))[0]), change.added, change.changed, change.removed)


_Entry = tuple[str, dict[str, str | None], Enterprise | Zone | Device]


def _apply_table(connection: Connection, table: Table, entries: list[_Entry], change: SiteChange, now: int) -> None:
    known = {r.id: (r.body, r.removed_at) for r in connection.execute(select(table.c.id, table.c.body, table.c.removed_at))}
    for entry_id, columns, thing in entries:
        body = msgspec.json.encode(thing, order="deterministic").decode()
        if entry_id not in known:
            connection.execute(table.insert().values(id=entry_id, body=body, **columns))
            change.added.setdefault(table.name, []).append(entry_id)
        elif known[entry_id] != (body, None):
            connection.execute(update(table).where(table.c.id == entry_id).values(body=body, removed_at=None, **columns))
            change.changed.setdefault(table.name, []).append(entry_id)
    gone = [i for i in known if known[i][1] is None and i not in {e[0] for e in entries}]
    if gone:
        connection.execute(update(table).where(table.c.id.in_(gone)).values(removed_at=now))
        change.removed[table.name] = gone
