"""What a stage must know beside its own log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from engine.model.limits import Limits
from engine.model.records import Domain
from engine.model.time import HOUR, Micros
from engine.rules.ruleset import RuleSet

Decoding = Literal["scanner", "reference"]


class StageContext(msgspec.Struct, frozen=True):
    """`rule_sets` by hash; it grows as sets are stored, and a stage looks up there what an activation names.

    `first_rule_set` is the set of the first activation: what runs where there is no manifest. `notify_within` is
    used in
    `live` only; `future_max` bounds how far a measurement may lie ahead of its partition's last tick. `decoder`: the
    compiled one, or the slow one that it is held against.
    """

    rule_sets: Mapping[str, RuleSet]
    first_rule_set: str
    measurement_partitions: int
    finding_partitions: int
    domain: Domain = "replay"
    notify_within: Micros | None = None
    future_max: Micros = HOUR
    limits: Limits = Limits()
    decoder: Decoding = "scanner"
