"""A webhook: the event as it stands, signed as Standard Webhooks says; with several keys, by each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from engine.deliver.http import Poster
from engine.deliver.webhook_key import make_key
from engine.model.time import SECOND
from engine.model.trigger import SOURCE, SPEC_VERSION
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.deliver.receiver import Result
    from engine.deliver.spec import WebhookSpec
    from engine.model.time import Micros
    from engine.notify.notification import Notification

CONTENT_TYPE = "application/cloudevents+json"
KIND_HEADER = "counterpoint-kind"
REDELIVERED_HEADER = "counterpoint-redelivered"


class Webhook:
    """A receiver of type `webhook`. `clock` is the time of day."""

    def __init__(self, spec: WebhookSpec, clock: Callable[[], Micros], *, at_once: int = 8) -> None:
        self.name = spec.id
        self.at_once = at_once
        self._keys = [make_key(secret) for secret in spec.secrets]
        self._poster = Poster(spec.url, spec.headers, spec.timeout)
        self._clock = clock

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """It keeps nothing."""

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        """See `Receiver`."""
        body = event_of(notification)
        at = datetime.fromtimestamp(self._clock() // SECOND, UTC)
        headers = {
            "content-type": CONTENT_TYPE,
            "webhook-id": notification.id,
            "webhook-timestamp": str(self._clock() // SECOND),
            "webhook-signature": " ".join(key.sign(notification.id, at, body.decode()) for key in self._keys),
            KIND_HEADER: notification.kind,
        }
        if redelivered:
            headers[REDELIVERED_HEADER] = "true"
        return await self._poster.post(body, headers)

    async def run(self) -> None:
        """It does nothing beside."""

    async def close(self) -> None:
        """See `Receiver`."""
        await self._poster.close()


class _Told(msgspec.Struct, frozen=True):
    """The data of what has no trigger."""

    owner: str
    to: tuple[str, ...]
    sentence: str
    lines: tuple[str, ...]


class _Event(msgspec.Struct, frozen=True):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: _Told


def event_of(notification: Notification) -> bytes:
    """The CloudEvent: the trigger's own, as it stands in `review-triggers`; else one of a notification."""
    if notification.trigger is not None:
        return encode_record(notification.trigger)
    told = _Told(notification.owner, notification.to, notification.sentence, notification.lines)
    kind = f"counterpoint.notification.{notification.kind}.v1"
    event = _Event(
        SPEC_VERSION, notification.id, SOURCE, kind, notification.owner, notification.time, "application/json", told
    )
    return encode_record(event)
