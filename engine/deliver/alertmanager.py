"""Alertmanager: told of each transition at once, and of everything that is on again and again, as Prometheus does it.

So it holds as active just the reviews that are open and were told, also after it has lost its state, and forgets them
by itself when this worker is gone for long.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from engine.deliver.alerts import Alert, alert_of, is_over, posted
from engine.deliver.http import Poster
from engine.deliver.receiver import Delivered
from engine.model.time import SECOND
from engine.notify.happenings import ENDINGS, happening_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.deliver.message import Writer
    from engine.deliver.receiver import Result
    from engine.deliver.spec import AlertmanagerSpec
    from engine.model.time import Micros
    from engine.notify.notification import Notification

_log = structlog.get_logger(__name__)

LASTING: Final = 4
"""An alert ends by itself so many times `resend` after it was last sent."""
RESOLVED_AGAIN: Final = 5
"""One that is over is sent again for so many times `resend`: an earlier word of it may still be on its way."""
AT_ONCE: Final = 200
_PATH = "/api/v2/alerts"


class Alertmanager:
    """A receiver of type `alertmanager`. `clock` is the time of day."""

    def __init__(self, spec: AlertmanagerSpec, writer: Writer, clock: Callable[[], Micros]) -> None:
        self.name = spec.id
        self.at_once = 8
        self._spec = spec
        self._writer = writer
        self._clock = clock
        self._alerts: dict[str, Alert] = {}
        self._poster = Poster(spec.url.rstrip("/") + _PATH, spec.headers, spec.timeout)
        # Whatever is sent of a review is sent in order: a word from before must not come after its end.
        self._in_turn = asyncio.Lock()

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """See `Receiver`."""
        self._alerts = {review: msgspec.json.decode(value, type=Alert) for review, value in kept.items()}

    async def send(self, notification: Notification, *, redelivered: bool) -> Result:
        """See `Receiver`. What is no transition of a review (a digest) is nothing to Alertmanager."""
        del redelivered  # the same alert again changes nothing there
        trigger = notification.trigger
        if trigger is None:
            return Delivered()
        review = trigger.data.review
        async with self._in_turn:
            ended = self._clock() if is_over(trigger, self._spec.until) else None
            before = self._alerts.get(review)
            if before is None and notification.kind == "trigger" and happening_of(trigger) in ENDINGS:
                return Delivered()  # what ends passes a silence, also where its opening was never told
            if ended is not None and before is not None and before.ended is not None:
                ended = before.ended
            alert = alert_of(notification, trigger, before, self._writer, ended)
            result = await self._post([alert])
            if isinstance(result, Delivered):
                self._alerts[review] = alert
                return Delivered({review: msgspec.json.encode(alert), **self._forget()})
            return result

    def _forget(self) -> dict[str, None]:
        """Let go of what has been over for long."""
        limit = self._clock() - RESOLVED_AGAIN * self._spec.resend
        gone = [review for review, alert in self._alerts.items() if alert.ended is not None and alert.ended < limit]
        for review in gone:
            del self._alerts[review]
        return dict.fromkeys(gone)

    async def run(self) -> None:
        """Send all of it again, every `resend`; the first time at once: nobody knows how long this worker was away."""
        while True:
            failed = await self._send_all()
            if failed is not None:
                _log.warning("alerts could not be sent again", receiver=self.name, why=failed)
            await asyncio.sleep(self._spec.resend / SECOND)

    async def _send_all(self) -> str | None:
        reviews = list(self._alerts)
        for first in range(0, len(reviews), AT_ONCE):
            async with self._in_turn:
                present = [
                    self._alerts[review] for review in reviews[first : first + AT_ONCE] if review in self._alerts
                ]
                result = await self._post(present)
            if not isinstance(result, Delivered):
                return result.why
        return None

    async def _post(self, alerts: Sequence[Alert]) -> Result:
        if not alerts:
            return Delivered()
        now, lasting = self._clock(), LASTING * self._spec.resend
        body = msgspec.json.encode([posted(alert, now, lasting) for alert in alerts])
        return await self._poster.post(body, {"content-type": "application/json"})

    async def close(self) -> None:
        """See `Receiver`."""
        await self._poster.close()
