"""However the log is cut, wherever the worker dies, whichever partition comes first: the same triggers."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage2_world import World, apply, day, facts_standing, finding, share, short, signal, spec, standard, triggers_of

from engine.errors import StateError
from engine.model.records import Activate, Progress, ReviewCommand
from engine.model.time import DAY
from engine.model.trigger import ReviewTrigger
from engine.rules.resolved.rule import Step
from engine.rules.resolved.timing import Due
from engine.runtime.ports import Position
from engine.runtime.stage2 import Stage2
from engine.wire.batch import Record
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from engine.runtime.ports import Output

SOON = spec(due_in=Due(2 * DAY), renotify=Step(0.5, relative=True))
RULES = standard(review=SOON)
CHANGED = standard(review=SOON, fingerprint="changed")
DAYS = 12


def partition_stream(random: Random, partition: int, partitions: int):
    """What one stage 1 partition says, in its order: (value, partition) pairs."""
    stream = []
    firing = {}
    for index in range(DAYS):
        for number, c in enumerate("abcd"):
            if number % partitions != partition:
                continue
            for name in ("traffic", "tickets"):
                if random.random() < 0.9:
                    stream.append(share(name, index, float(random.choice([10, 10, 14, 20])), c=c))
                if index and random.random() < 0.1:
                    stream.append(share(name, index - 1, float(random.choice([10, 20])), c=c, revision=index))
            for name, of in (("high", "traffic"), ("high", "sessions"), ("quiet", "traffic"), ("low", "nps")):
                before = firing.get((name, of, c))
                if random.random() < 0.4:
                    opened = index if before is None else before
                    transition = "firing" if before is None else "resolved"
                    if of != "sessions":  # a second series of the rule in its scope: only composites hear of it
                        told = finding(transition, index, opened, rules=RULES, name=name, of=of, c=c, tick=index)
                        stream.append(told)
                    firing[name, of, c] = index if before is None else None
                    state = "firing" if before is None else "inactive"
                    composites = () if name == "quiet" else ("both", "either")
                    stream += [signal(name, state, index, name=each, c=c, series=f"{of}{c}") for each in composites]
        stream.append(Progress(partition, 24 * (index + 1), day(index + 1)))
    stream.append(Progress(partition, 24 * DAYS + 3, day(DAYS + 1)))
    return [(each, partition) for each in stream]


def interleaved(random: Random, streams: Any):
    """Any merge that keeps each partition's order."""
    left = [list(stream) for stream in streams]
    while any(left):
        yield random.choice([stream for stream in left if stream]).pop(0)


def world_of(streams: Any, random: Random, *, extra: Any = ()):
    world = World(RULES, partitions=len(streams))
    world.sets[CHANGED.hash] = CHANGED
    for value, partition in interleaved(random, streams):
        world.write(value, partition)
    for place, value in extra:
        world.log.insert(place, Record(b"k", encode_record(value)))
    return world


def people(random: Random, log: list[Record], outputs: list[Output]) -> None:
    """Somebody answers some of the reviews, somewhere behind where they were opened, in the log."""
    asked = []
    for number, output in enumerate(outputs):
        if output.topic == "review-triggers" and random.random() < 0.3:
            data = msgspec.json.decode(output.record.value or b"", type=ReviewTrigger).data
            action = random.choice(["acknowledge", "assign", "comment", "snooze", "resolve"])
            command = ReviewCommand(
                f"c{number}", data.review, action, "ann", day(1), verdict="real", to="bob", comment="Hm.",
                until=day(random.randrange(DAYS)),
            )  # fmt: skip
            offset = int(dict(output.record.headers)[Position.HEADER].split(b":")[2])
            asked.append((offset + random.randrange(1, 40), Record(b"k", encode_record(command))))
    for place, record in sorted(asked, key=lambda pair: -pair[0]):
        log.insert(place, record)


def bytes_of(outputs: list[Output]):
    return sorted((each.topic, each.record.key or b"", each.record.value) for each in outputs)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 4))
def test_any_order_between_partitions_gives_the_same_triggers(seed: int, partitions: int):
    streams = [partition_stream(Random(f"{seed}-{each}"), each, partitions) for each in range(partitions)]
    found = []
    for order in range(3):
        world = world_of(streams, Random(order))
        found.append(bytes_of(apply(world.stage, world.log, 0)))
        world.stage.close()
    assert found[0] == found[1] == found[2]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9), st.randoms())
def test_any_cut_and_any_crash_gives_the_same_outputs(seed: int, random: Random):
    streams = [partition_stream(Random(f"{seed}-{each}"), each, 2) for each in range(2)]
    extra = [(40, Activate(0, CHANGED.hash, 24 * 6))]
    heard = world_of(streams, Random(seed), extra=extra)
    plain = world_of(streams, Random(seed), extra=extra)
    people(Random(seed), plain.log, apply(heard.stage, heard.log, 0))
    heard.stage.close()
    expected = apply(plain.stage, plain.log, 0)
    stage, outputs, at = Stage2(0, plain.context), [], 0
    pages, kept, kept_at = stage.all_pages(), [], 0
    while at < len(plain.log):
        size = random.choice([1, 2, 7, 50])
        outputs += apply(stage, plain.log, at, at + size)
        at = min(len(plain.log), at + size)
        if random.random() < 0.3:
            dirty = stage.dirty_pages()
            pages = {name: page for name, page in {**pages, **dirty}.items() if page}
            assert pages == stage.all_pages()
            kept, kept_at = list(outputs), at
        elif random.random() < 0.2:
            if random.random() < 0.5:
                stage.close()
            stage = Stage2(0, plain.context)
            stage.restore(pages)
            assert stage.all_pages() == pages
            outputs, at = list(kept), kept_at
    assert outputs == expected
    assert stage.all_pages() == plain.stage.all_pages()
    assert stage.rule_set_hash == CHANGED.hash
    assert len(stage.correlator.facts) == len(plain.stage.correlator.facts)
    stage.close()
    plain.stage.close()


def test_the_streams_of_these_properties_reach_every_kind_of_trigger():
    told, rules = set(), set()
    for seed in range(20):
        streams = [partition_stream(Random(f"{seed}-{each}"), each, 2) for each in range(2)]
        world = world_of(streams, Random(seed), extra=[(40, Activate(0, CHANGED.hash, 24 * 6))])
        for trigger in triggers_of(apply(world.stage, world.log, 0)):
            told.add((trigger.data.rule, short(trigger)))
            rules.add(trigger.data.rule)
    assert rules == {"both", "clash", "either", "high", "low", "quiet"}
    for name in ("both", "clash", "either", "quiet"):
        assert {(name, happening) for happening in ("opened", "updated", "resolved", "withdrawn")} <= told


def test_a_command_and_a_crash_after_it_do_not_answer_twice():
    rules = standard(review=spec("on_answer"))
    world = World(rules)
    world.write(finding("firing", 3, rules=rules), 0)
    [opened] = world.run()
    pages = world.stage.all_pages()
    world.write(ReviewCommand("c1", opened.data.review, "resolve", "ann", day(9), verdict="real"))
    outputs = apply(world.stage, world.log, 1)
    again = Stage2(0, world.context)
    again.restore(pages)
    assert apply(again, world.log, 1) == outputs
    assert [each.topic for each in outputs] == ["review-triggers", "audit", "findings"]


def test_thousands_of_restarts_in_one_process_leave_no_facts_behind():
    streams = [partition_stream(Random(f"7-{each}"), each, 2) for each in range(2)]
    world = world_of(streams, Random(7))
    half = len(world.log) // 2
    apply(world.stage, world.log, 0, half)
    pages = world.stage.all_pages()
    standing = len(world.stage.correlator.facts)
    assert standing > 0
    world.stage.close()
    before = facts_standing()
    for _ in range(1_500):
        stage = Stage2(0, world.context)
        stage.restore(pages)
        assert len(stage.correlator.facts) == standing
        stage.close()
    assert facts_standing() <= before


def test_pages_that_do_not_fit_are_refused_by_name():
    world = World(RULES)
    world.write(share("traffic", 0, 1.0), 0)
    world.run()
    pages = world.stage.all_pages()
    for broken, message in (
        ({}, "expected the page 'reached'"),
        ({**pages, "reached": b"\xc1"}, "cannot be read"),
        ({name: page for name, page in pages.items() if not name.startswith("waiting")}, "waiting/000000"),
    ):
        with pytest.raises(StateError, match=message):
            Stage2(0, world.context).restore(broken)
    with pytest.raises(StateError, match="1 measurement partitions, there are 3"):
        Stage2(0, World(RULES, partitions=3).context).restore(pages)
