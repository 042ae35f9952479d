"""Alarm rules for people: the list, one with its history, changing, withdrawing and restoring it, trying one. What must not go in: SQL."""

import asyncio
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter
from sqlalchemy import Connection

from api import rule_models as models
from api.gate import GuardedRoute
from api.present_rules import RulePresenter
from api.principals import Principal
from api.problems import RuledNotPermitted, responses
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp, page_by_id
from api.rule_requests import asked_rule, checked, with_changes
from api.services import Services
from hazards.errors import BadInput, NotFound
from hazards.ledger.policy import Authority
from hazards.rule_reach import holds_in, is_visible, may_be_changed
from hazards.rules import AlarmRule
from storage.alarm_rules import (
    Author,
    RuleChanged,
    RuleVersion,
    history,
    newest_version,
    newest_versions,
    put_rule,
    restore_rule,
    version_of,
    withdraw_rule,
)
from storage.hazard_facts import policy_of
from storage.site_store import Registry, current_registry

router = APIRouter(route_class=GuardedRoute, tags=["alarm rules"])


@router.get("/api/v1/alarm-rules", summary="Alarm rules")
async def get_rules(
    asking: Asking, services: With, metric: Filter = None, zone: Filter = None, source: Literal["pack", "site", "console"] | None = None,
    withdrawn: bool = False, cursor: Cursor = None, limit: Limit = 100,
) -> models.RulePage:  # fmt: skip
    """By id, as of their newest versions. ``zone``: those that are for it; ``withdrawn``: those that are not in force any more, instead.

    An enterprise sees those that are for a zone of its own."""
    registry = services.registry()
    place = registry.zone(zone) if zone is not None else None

    def fits(version: RuleVersion) -> bool:
        rule = version.rule
        at_place = zone is None or (place is not None and holds_in(rule, place) and asking.scope.sees(place.id, place.enterprise))
        wanted = metric in (None, rule.metric) and source in (None, version.source) and version.withdrawn is withdrawn
        return wanted and at_place and is_visible(rule, registry.zones.values(), asking.scope)

    known = await services.database.reading(newest_versions)
    found, following = page_by_id([v for v in known.values() if fits(v)], lambda v: v.rule.id, cursor=cursor, limit=limit)
    presenter = _presenter(services)
    return models.RulePage(items=[presenter.row(version, asking.scope) for version in found], metrics=presenter.metrics(), next=following)


@router.post("/api/v1/alarm-rules/check", summary="Try an alarm rule", responses=responses(422))
async def check_rule(asked: models.RuleAskedFor, asking: Asking, services: With) -> models.RuleCheck:
    """Nothing changes. What the rule would mean, and for which zones and sensors it would be; what is wrong is named by its field."""
    registry = services.registry()
    rule = checked(asked_rule(asked.rule), registry)
    return await asyncio.to_thread(_presenter(services).check, rule, asking.scope)


@router.get("/api/v1/alarm-rules/{id}", summary="One alarm rule")
async def get_rule(rule_id: Id, asking: Asking, services: With) -> models.Rule:
    """Its newest version, its meaning, where it holds, its response sheet; what the file says where the console says otherwise."""
    return await _shown(await services.database.reading(lambda c: _visible(c, rule_id, asking, services.registry())), asking, services)


@router.get("/api/v1/alarm-rules/{id}/versions", summary="Every version of an alarm rule")
async def get_rule_versions(
    rule_id: Id, asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 50
) -> models.RuleVersionPage:  # fmt: skip
    """Newest first: who changed it when and why. Each change is on the record of the ledger, chained, as ``rule:ID``."""
    below, most = _number(cursor), clamp(limit)

    def work(connection: Connection) -> list[RuleVersion]:
        _visible(connection, rule_id, asking, services.registry())
        return history(connection, rule_id, below=below, limit=most + 1)

    found = await services.database.reading(work)
    presenter = _presenter(services)
    following = str(found[most - 1].number) if len(found) > most else None
    return models.RuleVersionPage(items=[presenter.version(version, asking.scope) for version in found[:most]], next=following)


@router.put("/api/v1/alarm-rules/{id}", summary="Change an alarm rule", responses=responses(409))
async def put_alarm_rule(rule_id: Id, asked: models.RuleChange, asking: Asking, services: With) -> models.Rule:
    """A new version, in force within a second. ``version`` 0 makes a new rule. The same as the newest version changes nothing."""
    rule = asked_rule(asked.rule)
    if rule.id != rule_id:
        raise BadInput("the rule has another id than the path", where="/rule/id")

    def work(connection: Connection, registry: Registry, author: Author) -> RuleVersion:
        if known := history(connection, rule_id, limit=1):
            _visible(connection, rule_id, asking, registry)
            _may_change(known[0].rule, asking)
        _may_change(rule, asking)
        checked(rule, registry)
        return put_rule(connection, rule, version=asked.version, reason=asked.reason, author=author, files=registry.files)

    return await _changed(work, asking, services)


@router.post("/api/v1/alarm-rules/{id}/withdraw", summary="Take back what the console made of a rule", responses=responses(409))
async def withdraw_alarm_rule(rule_id: Id, asked: models.Withdrawal, asking: Asking, services: With) -> models.Rule:
    """The rule of the site file or pack holds again; one that no file has ends. It stays in the history."""

    def work(connection: Connection, registry: Registry, author: Author) -> RuleVersion:
        _may_change(_visible(connection, rule_id, asking, registry).rule, asking)
        return withdraw_rule(connection, rule_id, version=asked.version, reason=asked.reason, author=author, files=registry.files)

    return await _changed(work, asking, services)


@router.post("/api/v1/alarm-rules/{id}/restore", summary="Let an older version of a rule hold again", responses=responses(409))
async def restore_alarm_rule(rule_id: Id, asked: models.Restoration, asking: Asking, services: With) -> models.Rule:
    """As a version of its own; refused where it does not fit the site any more."""

    def work(connection: Connection, registry: Registry, author: Author) -> RuleVersion:
        _may_change(_visible(connection, rule_id, asking, registry).rule, asking)
        old = version_of(connection, rule_id, asked.number).rule
        _may_change(old, asking)
        checked(old, registry)
        return restore_rule(
            connection, rule_id, asked.number, version=asked.version, reason=asked.reason, author=author, files=registry.files
        )

    return await _changed(work, asking, services)


# --- shared ---
async def _changed(work: Callable[[Connection, Registry, Author], RuleVersion], asking: Principal, services: Services) -> models.Rule:
    author = Author(asking.id, asking.role.value, services.now())
    try:
        made = await services.database.writing(lambda c: work(c, current_registry(c), author))
    except RuleChanged as error:
        raise with_changes(error, services.presenter()) from None
    await services.reload_site()
    return await _shown(made, asking, services)


def _visible(connection: Connection, rule_id: str, asking: Principal, registry: Registry) -> RuleVersion:
    """The newest version. Raises NotFound, also for a rule of zones that the caller does not see."""
    found = newest_version(connection, rule_id)
    if not is_visible(found.rule, registry.zones.values(), asking.scope):
        raise NotFound("no such alarm rule", where=rule_id)
    return found


def _may_change(rule: AlarmRule, asking: Principal) -> None:
    if not may_be_changed(rule, asking.scope):
        what = "a rule that is for zones outside of the district is changed by who answers for all of them"
        basis = Authority.PLATFORM_DEFAULT.value
        raise RuledNotPermitted(what, rule="alarm_rule_scope", basis=basis, hint="name the district's own zones, in a rule of their own")


async def _shown(version: RuleVersion, asking: Principal, services: Services) -> models.Rule:
    """On a thread: where it holds is looked up in every device."""
    said = services.registry().files.rules.get(version.rule.id)
    return await asyncio.to_thread(_presenter(services).rule, version, said, asking)


def _presenter(services: Services) -> RulePresenter:
    return RulePresenter(services.presenter(), policy_of(services.registry()))


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise BadInput("that is no cursor of this list", where="cursor")
    return int(cursor)
