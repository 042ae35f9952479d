"""Policy packs for the command line: applied, listed, shown for reading; on a running, stopped or never started system.

What must not go in: SQL (``storage.policies``), reading files (``bihuan/policy_file.py``), printing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bihuan.accounts import ledger
from bihuan.configuration import Settings
from bihuan.preparation import ensure_packs, now_us
from hazards.errors import NotFound
from hazards.ledger.policy import Limit, Policy, Rule
from storage.policies import apply_policy, every_policy, versions
from storage.site_store import current_registry


def apply_pack(settings: Settings, file: Path) -> list[str]:
    """Apply a policy pack; lines that say what changed. Raises InvalidFile, Conflict for a version with other contents."""
    from bihuan.policy_file import read_policy

    found = read_policy(file)
    pack = found.policy
    with ledger(settings) as database:
        ensure_packs(database)
        with database.write() as connection:
            changed = apply_policy(connection, pack, by="command line", role="administrator", now=now_us())
            in_force = current_registry(connection).policy
    lines = [f"warning: {file}: {w}" for w in found.warnings]
    if in_force is not None and in_force.id != pack.id:
        lines.append(f"the site is under the pack {in_force.id}: this one holds when the site file says `policy: {pack.id}`")
    return [*lines, f"policy {pack.id}: version {pack.version}{'' if changed else ', already there'}"]


def version_lines(settings: Settings) -> list[str]:
    """Every version that was applied, newest first; the one in force is marked."""
    with ledger(settings) as database:
        ensure_packs(database)
        with database.read() as connection:
            found, in_force = versions(connection), current_registry(connection).policy
    here = in_force.version if in_force is not None else None
    return [f"{'*' if v.version == here else ' '} {v.version}  {v.id}  {v.zh} {v.en}  {v.digest[:12]}  by {v.applied_by}" for v in found]


def pack_lines(settings: Settings, name: str) -> list[str]:
    """What a pack says: of that version, or the newest of that id. Raises NotFound."""
    with ledger(settings) as database:
        ensure_packs(database)
        with database.read() as connection:
            packs, newest_first = every_policy(connection), versions(connection)
    version = next((v.version for v in newest_first if name in (v.version, v.id)), None)
    if version is None:
        raise NotFound(f"no pack {name!r} was ever applied", hint="`bihuan policy show` lists them")
    return list(_said(packs[version]))


def _said(pack: Policy) -> Iterator[str]:
    yield f"{pack.version}  {pack.zh} {pack.en}"
    yield from _section("documents", {d.id: f"{d.standing.value}  {d.zh}" for d in pack.documents})
    yield from _section("grades", {f"{g.name} {g.zh}": _limit(pack, g.limit) for g in pack.grades})
    yield from _section("clocks", {f"{c.clock} {c.zh}": _limit(pack, c.limit) for c in pack.clocks if c.limit is not None})
    extension = pack.extension
    signers = " + ".join(p.zh for name in extension.posts if (p := pack.post(name)) is not None)
    said = f"{signers}, at most {extension.most_days} days, {extension.most_times} times" if extension.posts else "none"
    yield from _section("extension", {"signed by": f"{said}  {_basis(pack.rule(extension.rule))}"})
    yield from _section("rules", {rule.id: f"{_basis(rule)}  {rule.zh}" for rule in pack.rules.values()})


def _section(title: str, lines: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {name}: {line}" for name, line in lines.items())


def _limit(pack: Policy, limit: Limit) -> str:
    return f"{limit.amount} {limit.counting.value.replace('_', ' ')}  {_basis(pack.rule(limit.rule))}"


def _basis(rule: Rule) -> str:
    places = ", ".join(f"{s.document}({s.clause})" for s in rule.sources)
    return f"[{rule.authority.value}{' ' if places else ''}{places}]"
