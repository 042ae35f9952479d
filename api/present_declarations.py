"""Declarations from the domain to the bodies of answers and feed events. What must not go in: SQL, HTTP, deciding."""

from api import declaration_models as models
from api.models import Text
from api.present import Presenter
from api.roles import DECLARING, Role
from hazards.declarations import Declaration, DeclarationMessage, Declared
from hazards.declaring import NEXT, Step, standing
from hazards.key_periods import PACK_PERIOD
from hazards.ledger.limits import HOUR
from hazards.messages import UNASSIGNED, WHOLE_SITE
from hazards.works import WORKS, Level, Work


class DeclarationPresenter:
    """Turns declarations into bodies, by one registry snapshot."""

    def __init__(self, presenter: Presenter) -> None:
        self.presenter = presenter

    def declaration(self, declaration: Declaration, role: Role) -> models.Declaration:
        """One declaration for who asks."""
        return models.Declaration(**dict(self.facts(declaration)), may_end=self.may_end(declaration, role))

    def facts(self, declaration: Declaration) -> models.DeclarationFacts:
        """One declaration for everybody who may see it."""
        presenter, text, time = self.presenter, self.presenter.text, self.presenter.time_or_none
        stands, work = standing(declaration, presenter.now), WORKS.get(declaration.work)
        return models.DeclarationFacts(
            id=declaration.id, kind=declaration.kind, kind_name=text(f"declaration.kind.{declaration.kind.value}"), zone=declaration.zone,
            zone_name=self._zone(declaration.zone), enterprise=declaration.enterprise,
            enterprise_name=presenter.enterprise_name(declaration.enterprise), standing=stands,
            standing_name=text(f"declaration.standing.{stands.value}"), starts_at=presenter.time(declaration.starts_at),
            ends_at=time(declaration.ends_at), planned_end=time(declaration.planned_end), devices=declaration.devices,
            alarms=declaration.alarms, alarm_names=[presenter.kind(alarm).name for alarm in declaration.alarms], work=declaration.work,
            work_name=_named(work), level=declaration.level, level_name=_named(work.level(declaration.level) if work else None),
            guardian=declaration.guardian, reason=self._reason(declaration), measure=declaration.measure,
            measure_name=self._measure(declaration.measure), hazard=_hazard_of(declaration), entered_by=declaration.entered_by,
            entered_at=time(declaration.entered_at or None), ended_at=time(declaration.ended_at), ended_by=declaration.ended_by,
            ended_why=declaration.ended_why, version=declaration.version, synthetic=declaration.synthetic,
        )  # fmt: skip

    def notice(self, message: DeclarationMessage) -> models.DeclarationNotice:
        """What the feed shows of a change."""
        return models.DeclarationNotice(
            id=message.id, event=message.event, event_name=self.presenter.text(f"declaration.event.{message.event}"),
            at=self.presenter.time(message.at), actor=message.actor, declaration=self.facts(message.declaration),
        )  # fmt: skip

    def may_end(self, declaration: Declaration, role: Role) -> bool:
        """Whether ``role`` may end it as it stands now."""
        derived = declaration.kind not in DECLARING or declaration.id.startswith(PACK_PERIOD)
        can = (standing(declaration, self.presenter.now), Step.END) in NEXT
        return can and not derived and role in DECLARING[declaration.kind].ends

    def _zone(self, zone: str) -> Text:
        if zone in (WHOLE_SITE, UNASSIGNED):
            return self.presenter.text("zone.whole_site" if zone == WHOLE_SITE else "zone.unassigned")
        known = self.presenter.registry.zone(zone)
        return _same(known.name if known else zone)

    def _reason(self, declaration: Declaration) -> Text:
        policy, name = self.presenter.registry.policy, declaration.id.removeprefix(PACK_PERIOD)
        if policy is not None and declaration.id.startswith(PACK_PERIOD):
            return next((Text(zh=p.zh, en=p.en) for p in policy.key_periods if p.name == name), _same(declaration.reason))
        return _same(declaration.reason)

    def _measure(self, name: str) -> Text | None:
        policy = self.presenter.registry.policy
        known = policy.measure(name) if policy is not None else None
        return Text(zh=known.zh, en=known.en) if known else (_same(name) if name else None)


def works() -> models.WorkList:
    """Every kind of work, as a form offers it."""
    return models.WorkList(items=[
        models.Work(
            work=work.name, name=Text(zh=work.chinese, en=work.english), longest_hours=work.longest // HOUR, basis=work.basis,
            explains=sorted(work.explains),
            levels=[
                models.WorkLevel(level=level.name, name=Text(zh=level.chinese, en=level.english), longest_hours=level.longest // HOUR)
                for level in work.levels
            ],
        )
        for work in WORKS.values()
    ])  # fmt: skip


def _named(row: Work | Level | None) -> Text | None:
    return None if row is None else Text(zh=row.chinese, en=row.english)


def _same(name: str) -> Text:
    return Text(zh=name, en=name)


def _hazard_of(declaration: Declaration) -> str | None:
    if declaration.kind not in (Declared.STOP_ORDER, Declared.MEASURE):
        return None
    return declaration.id.removeprefix("hazard:").partition(":measure:")[0]
