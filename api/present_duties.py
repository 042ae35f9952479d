"""Periodic duties (履职) from the domain to the bodies of answers, feed events and pushes. What must not go in: SQL, HTTP, deciding."""

from api import duty_models as models
from api.models import Text
from api.present import Presenter
from api.present_hazards import HazardPresenter
from api.principals import Principal
from api.roles import Role
from hazards.ledger.duties import Duty, duty_points
from hazards.ledger.policy import Policy, basis_of
from hazards.messages import DutyMessage


class DutyPresenter:
    """Turns duties into bodies, by one registry snapshot and the pack in force."""

    def __init__(self, presenter: Presenter, policy: Policy) -> None:
        self.presenter, self.policy = presenter, policy

    def duty(self, duty: Duty, asking: Principal) -> models.Duty:
        """One duty for who asks."""
        presenter, now = self.presenter, self.presenter.now
        rule, standing = self.policy.duty(duty.name), duty.standing(now)
        points = duty_points(duty, rule, presenter.zone) if rule is not None else ()
        ruling = HazardPresenter(presenter, self.policy).ruling(basis_of(self.policy.rule(rule.rule))) if rule is not None else None
        return models.Duty(
            id=duty.id, duty=duty.name, name=self._name(duty.name), post=duty.post, post_name=self._post(duty.post), body=duty.body,
            period=duty.period, due_at=presenter.time(duty.due_at), standing=standing,
            standing_name=presenter.text(f"duty.standing.{standing}"), done_at=presenter.time_or_none(duty.done_at), done_by=duty.done_by,
            note=duty.note, ruling=ruling, may_finish=duty.done_at is None and self.holds(asking, duty),
            points=[
                models.DutyPoint(at=presenter.time(p.at), point=p.name, tells=list(p.tells),
                                 tells_names=[self._post(post) for post in p.tells], passed=p.at <= now)
                for p in points
            ],
        )  # fmt: skip

    def notice(self, message: DutyMessage) -> models.DutyNotice:
        """What the feed and a push show of a point that has passed."""
        ruling = HazardPresenter(self.presenter, self.policy).ruling(message.basis)
        return models.DutyNotice(
            id=message.id, duty=message.name, name=self._name(message.name), post=message.post, post_name=self._post(message.post),
            body=message.body, period=message.period, due_at=self.presenter.time(message.due_at), event=message.event,
            event_name=self.presenter.text(f"duty.event.{message.event}"), point=message.point,
            told_at=self.presenter.time(message.told_at), tells=message.tells,
            roles=sorted(self.policy.roles_of(tuple(message.tells))), ruling=ruling,
        )  # fmt: skip

    def holds(self, asking: Principal, duty: Duty) -> bool:
        """Whether the role of who asks holds the post of ``duty``."""
        return asking.role is Role.ADMINISTRATOR or asking.role.value in self.policy.roles_of((duty.post,))

    def _name(self, name: str) -> Text:
        rule = self.policy.duty(name)
        return Text(zh=rule.zh, en=rule.en) if rule else Text(zh=name, en=name)

    def _post(self, name: str) -> Text:
        post = self.policy.post(name)
        return Text(zh=post.zh, en=post.en) if post else Text(zh=name, en=name)
