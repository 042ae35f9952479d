"""The districts of a site file: of the site, of zones, and ``agreements: [{districts: [A, B]}]``, every mistake named by its line.

What must not go in: who sees what of it (``hazards/scope.py``).
"""

from bihuan.yaml_lines import Fields, Problems
from hazards.districts import HINT, is_district, lies_within
from hazards.zones import Agreement


def site_district(head: Fields, problems: Problems) -> str:
    """The site's district; one that is no code is a warning, for it also names the bucket of the time series."""
    district = head.text("district")
    if district and not is_district(district):
        problems.warn(
            head.at("district"), head.place("district"), f"{district[:40]!r} is no district",
            f"who is bound to one sees no zone that has none of its own; {HINT}",
        )  # fmt: skip
    return district


def zone_district(fields: Fields, site: str, problems: Problems) -> str:
    """A zone's own district, or empty: the site's."""
    district = fields.text("district")
    if not district:
        return ""
    node, place = fields.at("district"), fields.place("district")
    if not is_district(district):
        problems.error(node, place, f"{district[:40]!r} is no district", HINT)
        return ""
    if is_district(site) and not lies_within(district, site):
        problems.warn(node, place, f"{district} lies outside of the site's district {site}")
    return district


def read_agreements(top: Fields, problems: Problems) -> list[Agreement]:
    """The agreements between neighbours (联防联控)."""
    found = []
    for n, node in enumerate(top.items("agreements")):
        fields = top.document.fields(node, f"agreements[{n}]", problems)
        if fields is None:
            continue
        districts = fields.texts("districts")
        if why := _unsound(districts):
            problems.error(fields.at("districts"), fields.place("districts"), why, HINT)
        found.append(Agreement(districts))
        for key, extra in fields.rest().items():
            problems.warn(extra, fields.place(key), "is not known here and is ignored")
    return found


def _unsound(districts: list[str]) -> str:
    """What is wrong with them, or ""."""
    for district in districts:
        if not is_district(district):
            return f"{district[:40]!r} is no district"
    if len(districts) < 2:
        return "an agreement is between two districts or more"
    for n, district in enumerate(districts):
        for other in districts[:n] + districts[n + 1 :]:
            if lies_within(district, other):
                return f"{district} lies within {other}, which sees it without an agreement"
    return ""
