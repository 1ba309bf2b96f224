"""Both real stages over a short random history of a shop: repeats, disorder, silence, nonsense, other rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.model.identity import series_key
from engine.model.records import Tick
from engine.model.time import MINUTE, SECOND, format_time
from engine.model.topics import OWN_TOPICS
from engine.rules.loader import load_read
from engine.rules.source import read_text
from engine.runtime.context import Decoding, StageContext
from engine.runtime.ports import Output
from engine.runtime.stage1 import Stage1
from engine.runtime.stage2 import Stage2
from engine.simulate.subject import Request, Subject
from engine.wire.batch import Record
from engine.wire.control import encode_control
from engine.wire.partition import owner

if TYPE_CHECKING:
    from random import Random

    from engine.rules.ruleset import RuleSet

TEXT = (Path(__file__).parent / "sim_rules.yaml").read_text()
MORE = (Path(__file__).parent / "sim_more_rules.yaml").read_text()
"""For worlds of their own: a rule more would make other worlds of the seeds that are known to find something."""
BEGIN = 1_700_000_400 * SECOND // (10 * MINUTE) * 10 * MINUTE
SERIES = [
    *(("orders", {"region": region}) for region in ("eu", "us", "ap")),
    *(("tickets", {"region": region, "channel": channel}) for region in ("eu", "us") for channel in ("web", "phone")),
    *(("latency", {"region": region}) for region in ("eu", "us")),
]
MORE_SERIES = [
    *(("orders.billed", {"region": region}) for region in ("eu", "us")),
    *(("visits", {"region": region}) for region in ("eu",) * 12),
]
NONSENSE = (b"{", b"", b'{"kpi":"unheard_of","time":1700000400,"value":1}', b'{"kpi":"orders","time":1,"value":"x"}')


@cache
def rule_set(other: bool = False, more: bool = False) -> RuleSet:  # noqa: FBT001, FBT002 - one of two
    text = f"{TEXT}---\n{MORE}" if more else TEXT
    if other and more:
        text = text.replace("definition: Orders placed", "definition: Orders placed and paid")
    if other:
        text = text.replace("below: 30, recover_at: 40", "below: 20, recover_at: 25").replace(
            "tickets-high", "tickets-many"
        )
    loaded = load_read(read_text("sim_rules.yaml", text))
    assert loaded.rule_set is not None, loaded.problems
    return loaded.rule_set


def measurement(rng: Random, now: int, sent: list[tuple[bytes, bytes]], *, more: bool = False) -> tuple[bytes, bytes]:
    """Key and value of one message: mostly new, sometimes seen, sometimes nonsense; with `more` sometimes restated."""
    if more and sent and rng.random() < 0.15:
        key, value = rng.choice(sent)
        told = msgspec.json.decode(value)
        sent.append((key, msgspec.json.encode(told | {"value": rng.randint(0, 12), "revision": rng.randint(1, 3)})))
        return sent[-1]
    if sent and rng.random() < 0.15:
        return rng.choice(sent)
    if rng.random() < 0.03:
        return b"", rng.choice(NONSENSE)
    kpi, dimensions = rng.choice([*SERIES, *MORE_SERIES] if more else SERIES)
    time = now + rng.randint(-4, 9) * MINUTE + rng.randint(0, 59) * SECOND
    if rng.random() < 0.05:
        time -= rng.randint(5, 40) * MINUTE
    value = 400 if kpi == "visits" and rng.random() < 0.02 else rng.randint(0, 12)
    fields = {"kpi": kpi, "dimensions": dimensions, "time": format_time(time), "value": value}
    if rng.random() < 0.7:
        fields["id"] = f"m{rng.randint(0, 10**6)}"
    message = series_key(kpi, dimensions).encode(), msgspec.json.encode(fields)
    sent.append(message)
    return message


def feed_of(rng: Random, partitions: int, ticks: int, straight: float, *, more: bool = False) -> list[Output]:
    feed: list[Output] = []
    sent: list[tuple[bytes, bytes]] = []
    for number in range(ticks):
        now = BEGIN + number * 10 * MINUTE
        record = encode_control(Tick("replay", now // (10 * MINUTE), format_time(now)))
        feed += [Output("measurements", partition, record) for partition in range(partitions)]
        for _ in range(rng.choice((0, 8, 20, 30))):
            key, value = measurement(rng, now, sent, more=more)
            where = owner(key, partitions) if rng.random() < straight else rng.randrange(partitions)
            feed.append(Output("measurements", where, Record(key, value)))
    return feed


def more_subject(rng: Random) -> Subject:
    """Worlds with rules of every kind, and restated measurements."""
    return stages_subject(rng, more=True)


def stages_subject(rng: Random, decoder: Decoding = "scanner", *, more: bool = False) -> Subject:
    measurements, findings = rng.randint(1, 3), rng.randint(1, 2)
    counts = dict.fromkeys(OWN_TOPICS, 1) | {
        "measurements": measurements,
        "kpi-state": measurements,
        "findings": findings,
        "review-triggers": findings,
        "shadow-triggers": findings,
        "checkpoints": measurements + findings,
    }
    first, second = rule_set(more=more), rule_set(other=True, more=more)
    ticks = rng.randint(3, 10)
    straight = rng.choice((0.95, 1.0))
    feed = feed_of(rng, measurements, ticks, straight, more=more)
    requests = [Request(0, first.hash, 0)]
    if rng.random() < 0.5:
        from_tick = BEGIN // (10 * MINUTE) + rng.randint(0, ticks)
        requests.append(Request(rng.randint(0, len(feed) // 2), second.hash, from_tick))
    stored = {each.hash: each for each in (first, second)}

    def context(measurements: int, findings: int) -> StageContext:
        return StageContext(stored, first.hash, measurements, findings, decoder=decoder)

    return Subject(
        name="stages",
        partitions=counts,
        feed=feed,
        requests=requests,
        make_stage_1=lambda partition, *counts: Stage1(partition, context(*counts)),
        make_stage_2=lambda partition, *counts: Stage2(partition, context(*counts)),
        same_everywhere=straight == 1.0 and len(requests) == 1,
    )
