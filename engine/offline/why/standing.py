"""Where everything stood at a time: both stages and the gate of notifications, over a log up to there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.model.time import parse_own_time
from engine.model.topics import FINDINGS, TRIGGERS
from engine.model.trigger import ReviewTrigger
from engine.notify.gate import Gate
from engine.wire.batch import Batch
from engine.wire.records import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.audit import Silence
    from engine.model.time import Micros
    from engine.offline.why.watch import Watch
    from engine.rules.ruleset import RuleSet
    from engine.runtime.context import StageContext
    from engine.runtime.ports import Output
    from engine.runtime.stage1 import Stage1
    from engine.runtime.stage2 import Stage2
    from engine.wire.columns import Chunk

_trigger = msgspec.json.Decoder(ReviewTrigger).decode
FINDINGS_AT_ONCE = 2_000


class Standing:
    """`first` is stage 1 of the partition that has the series, `second` stage 2 of the one that has the review.

    The gate takes every trigger as a delivery worker does, at its time, knowing `silences`; `told` are those of the
    rule that is watched. `newest`: event time of the newest measurement; `now`: time of the last tick.
    """

    def __init__(
        self,
        context: StageContext,
        first: Stage1,
        second: Stage2,
        watch: Watch,
        silences: Iterable[Silence] = (),
    ) -> None:
        self.context, self.first, self.second, self.watch = context, first, second, watch
        self.told: list[ReviewTrigger] = []
        self.gate = Gate(context.rule_sets.get)
        self.silences = {silence.id: silence for silence in silences}
        for silence in self.silences.values():
            self.gate.silence(silence)
        self._findings: list[Output] = []
        self._base = 0

    @property
    def rules(self) -> RuleSet:
        """The rule set that was active in stage 1."""
        return self.first.state.plan.rule_set

    @property
    def now(self) -> Micros | None:
        """The time of the last tick; None before the first."""
        return self.first.tick_time

    @property
    def newest(self) -> Micros | None:
        """The newest event time of any series; None before the first."""
        return self.first.newest

    def take(self, chunk: Chunk) -> None:
        """A stretch of the measurements, where one partition of each stage is all there is."""
        self._findings += [output for output in self.watch.take(self.first, chunk) if output.topic == FINDINGS]
        if len(self._findings) >= FINDINGS_AT_ONCE:
            self.review()

    def settle(self) -> None:
        """Let everything that was caused be said, and notifications go out that wait for nothing."""
        self.review()
        if self.now is not None:
            self.gate.tick(self.now)

    def review(self) -> list[Output]:
        """Let stage 2 take what stage 1 has said so far; what it says."""
        found, self._findings = self._findings, []
        if not found:
            return []
        base, self._base = self._base, self._base + len(found)
        data = encode_batch([output.record for output in found], base)
        said = self.second.apply(Batch(FINDINGS, 0, base, self._base - 1, self._base, data))
        self.hear(said)
        return said

    def hear(self, outputs: Iterable[Output]) -> None:
        """What stage 2 has said: its triggers are told."""
        said = list(outputs)
        self.watch.hear(said, self.rules)
        self.tell(_trigger(output.record.value or b"") for output in said if output.topic == TRIGGERS)

    def tell(self, triggers: Iterable[ReviewTrigger]) -> None:
        """Triggers in the order in which they came."""
        for trigger in triggers:
            if trigger.data.rule == self.watch.rule:
                self.told.append(trigger)
            self.gate.tick(parse_own_time(trigger.time))
            self.gate.take(trigger)

    def close(self) -> None:
        """Let go of facts."""
        self.second.close()
