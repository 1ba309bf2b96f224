"""People, through apprise: chat, mail, pagers. Each URL is told on its own, and once it was is not told again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.deliver.apprise_url import open_url
from engine.deliver.receiver import Delivered, Failed, Refused
from engine.model.time import SECOND
from engine.notify.happenings import happening_of, has_ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from apprise import NotifyBase

    from engine.deliver.message import Message, Writer
    from engine.deliver.receiver import Result
    from engine.deliver.rule_sets import KnownRuleSets
    from engine.deliver.spec import AppriseSpec
    from engine.notify.notification import Notification

REMEMBERED_MAX = 1_000
_TYPES = {"critical": "failure", "warning": "warning", "info": "info"}


class People:
    """A receiver of type `apprise`; with `owners` also the contacts of those concerned, where apprise knows them."""

    def __init__(self, spec: AppriseSpec, writer: Writer, rule_sets: KnownRuleSets) -> None:
        self.name = spec.id
        self.at_once = 4
        self._spec = spec
        self._writer = writer
        self._rule_sets = rule_sets
        self._opened: dict[str, NotifyBase | None] = {}
        self._told: dict[str, set[str]] = {}

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """It keeps nothing."""

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        """See `Receiver`. apprise says only whether it went well: what did not is tried again until it is given up."""
        urls = list(self._urls(notification))
        if not urls:
            return Refused("nobody to tell: no urls, and no owner with a contact that apprise knows")
        told = self._told.setdefault(notification.id, set())
        message = self._writer.write(notification, redelivered=redelivered)
        failed = []
        for url in urls:
            if url in told:
                continue
            service = self._open(url)
            if service is None:
                continue
            if await asyncio.to_thread(_notify, service, message, _type(notification)):
                told.add(url)
            else:
                failed.append(str(service.service_name))
        if failed:
            while len(self._told) > REMEMBERED_MAX:
                del self._told[next(iter(self._told))]
            return Failed(f"not taken by {', '.join(failed)}")
        self._told.pop(notification.id, None)
        return Delivered()

    def _urls(self, notification: Notification) -> Iterable[str]:
        yield from self._spec.urls
        if self._spec.owners:
            trigger = notification.trigger
            for name in notification.to:
                owner = self._rule_sets.owner(name, None if trigger is None else trigger.data.rule_set)
                contact = None if owner is None else owner.contact
                if contact is not None and "://" in contact and self._open(contact) is not None:
                    yield contact

    def _open(self, url: str) -> NotifyBase | None:
        if url not in self._opened:
            service = self._opened[url] = open_url(url)
            if service is not None:
                # Its own way to let go of who does not answer: a thread cannot be cancelled.
                service.socket_connect_timeout = service.socket_read_timeout = self._spec.timeout / SECOND
        return self._opened[url]

    async def run(self) -> None:
        """It does nothing beside."""

    async def close(self) -> None:
        """There is no connection to let go of."""


def _notify(service: NotifyBase, message: Message, kind: str) -> bool:
    return bool(service.notify(body=message.body, title=message.title, notify_type=kind, body_format="text"))


def _type(notification: Notification) -> str:
    trigger = notification.trigger
    if trigger is None:
        return "info"
    if has_ended(trigger) or happening_of(trigger) == "alert_ended":
        return "success"
    return _TYPES[trigger.data.severity]
