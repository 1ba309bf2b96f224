"""The delivery worker on the in-memory log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from deliver_world import (
    QUICK,
    Got,
    in_order,
    life,
    make_worker,
    memory_log,
    output,
    review_id,
    run_until,
    trigger,
    undelivered,
    until,
)

from engine.deliver.journal import TakenOverError
from engine.deliver.receiver import Delivered, Failed, Refused
from engine.errors import ConfigError
from engine.model.time import SECOND
from engine.model.topics import TRIGGERS

if TYPE_CHECKING:
    from engine.notify.notification import Notification


def ids(*lives: list) -> list[str]:  # type: ignore[type-arg]
    return [each.id for made in lives for each in made]


def test_each_receiver_gets_each_transition_in_order_and_the_log_is_empty_afterwards():
    log, mail, hook = memory_log(), Got("mail"), Got("hook")
    lives = [life(number, "opened", "acknowledged", "overdue", "resolved") for number in range(20)]
    log.append_now([output(each) for made in lives for each in made])
    asyncio.run(run_until(make_worker(log, [mail, hook]), lambda: len(mail.got) == len(hook.got) == 80))
    for receiver in (mail, hook):
        assert sorted(receiver.ids) == sorted(ids(*lives))
        assert in_order(receiver.ids)
        assert not any(redelivered for _, redelivered in receiver.got)
    assert undelivered(log) == 0


def test_a_first_start_says_where_it_begins():
    log = memory_log()
    with pytest.raises(ConfigError, match="start_at"):
        asyncio.run(make_worker(log, [Got()], start_at=None).run())


def test_latest_begins_with_what_comes_next():
    log, got = memory_log(), Got()
    log.append_now([output(trigger(1, 1, "opened"))])

    async def play() -> None:
        worker = make_worker(log, [got], start_at="latest")
        running = asyncio.create_task(worker.run())
        await until(lambda: worker.health.ready, running)
        log.append_now([output(trigger(2, 1, "opened"))])
        await until(lambda: bool(got.got), running)
        worker.stop()
        await running

    asyncio.run(play())
    assert got.ids == [f"{review_id(2)}-1"]


def test_a_stop_in_order_leaves_nothing_to_be_repeated():
    log, got = memory_log(), Got()
    log.append_now([output(each) for each in life(1, "opened", "acknowledged")])
    asyncio.run(run_until(make_worker(log, [got]), lambda: len(got.got) == 2))
    log.append_now([output(trigger(1, 3, "resolved"))])
    asyncio.run(run_until(make_worker(log, [got], name="another", lease=3_600 * SECOND), lambda: len(got.got) == 3))
    assert [redelivered for _, redelivered in got.got] == [False] * 3


def test_a_receiver_that_fails_delays_neither_the_others_nor_other_reviews():
    log, slow, quick = memory_log(), Got("slow"), Got("quick")
    failing = True
    slow.answer = lambda each: Failed("down") if failing and each.labels["review"] == review_id(1) else Delivered()
    log.append_now([output(each) for number in (1, 2) for each in life(number, "opened", "acknowledged")])

    async def play() -> None:
        nonlocal failing
        worker = make_worker(log, [slow, quick])
        running = asyncio.create_task(worker.run())
        await until(lambda: len(quick.got) == 4 and len(slow.got) == 2, running)
        assert slow.ids == [f"{review_id(2)}-1", f"{review_id(2)}-2"]
        failing = False
        await until(lambda: len(slow.got) == 4, running)
        worker.stop()
        await running

    asyncio.run(play())
    assert slow.got[2:] == [(f"{review_id(1)}-1", True), (f"{review_id(1)}-2", False)]


def test_what_is_refused_is_parked_at_once_and_the_next_of_the_review_goes_on():
    log, got = memory_log(), Got()
    got.answer = lambda each: Refused("400 Bad Request") if each.id.endswith("-1") else Delivered()
    log.append_now([output(each) for each in life(1, "opened", "resolved")])
    asyncio.run(run_until(make_worker(log, [got]), lambda: len(got.got) == 1))
    assert got.ids == [f"{review_id(1)}-2"]
    assert undelivered(log) == 1


def test_what_fails_for_too_long_is_given_up():
    log, got = memory_log(), Got()
    got.answer = lambda each: Failed("503") if each.id.endswith("-1") else Delivered()
    log.append_now([output(each) for each in life(1, "opened", "resolved")])
    pace = QUICK._replace(give_up_after=SECOND // 50)
    asyncio.run(run_until(make_worker(log, [got], pace=pace), lambda: len(got.got) == 1))
    assert undelivered(log) == 1


def test_a_receiver_that_raises_parks_the_notification():
    log, got = memory_log(), Got()

    def answer(each: Notification) -> Delivered:
        if each.id.endswith("-1"):
            raise ZeroDivisionError
        return Delivered()

    got.answer = answer
    log.append_now([output(each) for each in life(1, "opened", "resolved")])
    asyncio.run(run_until(make_worker(log, [got]), lambda: len(got.got) == 1))
    assert undelivered(log) == 1


def test_a_record_that_is_no_trigger_is_passed_over_and_counted():
    log, got = memory_log(), Got()
    broken = output(trigger(1, 1, "opened"))
    log.append_now([broken._replace(record=broken.record._replace(value=b"{}")), output(trigger(1, 2, "resolved"))])
    worker = make_worker(log, [got])
    log.append_now([output(trigger(2, 1, "opened"))])
    asyncio.run(run_until(worker, lambda: len(got.got) == 1 or len(got.got) == 2))
    assert worker.metrics.registry.get_sample_value("counterpoint_triggers_unreadable_total") == 1


def test_offsets_are_committed_past_what_every_receiver_has_settled():
    log, slow, quick = memory_log(), Got("slow"), Got("quick")
    slow.answer = lambda _: Failed("down")
    log.append_now([output(trigger(1, 1, "opened"))])
    [partition] = [number for number in range(2) if log.records(TRIGGERS, number)]

    async def play() -> None:
        worker = make_worker(log, [slow, quick])
        running = asyncio.create_task(worker.run())
        await until(lambda: bool(quick.got) and (TRIGGERS, partition) in log.committed, running)
        assert log.committed[TRIGGERS, partition] == 0
        slow.answer = lambda _: Delivered()
        await until(lambda: log.committed[TRIGGERS, partition] == 1, running)
        worker.stop()
        await running

    asyncio.run(play())


def test_a_second_worker_waits_until_the_first_has_left():
    log, first, second = memory_log(), Got(), Got()

    async def play() -> None:
        one, two = make_worker(log, [first]), make_worker(log, [second], name="two", lease=3_600 * SECOND)
        running = asyncio.create_task(one.run())
        await until(lambda: one.health.ready, running)
        waiting = asyncio.create_task(two.run())
        log.append_now([output(trigger(1, 1, "opened"))])
        await until(lambda: bool(first.got), running)
        assert not two.health.ready
        one.stop()
        await running
        await until(lambda: two.health.ready, waiting)
        log.append_now([output(trigger(1, 2, "resolved"))])
        await until(lambda: bool(second.got), waiting)
        two.stop()
        await waiting

    asyncio.run(play())
    assert (len(first.got), len(second.got)) == (1, 1)


def test_one_that_was_taken_over_sends_nothing_more_and_ends():
    """As after a pause: it was silent for longer than its lease, and comes back."""
    log, first, second = memory_log(), Got(), Got()

    async def play() -> None:
        one, two = make_worker(log, [first]), make_worker(log, [second])
        running = asyncio.create_task(one.run())
        await until(lambda: one.health.ready, running)
        other = asyncio.create_task(two.run())
        await until(lambda: two.health.ready, other)
        with pytest.raises(ExceptionGroup) as raised:
            await running
        assert raised.group_contains(TakenOverError, match="has taken over")
        log.append_now([output(trigger(1, 1, "opened"))])
        await until(lambda: bool(second.got), other)
        two.stop()
        await other

    asyncio.run(play())
    assert first.got == []
