from __future__ import annotations

from stage2_world import finding, share, signal, standard, tick_time

from engine.correlate.barrier import Barriers
from engine.model.records import Progress

RULES = standard()


def report(barriers: Barriers, partition: int, number: int):
    return [
        (barrier.number, barrier.records) for barrier in barriers.report(Progress(partition, number, tick_time(number)))
    ]


def test_a_barrier_waits_for_every_partition_and_numbers_that_were_skipped_are_passed():
    barriers = Barriers(2)
    assert report(barriers, 0, 1) == []
    assert report(barriers, 0, 2) == []
    assert report(barriers, 0, 5) == []
    assert report(barriers, 1, 4) == [(1, []), (2, []), (4, [])]
    assert report(barriers, 1, 9) == [(5, [])]
    assert report(barriers, 0, 9) == [(9, [])]


def test_a_repeat_or_a_step_back_of_progress_does_nothing():
    barriers = Barriers(1)
    assert report(barriers, 0, 3) == [(3, [])]
    assert report(barriers, 0, 3) == []
    assert report(barriers, 0, 2) == []


def test_records_belong_to_the_first_barrier_that_their_partition_reports_after_them():
    barriers = Barriers(2)
    early, late, other = share("traffic", 1, 1.0), share("traffic", 2, 1.0), share("tickets", 1, 1.0)
    barriers.hold(0, early)
    report(barriers, 0, 1)
    barriers.hold(0, late)
    barriers.hold(1, other)
    assert report(barriers, 1, 3) == [(1, [other, early])]
    assert report(barriers, 0, 3) == [(3, [late])]
    assert barriers.waiting == []


def test_a_partition_that_was_away_puts_what_it_has_into_the_first_barrier_it_completes():
    barriers = Barriers(2)
    report(barriers, 0, 1)
    report(barriers, 1, 1)
    report(barriers, 0, 2)
    report(barriers, 0, 3)
    record = share("traffic", 1, 1.0)
    barriers.hold(1, record)
    assert report(barriers, 1, 3) == [(2, [record]), (3, [])]


def test_a_record_that_is_not_beyond_the_last_position_of_its_partition_is_a_repeat():
    barriers = Barriers(2)
    assert barriers.accept((1, 0, 7, 1))
    assert not barriers.accept((1, 0, 7, 1))
    assert not barriers.accept((1, 0, 7, 0))
    assert not barriers.accept((1, 0, 6, 9))
    assert barriers.accept((1, 1, 3, 0))
    assert barriers.accept((1, 0, 8, 0))
    assert barriers.accept((2, 0, 1, 0))


def test_order_is_by_event_time_and_name_but_one_series_never_overtakes_itself():
    barriers = Barriers(1)
    first = signal("high", "firing", 9, series="x")
    then = signal("high", "inactive", 4, series="x")
    between = signal("low", "firing", 6, series="y")
    silent = finding("firing", 5, rules=RULES, name="quiet")
    for record in (first, then, between, silent):
        barriers.hold(0, record)
    assert report(barriers, 0, 1)[0][1] == [silent, between, first, then]
