"""Each trigger at least once, in order per review, marked where it may come again; once where the handler keeps ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from review_topics import ReviewTopics, trigger

from engine.client import ReviewSubscriber, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.brokers.kafka import KafkaBroker
    from engine.client import Delivery

pytestmark = pytest.mark.kafka


@pytest.fixture
def topics(kafka: KafkaBroker, prefix: str) -> Iterator[ReviewTopics]:
    return ReviewTopics(kafka, prefix)


def subscriber(topics: ReviewTopics, **fields: Any) -> ReviewSubscriber:
    return ReviewSubscriber(topics.brokers, prefix=topics.prefix, group=topics.prefix, session_seconds=6, **fields)


def take(following: ReviewSubscriber, count: int, *, done: bool = True) -> list[Delivery]:
    """So many deliveries."""
    found: list[Delivery] = []
    for _ in range(60):
        for delivery in following.poll(0.5):
            found.append(delivery)
            if done:
                following.done(delivery)
        if len(found) >= count:
            break
    return found


def named(found: list[Delivery]) -> list[tuple[str, bool]]:
    return sorted((each.trigger.data.explanation, each.redelivered) for each in found)


def test_every_trigger_comes_once_and_in_order_and_what_is_done_never_again(topics: ReviewTopics):
    topics.tell(*(trigger(number, ordinal) for ordinal in (1, 2, 3) for number in range(20)))
    with subscriber(topics) as following:
        found = take(following, 60)
    assert len(found) == len({each.id for each in found}) == 60
    assert not any(each.redelivered for each in found)
    for number in range(20):
        of_one = [each.trigger.data for each in found if each.trigger.data.dimensions["origin"] == f"O{number}"]
        assert [data.ordinal for data in of_one] == [1, 2, 3]
    topics.tell(trigger(99))
    with subscriber(topics) as following:
        assert named(take(following, 1)) == [("Review 99.", False)]


def test_what_was_handed_out_and_not_done_comes_again_marked(topics: ReviewTopics):
    topics.tell(*(trigger(number) for number in range(4)))
    with subscriber(topics) as following:
        first = take(following, 4, done=False)
        following.done(first[0])
        again = take(following, 3)
    assert named(again) == sorted((each.trigger.data.explanation, True) for each in first[1:])


def test_after_a_death_only_what_may_have_been_handed_out_is_marked(topics: ReviewTopics):
    topics.tell(*(trigger(number) for number in range(6)))
    dead = subscriber(topics)
    assert len(take(dead, 6, done=False)) == 6
    dead._consumer.close(autocommit=False)  # noqa: SLF001 (it dies without a word to us)
    topics.tell(*(trigger(number) for number in range(6, 9)))
    with subscriber(topics) as following:
        found = named(take(following, 9))
    assert [name for name, redelivered in found if redelivered] == [f"Review {number}." for number in range(6)]
    assert [name for name, redelivered in found if not redelivered] == [f"Review {number}." for number in range(6, 9)]


def test_what_the_handler_knows_already_is_passed_over(topics: ReviewTopics):
    class Known:
        def seen(self, identifier: str) -> bool:
            return identifier == trigger(1).id

    topics.tell(trigger(1), trigger(2))
    with subscriber(topics, seen=Known()) as following:
        assert named(take(following, 1)) == [("Review 2.", False)]


def test_only_what_is_wanted_comes(topics: ReviewTopics):
    topics.tell(
        trigger(1),
        trigger(2, severity="critical"),
        trigger(3, severity="critical", historical=True),
        trigger(4, 2, "resolved", severity="critical"),
    )
    wanted = Wanted(happenings=frozenset({"opened"}), severities=frozenset({"critical"}))
    with subscriber(topics, wanted=wanted) as following:
        assert named(take(following, 1)) == [("Review 2.", False)]


def test_a_record_that_is_no_trigger_is_told_counted_and_passed_over(topics: ReviewTopics):
    topics.write("review-triggers", b"k", b"{}")
    topics.write("review-triggers", b"k", b"\xff")
    topics.tell(trigger(1))
    bad: list[bytes] = []
    with subscriber(topics, on_bad=lambda value, _: bad.append(value)) as following:
        assert named(take(following, 1)) == [("Review 1.", False)]
        take(following, 0)
    assert sorted(bad) == [b"{}", b"\xff"]


def test_a_group_shares_the_partitions_and_loses_nothing_when_a_member_goes(topics: ReviewTopics):
    topics.tell(*(trigger(number) for number in range(30)))
    with subscriber(topics) as one:
        found = take(one, 30)
        with subscriber(topics) as other:
            for _ in range(20):
                found += take(one, 0)
                found += take(other, 0)
                if other._consumer.assignment():  # noqa: SLF001 (what the group has made of it)
                    break
            topics.tell(*(trigger(number) for number in range(30, 60)))
            for _ in range(20):
                found += [*take(one, 0), *take(other, 0)]
        topics.tell(*(trigger(number) for number in range(60, 90)))
        found += take(one, 30)
    assert {each.trigger.data.explanation for each in found} == {f"Review {number}." for number in range(90)}
    times: dict[str, list[bool]] = {}
    for each in found:
        times.setdefault(each.id, []).append(each.redelivered)
    assert all(marks[0] is False and all(marks[1:]) for marks in times.values())


@pytest.mark.parametrize(
    ("fields", "wanted", "fits"),
    [
        ({}, Wanted(), True),
        ({"historical": True}, Wanted(), False),
        ({"historical": True}, Wanted(historical=True), True),
        ({}, Wanted(owners=frozenset({"ops"})), True),
        ({}, Wanted(owners=frozenset({"sales"})), False),
        ({}, Wanted(rules=frozenset({"late"}), objectives=frozenset({"growth"})), False),
        ({"objective": "growth"}, Wanted(objectives=frozenset({"growth"})), True),
        ({}, Wanted(kpis=frozenset({"delay"})), False),
        ({}, Wanted(dimensions={"origin": frozenset({"O7", "O8"})}), True),
        ({}, Wanted(dimensions={"origin": frozenset({"O8"})}), False),
        ({}, Wanted(dimensions={"carrier": frozenset({"UA"})}), False),
    ],
)
def test_what_is_wanted_must_fit_in_all_that_is_stated(fields: dict[str, Any], wanted: Wanted, *, fits: bool):
    assert wanted.fits(trigger(7, **fields)) == fits
