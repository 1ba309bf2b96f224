"""Anomalies of series of every make, recomputed from their evidence: no false alarm, and nothing changed unnoticed."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from explain_world import MONDAY, explained

from engine.model.event_parts import event_digests, evidence_parts
from engine.model.identity import digest_of
from engine.model.measurement import Measurement
from engine.model.time import DAY, HOUR, format_time
from engine.model.topics import TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.offline.explain.case import case_of
from engine.offline.plot.compose import picture_of
from engine.offline.replay import replay
from engine.rules.loader import load_or_raise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.model.time import Micros

RULES = Path(__file__).parent / "anomaly_rules.yaml"
STEPS = {"daily": (DAY, 200), "hourly": (HOUR, 800)}


def series(rng: Random, kpi: str, name: str) -> Iterator[tuple[Micros, Measurement]]:
    """Flat or seasonal, with spikes and a stretch elsewhere; noisy, in whole numbers, with gaps."""
    step, count = STEPS[kpi]
    level, scale = rng.choice((0.0, 20.0, 1e6, -50.0)), rng.choice((0.0, 0.01, 1.0, 5.0))
    size, onset = scale or 1.0, rng.randrange(count)
    shift, end = rng.choice((0.0, 30.0, -40.0)) * size, onset + rng.randrange(5, 80)
    season, gaps, whole = rng.choice((0.0, 3.0)) * scale, rng.choice((0.0, 0.0, 0.3)), rng.random() < 0.2
    for index in range(count):
        value = level + scale * rng.gauss(0, 1) + (shift if onset <= index < end else 0.0)
        value += season * (index % 7 in (5, 6)) + (rng.choice((-60, 60)) * size if rng.random() < 0.01 else 0.0)
        if rng.random() >= gaps:
            told = Measurement(kpi, format_time(MONDAY + index * step), float(round(value)) if whole else value)
            yield MONDAY + index * step + step // 3, msgspec.structs.replace(told, dimensions={"of": name})


@cache
def triggers(seed: int) -> list[bytes]:
    rng = Random(seed)
    history = [each for kpi in STEPS for name in "ab" for each in series(rng, kpi, name)]
    history.sort(key=lambda pair: (pair[0], pair[1].kpi, str(pair[1].dimensions)))
    outputs = replay(load_or_raise([RULES]), history).outputs
    return [output.record.value or b"" for output in outputs if output.topic == TRIGGERS]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_unusual_is_recomputed_to_the_last_bit(seed: int):
    said = triggers(seed)
    assert len(said) > 3
    for value in said:
        assert explained(value).failures == (), value


def evidence_leaves(event: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every number that the score rests on: the object that holds it, and its name."""
    evidence = event["data"]["evidence"]
    yield from ((evidence, name) for name in ("statistic", "limit", "baseline") if evidence[name] is not None)
    for point in evidence["anomaly"]["points"]:
        yield from ((point, name) for name in ("value", "usual", "low", "high", "excess"))


def opened() -> dict[str, Any]:
    """A trigger whose newest window began the incident."""
    for value in triggers(0):
        event: dict[str, Any] = msgspec.json.decode(value)
        if event["type"].endswith("opened.v1") and event["data"]["rule"] == "hourly-plain":
            return event
    raise LookupError("no incident")


def test_a_number_that_was_changed_with_all_its_digests_does_not_come_out():
    """Of the newest window, which surprised; an earlier one that did not may lie elsewhere in its band."""
    event = opened()
    count = len(list(evidence_leaves(event)))
    newest = event["data"]["evidence"]["anomaly"]["points"][-1]
    not_passed = "low" if newest["value"] > newest["usual"] else "high"
    for place in (*range(3), *range(count - 5, count)):
        tampered = copy.deepcopy(event)
        held, name = list(evidence_leaves(tampered))[place]
        held[name] += 1.0 + abs(held[name])
        evidence = tampered["data"]["evidence"]
        evidence["digests"] = {key: digest_of(part) for key, part in evidence_parts(evidence).items()}
        tampered["data"]["digests"] = event_digests(tampered)
        if name != not_passed:
            assert explained(tampered).evidence == "not consistent", name


def test_every_sentence_names_the_band_and_how_it_ended():
    said = [msgspec.json.decode(value, type=ReviewTrigger) for seed in range(3) for value in triggers(seed)]
    opened = [each.data.explanation for each in said if each.type.endswith("opened.v1")]
    ended = [each.data.explanation for each in said if each.type.endswith("resolved.v1")]
    assert opened
    assert ended
    assert all("its usual band" in sentence for sentence in opened)
    assert all("back in its usual band" in sentence or "that has moved" in sentence for sentence in ended)


def test_the_picture_shows_the_windows_what_was_usual_of_them_and_the_band():
    trigger = msgspec.convert(opened(), ReviewTrigger)
    picture = picture_of(case_of(trigger))
    assert picture is not None
    [panel] = picture.panels
    assert trigger.data.evidence is not None
    points = opened()["data"]["evidence"]["anomaly"]["points"]
    assert [mark.value for mark in panel.judged] == [point["value"] for point in points]
    assert [mark.value for mark in panel.expected] == [point["usual"] for point in points]
    assert [level.value for level in panel.levels] == [points[-1]["low"], points[-1]["high"]]
