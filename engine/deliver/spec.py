"""The shape of a delivery file: what may stand after `kind: delivery`, `receiver` and `route`."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from engine.model.time import HOUR, MINUTE, SECOND
from engine.model.trigger import Happening
from engine.notify.notification import Kind
from engine.rules.spec.scalars import Id, Span, Spec, Text

Told = Literal[Happening, "released", "digest", "silence_over"]
"""What a receiver can be told of: each transition of a review, and what the gate says beside."""

EVERYTHING: Final[tuple[str, ...]] = (*get_args(Happening), *(kind for kind in get_args(Kind) if kind != "trigger"))
FOR_PEOPLE: Final = tuple(name for name in EVERYTHING if name not in {"updated", "commented"})
SECRETS: Final = frozenset({"hash_key", "url", "urls", "secrets", "headers"})
"""Fields whose values are never shown."""


class RetrySpec(Spec):
    """How often a failed attempt is made again."""

    first: Span = Field(default=SECOND, examples=["1s"])
    longest: Span = Field(default=2 * MINUTE, examples=["2m"])
    give_up_after: Span = Field(default=HOUR, examples=["1h"])


class TemplateSpec(Spec):
    """Texts with `$name` where something is put in."""

    title: Text | None = None
    body: Text | None = None


class DeliverySpec(Spec):
    """What holds for all receivers; at most one of it."""

    kind: Literal["delivery"]
    default: list[Id] = Field(default_factory=list, description="Receivers of what no route takes")
    retry: RetrySpec = Field(default_factory=RetrySpec)
    template: TemplateSpec = Field(default_factory=TemplateSpec)
    hash_key: Text | None = Field(default=None, description="Hides sensitive values; else the engine makes one")


class ReceiverSpec(Spec):
    """What all receivers have."""

    kind: Literal["receiver"]
    id: Id = Field(description="What routes refer to", examples=["ops-chat"])
    on: list[Told] | None = Field(default=None, min_length=1, examples=["[opened, overdue, resolved]"])
    timeout: Span = Field(default=10 * SECOND, examples=["10s"])


class AlertmanagerSpec(ReceiverSpec):
    """An Alertmanager, by its v2 API."""

    type: Literal["alertmanager"]
    url: Text = Field(description="Where it is", examples=["http://alertmanager:9093"])
    resend: Span = MINUTE
    until: Literal["review", "alert"] = "review"
    headers: dict[str, str] = Field(default_factory=dict)


class WebhookSpec(ReceiverSpec):
    """An address that takes the events themselves, signed as Standard Webhooks says."""

    type: Literal["webhook"]
    url: Text = Field(description="Where events are posted", examples=["https://example.com/hooks/reviews"])
    secrets: list[Text] = Field(
        min_length=1, description="Keys to sign with; several while they are changed", examples=['["${HOOK_SECRET}"]']
    )
    headers: dict[str, str] = Field(default_factory=dict)


class AppriseSpec(ReceiverSpec):
    """Chat, mail and pagers, by the URLs of apprise."""

    type: Literal["apprise"]
    urls: list[Text] = Field(default_factory=list, description="Whom to tell", examples=['["${CHAT_URL}"]'])
    owners: bool = Field(default=False, description="Also the owners concerned, where their contact is such a URL")
    template: TemplateSpec = Field(default_factory=TemplateSpec)


class RouteSpec(Spec):
    """Where what matches goes. Routes are tried in the order in which they are written."""

    kind: Literal["route"]
    id: Id = Field(examples=["critical"])
    match: list[Text] = Field(default_factory=list, description="All must hold", examples=["[severity=critical]"])
    receivers: list[Id] = Field(description="Who is told", examples=["[ops-chat]"])
    go_on: Annotated[bool, Field(alias="continue")] = False


AnyReceiverSpec = AlertmanagerSpec | WebhookSpec | AppriseSpec

KINDS: Final[dict[str, type[Spec]]] = {"delivery": DeliverySpec, "receiver": ReceiverSpec, "route": RouteSpec}
TYPES: Final[dict[str, type[AnyReceiverSpec]]] = {
    "alertmanager": AlertmanagerSpec,
    "webhook": WebhookSpec,
    "apprise": AppriseSpec,
}
"""What may stand after `type:` of a receiver."""
