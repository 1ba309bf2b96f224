"""From a delivery file to receivers and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.deliver.alertmanager import Alertmanager
from engine.deliver.message import Templates, Writer
from engine.deliver.pace import Pace
from engine.deliver.people import People
from engine.deliver.routes import Route, Routes, parse_test
from engine.deliver.spec import EVERYTHING, FOR_PEOPLE, AlertmanagerSpec, AppriseSpec, WebhookSpec
from engine.deliver.template import BODY, TITLE
from engine.deliver.webhook import Webhook
from engine.deliver.worker import Receivers
from engine.notify.happenings import happening_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.deliver.file import DeliveryFile
    from engine.deliver.receiver import Receiver
    from engine.deliver.rule_sets import KnownRuleSets
    from engine.deliver.spec import AnyReceiverSpec, TemplateSpec
    from engine.model.time import Micros
    from engine.notify.notification import Notification


def routes_of(file: DeliveryFile) -> Routes:
    """The routes of a sound file."""
    told = {spec.id: frozenset(spec.on or _by_default(spec)) for spec in file.receivers}
    return Routes(
        tuple(
            Route(spec.id, tuple(map(parse_test, spec.match)), tuple(spec.receivers), spec.go_on)
            for spec in file.routes
        ),
        tuple(file.delivery.default),
        lambda name, notification: what_is_told(notification) in told[name],
    )


def what_is_told(notification: Notification) -> str:
    """What stands in `on:` for it: the happening of a transition, else the kind."""
    if notification.kind == "trigger" and notification.trigger is not None:
        return happening_of(notification.trigger)
    return notification.kind


def _by_default(spec: AnyReceiverSpec) -> tuple[str, ...]:
    return FOR_PEOPLE if isinstance(spec, AppriseSpec) else EVERYTHING


def pace_of(file: DeliveryFile) -> Pace:
    """How often attempts are made again."""
    retry = file.delivery.retry
    return Pace(first=retry.first, longest=retry.longest, give_up_after=retry.give_up_after)


def receivers_of(file: DeliveryFile, clock: Callable[[], Micros]) -> Receivers:
    """Whom there is to tell, and who is told what. ConfigError where a package is missing."""

    def make(rule_sets: KnownRuleSets, key: bytes) -> list[Receiver]:
        def name_of(owner: str, rule_set: str | None) -> str:
            found = rule_sets.owner(owner, rule_set)
            return owner if found is None else f"{found.name} ({owner})"

        writer = Writer(key, name_of, _templates(file.delivery.template, Templates()))
        return [_receiver(spec, writer, rule_sets, clock) for spec in file.receivers]

    return Receivers(make, routes_of(file))


def _receiver(spec: AnyReceiverSpec, writer: Writer, rule_sets: KnownRuleSets, clock: Callable[[], Micros]) -> Receiver:
    match spec:
        case AlertmanagerSpec():
            return Alertmanager(spec, writer, clock)
        case WebhookSpec():
            return Webhook(spec, clock)
        case AppriseSpec():
            own = writer._replace(templates=_templates(spec.template, writer.templates))
            return People(spec, own, rule_sets)


def _templates(spec: TemplateSpec, otherwise: Templates) -> Templates:
    return Templates(spec.title or otherwise.title or TITLE, spec.body or otherwise.body or BODY)
