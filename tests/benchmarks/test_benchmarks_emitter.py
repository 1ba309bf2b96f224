"""The emitter's benchmark at its smoke size: it runs, and its topics hold exactly what was emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench_emitter import bench, require_exactly

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = pytest.mark.kafka


def test_the_table_has_a_rate_of_each_and_their_ratio(kafka: KafkaBroker, prefix: str) -> None:
    rows = [line.split("|")[1].strip() for line in bench(kafka.bootstrap, 1_000, 1, prefix).splitlines()]
    assert rows == ["", "---", "emitter", "bare send, encoded before", "ratio"]


def test_a_topic_that_holds_something_else_is_found_out(kafka: KafkaBroker, prefix: str) -> None:
    bench(kafka.bootstrap, 10, 1, prefix)
    with pytest.raises(AssertionError, match="expected 1 values, found"):
        require_exactly(kafka.bootstrap, f"{prefix}-emitter-0", [b"another"])
