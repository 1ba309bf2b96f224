"""What is parked: listed, and tried again when somebody asks for it; on the in-memory log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deliver_world import Got, life, make_worker, memory_log, output, review_id, run_until, trigger, undelivered, until

from engine.deliver.parked import ask_again, find_parked
from engine.deliver.receiver import Delivered, Refused
from engine.notify.matchers import parse_matcher

if TYPE_CHECKING:
    from engine.deliver.worker import DeliveryWorker


def test_what_is_parked_is_listed_by_selector():
    log, mail, hook = memory_log(), Got("mail"), Got("hook")
    mail.answer = hook.answer = lambda _: Refused("410 Gone")
    log.append_now([output(trigger(1, 1, "opened")), output(trigger(2, 1, "opened", severity="warning"))])
    worker = make_worker(log, [mail, hook])
    asyncio.run(run_until(worker, lambda: undelivered(log) == 2 and _parked(worker) == 4))
    found = asyncio.run(find_parked(log))
    assert {(each.receiver, each.notification.id, each.attempt.error) for each in found} == {
        (name, f"{review_id(number)}-1", "410 Gone") for name in ("mail", "hook") for number in (1, 2)
    }
    selected = asyncio.run(find_parked(log, [parse_matcher("receiver=mail"), parse_matcher("severity=warning")]))
    assert [each.notification.id for each in selected] == [f"{review_id(2)}-1"]


def test_what_is_asked_for_again_is_told_once_more_and_gone_from_the_list():
    log, mail, hook = memory_log(), Got("mail"), Got("hook")
    mail.answer = lambda _: Refused("410 Gone")
    log.append_now([output(each) for each in life(1, "opened", "acknowledged")])

    async def play() -> None:
        worker = make_worker(log, [mail, hook])
        running = asyncio.create_task(worker.run())
        await until(lambda: _parked(worker) == 2, running)
        mail.answer = lambda _: Delivered()
        await ask_again(log, await find_parked(log), "kim", "2026-01-31T10:00:00Z")
        await until(lambda: len(mail.got) == 2, running)
        worker.stop()
        await running

    asyncio.run(play())
    assert mail.got == [(f"{review_id(1)}-1", True), (f"{review_id(1)}-2", True)]
    assert len(hook.got) == 2
    assert undelivered(log) == 0
    assert asyncio.run(find_parked(log)) == []


def test_a_request_waits_until_a_worker_runs():
    log, got = memory_log(), Got()
    got.answer = lambda _: Refused("410 Gone")
    log.append_now([output(trigger(1, 1, "opened"))])
    first = make_worker(log, [got])
    asyncio.run(run_until(first, lambda: _parked(first) == 1))
    asyncio.run(ask_again(log, asyncio.run(find_parked(log)), "kim", "2026-01-31T10:00:00Z"))
    got.answer = lambda _: Delivered()
    asyncio.run(run_until(make_worker(log, [got]), lambda: len(got.got) == 1))
    assert undelivered(log) == 0


def test_what_was_for_a_receiver_that_is_gone_is_listed():
    log, mail, hook = memory_log(), Got("mail"), Got("hook")
    log.append_now([output(trigger(1, 1, "opened"))])
    mail.answer = lambda _: Refused("410 Gone")
    first = make_worker(log, [mail, hook])
    asyncio.run(run_until(first, lambda: _parked(first) == 1 and len(hook.got) == 1))
    second = make_worker(log, [hook])
    asyncio.run(run_until(second, lambda: second.health.ready))
    [found] = asyncio.run(find_parked(log))
    assert found.receiver == "mail"


def _parked(worker: DeliveryWorker) -> float:
    counted = worker.metrics.registry.get_sample_value
    return sum(
        counted("counterpoint_deliveries_parked_total", {"receiver": name}) or 0 for name in ("mail", "hook", "memory")
    )
