"""What is looked at rather than counted: the rule sets that run, open reviews, delays, and the checkpoints' pace."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from engine.model.time import SECOND
from engine.model.topics import MEASUREMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.model.time import Micros
    from engine.rules.ruleset import RuleSet
    from engine.runtime.cadence import Cadence
    from engine.runtime.processor import Place
    from engine.stream.stage_work import StageWork
    from engine.telemetry.metrics import Metrics


class Gauges:
    """`rule_sets` by hash; `wall` reads the time of day in `live`, and is None in `replay`.

    A stage that can tell has `newest` and `tick_time` (stage 1) or `open_reviews` (stage 2).
    """

    def __init__(
        self,
        metrics: Metrics,
        rule_sets: Mapping[str, RuleSet],
        cadence: Cadence[Place],
        *,
        wall: Callable[[], Micros] | None,
    ) -> None:
        self._metrics = metrics
        self._rule_sets = rule_sets
        self._cadence = cadence
        self._wall = wall
        self._rules: set[str] = set()

    def look(self, works: Iterable[StageWork]) -> None:
        """Show what stands now."""
        stages = [(work.place, work.stage) for work in works if work.stage is not None]
        for place, stage in stages:
            if place.topic == MEASUREMENTS:
                self._show_delay(place.partition, stage)
        self._show_rules({stage.rule_set_hash for _, stage in stages})
        self._show_reviews([stage for _, stage in stages])
        pace = self._metrics.checkpoint_interval
        pace.labels("cpu").set(self._cadence.rest / SECOND)
        pace.labels("replay").set(self._cadence.replay_max / SECOND)
        self._metrics.replay.set(self._cadence.replay / SECOND)

    def _show_delay(self, partition: int, stage: Any) -> None:  # noqa: ANN401 (a stage need not be able to tell)
        newest: Micros | None = getattr(stage, "newest", None)
        now: Micros | None = self._wall() if self._wall is not None else getattr(stage, "tick_time", None)
        if newest is not None and now is not None:
            self._metrics.watermark_delay.labels(partition).set((now - newest) / SECOND)

    def _show_rules(self, hashes: set[str]) -> None:
        """Partitions go over to another set one by one; a rule is forgotten when the last has."""
        running = {rule.id for name in hashes if name in self._rule_sets for rule in self._rule_sets[name].rules}
        if hashes:
            self._metrics.show_rule_sets(hashes)
            self._metrics.forget_rules(self._rules - running)
            self._rules = running

    def _show_reviews(self, stages: Iterable[Any]) -> None:
        total: Counter[str] = Counter(dict.fromkeys(self._rules, 0))
        for stage in stages:
            total.update(getattr(stage, "open_reviews", {}))
        for rule, count in total.items():
            if rule in self._rules:
                self._metrics.reviews_open.labels(rule).set(count)
