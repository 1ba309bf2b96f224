"""A call to the broker that fails at the wrong moment loses nothing, and nothing comes twice without a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaTimeoutError
from review_topics import ReviewTopics, trigger

from engine.client import ReviewSubscriber
from engine.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.brokers.kafka import KafkaBroker
    from engine.client import Delivery

pytestmark = pytest.mark.kafka

REVIEWS, TRANSITIONS = 12, 3
ALL = {trigger(number, ordinal).id for number in range(REVIEWS) for ordinal in range(1, TRANSITIONS + 1)}


@pytest.fixture
def topics(kafka: KafkaBroker, prefix: str) -> ReviewTopics:
    made = ReviewTopics(kafka, prefix)
    for ordinal in range(1, TRANSITIONS + 1):
        made.tell(*(trigger(number, ordinal) for number in range(REVIEWS)))
    return made


class Failing:
    """A call to the broker whose `n`-th time fails, before it is made or after."""

    def __init__(self, call: Callable[..., Any], n: int, error: Exception, *, after: bool) -> None:
        self._call, self._left, self._error, self._after = call, n, error, after

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise self._error
        answer = self._call(*arguments, **options)
        if self._left == 0:
            raise self._error
        return answer


def follow(following: ReviewSubscriber, found: list[Delivery], *, polls: int = 60) -> None:
    for _ in range(polls):
        for delivery in following.poll(0.5):
            found.append(delivery)
            following.done(delivery)
        if {each.id for each in found} == ALL:
            return


def require_told(found: list[Delivery]) -> None:
    """All came; whatever came again was marked; each review in its order."""
    seen: set[str] = set()
    for delivery in found:
        assert delivery.redelivered or delivery.id not in seen
        seen.add(delivery.id)
    assert seen == ALL
    for number in range(REVIEWS):
        review = trigger(number).data.review
        first = dict.fromkeys(each.trigger.data.ordinal for each in found if each.trigger.data.review == review)
        assert [*first] == [1, 2, 3]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("name", "n", "error"),
    [
        *(("commit", n, error) for n in (1, 2, 3) for error in (CommitFailedError(), KafkaTimeoutError())),
        ("committed", 1, KafkaTimeoutError()),
    ],
)
def test_a_failed_call_loses_nothing(topics: ReviewTopics, name: str, n: int, error: Exception, *, after: bool):
    found: list[Delivery] = []
    with ReviewSubscriber(topics.brokers, prefix=topics.prefix, group=topics.prefix, session_seconds=6) as following:
        consumer = following._consumer  # noqa: SLF001 (the broker's answers are what fails)
        setattr(consumer, name, Failing(getattr(consumer, name), n, error, after=after))
        follow(following, found)
    require_told(found)


def test_what_the_broker_refuses_is_told(topics: ReviewTopics):
    with ReviewSubscriber(topics.brokers, prefix=topics.prefix, group=topics.prefix, session_seconds=6) as following:
        consumer = following._consumer  # noqa: SLF001 (the same)
        consumer.commit = Failing(consumer.commit, 1, GroupAuthorizationFailedError(), after=False)
        with pytest.raises(BrokerError, match="cannot be kept"):
            follow(following, [])
