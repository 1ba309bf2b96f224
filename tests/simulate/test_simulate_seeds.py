"""Worlds by the thousand: crashes, repeats, re-cut batches, rebalances and workers that return, against the oracle."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sim_stages import stages_subject
from sim_toy import toy_subject

from engine.simulate.run import simulate

BLOCK = 50
SEEDS = 2_000
SUBJECTS = {"stages": stages_subject, "toy": toy_subject}
by_the_reference = partial(stages_subject, decoder="reference")
FAILED_ONCE = [
    (subject, int(seed))
    for subject, seed in map(str.split, (Path(__file__).parent / "failed_seeds.txt").read_text().splitlines())
]


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_both_stages_say_what_the_oracle_says(first: int) -> None:
    for seed in range(first, first + BLOCK):
        simulate(seed, stages_subject)


@pytest.mark.parametrize("first", range(0, 200, BLOCK))
def test_worlds_are_the_same_to_the_byte_with_the_reference_decoder(first: int) -> None:
    for seed in range(first, first + BLOCK):
        scanned, referred = simulate(seed, stages_subject), simulate(seed, by_the_reference)
        assert scanned.events == referred.events
        for place in scanned.places:
            at = place.topic, place.partition
            assert scanned.memory.records(*at) == referred.memory.records(*at)


@pytest.mark.parametrize("first", range(0, 400, BLOCK))
def test_toy_stages_say_what_the_oracle_says(first: int) -> None:
    for seed in range(first, first + BLOCK):
        simulate(seed, toy_subject)


@pytest.mark.parametrize(("subject", "seed"), FAILED_ONCE)
def test_a_seed_that_failed_once_does_not_fail_again(subject: str, seed: int) -> None:
    simulate(seed, SUBJECTS[subject])


def test_a_seed_always_makes_the_same_world() -> None:
    first, second = (simulate(3, stages_subject) for _ in range(2))
    assert first.events == second.events
    for place in first.places:
        at = place.topic, place.partition
        assert first.memory.records(*at) == second.memory.records(*at)


def test_the_worlds_have_something_to_say() -> None:
    said: set[bytes] = set()
    for seed in range(10):
        world = simulate(seed, stages_subject)
        for partition in range(world.subject.partitions["findings"]):
            records = world.memory.records("review-triggers", partition)
            said |= {
                part for record in records for part in (b"opened", b"resolved", b"updated") if part in record.value
            }
    assert said == {b"opened", b"resolved", b"updated"}
