"""The typed records that stand in a stage's input log beside measurements and findings.

Times are RFC 3339 strings in UTC, as `model.time.format_time` writes them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.model.sketch import Buckets

Domain = Literal["live", "replay"]


class Tick(msgspec.Struct, frozen=True, tag_field="type", tag="tick"):
    """The only wall clock that a stage sees; one with a number not above the partition's last is ignored."""

    domain: Domain
    number: int
    time: str


class Activate(msgspec.Struct, frozen=True, tag_field="type", tag="activate"):
    """From the first tick not below `from_tick` on, the partition runs the rule set `hash`.

    `number` is the offset of the request in the control topic; lower numbers than the last are ignored.
    """

    number: int
    hash: str
    from_tick: int


class Ingested(msgspec.Struct, frozen=True, tag_field="type", tag="ingested"):
    """The ingest agent has copied all that the topic of `source` held at tick `tick` (`time` is that tick's time)."""

    source: str
    tick: int
    time: str


class Rebaseline(msgspec.Struct, frozen=True, tag_field="type", tag="rebaseline"):
    """Forget what `rule` has learned of `series`: the present level is the new normal."""

    rule: str
    series: str


class Progress(msgspec.Struct, frozen=True, tag_field="type", tag="progress"):
    """Stage 1 partition `partition` has emitted all that it had to say before tick `tick`."""

    partition: int
    tick: int
    time: str


class Parts(msgspec.Struct, frozen=True):
    """The mergeable parts of an aggregate. `last` is the value at the newest event time, `last_time`.

    Only where the aggregation needs them: `squares`, the sum of squared distances from the mean (deviation); `buckets`
    (quantiles); `smallest`, the smallest hashes of the values, in hex (distinct).
    """

    count: int
    sum: float
    min: float
    max: float
    nonzero: int
    last: float
    last_time: str
    squares: float | msgspec.UnsetType = msgspec.UNSET
    buckets: Buckets | msgspec.UnsetType = msgspec.UNSET
    smallest: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class Ids(msgspec.Struct, frozen=True):
    """The measurements behind a window, by number, by the sum modulo 2**64 of their id hashes (decimal), and by the
    first and last to arrive. An id longer than 40 bytes is its first 23 bytes, a tilde, and its XXH64 in hex.
    """

    count: int
    hash_sum: str
    first: str
    last: str


class WindowBounds(msgspec.Struct, frozen=True):
    """`start` <= event time < `end`. `index` counts windows of this kind; neighbours differ by one."""

    start: str
    end: str
    index: int


class JoinRecord(msgspec.Struct, frozen=True, tag_field="type", tag="join"):
    """One series' share of one window, for the correlation rule `correlation` at `scope`; no verdict.

    `revision` counts how often this share changed; a later one replaces the earlier. `restated`: it changed because a
    measurement was said again with another value, and not because one came late; only rules that ask are told.
    """

    correlation: str
    scope: str
    kpi: str
    series: str
    window: WindowBounds
    revision: int
    parts: Parts
    ids: Ids
    tick: int
    restated: bool | msgspec.UnsetType = msgspec.UNSET


class Signal(msgspec.Struct, frozen=True, tag_field="type", tag="signal"):
    """A member rule of the composite `correlation` began (`firing`) or ceased to fire on one series of `scope`.

    `transition` and `revision` are those of `finding`; `replaces` is the finding that an amended or withdrawn one
    changes.
    """

    correlation: str
    scope: str
    rule: str
    series: str
    finding: str
    state: Literal["firing", "inactive"]
    event_time: str
    tick: int
    transition: Literal["firing", "resolved"] = "firing"
    revision: int = 0
    replaces: str | msgspec.UnsetType = msgspec.UNSET


Action = Literal["acknowledge", "assign", "comment", "snooze", "resolve"]
Verdict = Literal["real", "expected", "false_alarm", "data_error"]


class ReviewCommand(msgspec.Struct, frozen=True, tag_field="type", tag="command"):
    """What a person or program asks of a review; `who` asks it, at `time` by his own clock.

    `assign` gives it `to` an owner or person; `comment` adds a `comment`; `snooze` keeps it quiet `until` a time;
    `resolve` answers it with a `verdict` and an `answer` to the review's question. `seen`: the newest transition (a
    trigger's `ordinal`) that `who` knew of; the command is refused as stale when there is a newer one. Null: whatever
    came since. A command with an id that was taken already changes nothing.

    It is sent to the findings topic with the key `data.command_key` of the review's triggers.
    """

    id: str
    review: str
    action: Action
    who: str
    time: str
    answer: str | None = None
    verdict: Verdict | None = None
    to: str | None = None
    until: str | None = None
    comment: str | None = None
    seen: int | None = None


class Answered(msgspec.Struct, frozen=True, tag_field="type", tag="answered"):
    """Stage 2 tells those who keep count that a review was answered: `about` is the key of who is told,
    `precision:RULE` or `cadence:KPI`. `time` is the tick of the answer.
    """

    about: str
    review: str
    rule: str
    verdict: Verdict
    who: str
    time: str
