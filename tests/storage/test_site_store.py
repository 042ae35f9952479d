"""Applying a site: added, changed, removed and back again; the registry follows by version."""

from msgspec import structs

from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage.database import Database
from storage.site_store import apply_site, current_registry, load_registry, newest_revision

SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业")], zones=[Zone("smelter", "熔铸", Grade.RED, "alu")],
    devices=[Device("CAM-1", "smelter", "camera", settings={"vendor": "x"})],
)  # fmt: skip


def test_what_is_gone_from_the_file_is_marked_and_comes_back(database: Database) -> None:
    with database.write() as connection:
        first = apply_site(connection, SITE, by="admin", now=1)
        assert (first.version, first.added["devices"]) == (1, ["CAM-1"])
        assert apply_site(connection, SITE, by="admin", now=2).version == 1, "the same site again is no change"
        without = apply_site(connection, structs.replace(SITE, devices=[]), by="admin", now=3)
        assert (without.version, without.removed) == (2, {"devices": ["CAM-1"]})
        assert current_registry(connection).zone_of("CAM-1") == "unassigned"
        again = apply_site(connection, SITE, by="admin", now=4)
        assert (again.version, again.changed) == (3, {"devices": ["CAM-1"]})
        assert current_registry(connection).zone_of("CAM-1") == "smelter"


def test_the_registry_is_the_site_as_applied(database: Database) -> None:
    with database.write() as connection:
        assert load_registry(connection).version == newest_revision(connection)[0] == 0
        apply_site(connection, SITE, by="admin", now=1)
        registry = load_registry(connection)
    assert registry.site == SITE
    assert (registry.enterprise_of("smelter"), registry.enterprise_of("nowhere"), registry.zone_of("?")) == ("alu", None, "unassigned")
