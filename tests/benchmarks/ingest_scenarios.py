"""The rows of the ingest benchmark: what each of them sends, and which rules look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingest_rules import DECLARED_MAX

if TYPE_CHECKING:
    from ingest_topic import Codec


class Scenario(NamedTuple):
    """`hosts` None: as many as the command says. `fraction`: of the messages that the command says."""

    title: str
    job: str
    hosts: int | None = None
    shape: str = "plain"
    codec: Codec = "none"
    fraction: float = 1.0

    def size(self, messages: int, hosts: int, rounds: int) -> tuple[int, int]:
        """Messages and series, where each series has `rounds` measurements at the least."""
        series = self.hosts or hosts
        return max(round(messages * self.fraction), rounds * series), series


SCENARIOS: dict[str, Scenario] = {
    "a": Scenario("a 60 s mean and one threshold", "a"),
    "b": Scenario("five rules a series", "b"),
    "100": Scenario("100 series", "b", hosts=100),
    "100k": Scenario(f"100,000 series, {DECLARED_MAX:,} of them declared", "b", hosts=100_000),
    "1m": Scenario(f"1,000,000 series, {DECLARED_MAX:,} of them declared", "b", hosts=1_000_000),
    "twenty": Scenario("20 rules a series", "twenty"),
    "foreign": Scenario("foreign messages through `sources:`", "b", shape="foreign", fraction=0.25),
    "reference": Scenario("an escape in every message", "b", shape="escaped"),
    "gzip": Scenario("gzip", "b", codec="gzip"),
    "snappy": Scenario("snappy", "b", codec="snappy"),
    "lz4": Scenario("lz4", "b", codec="lz4"),
    "zstd": Scenario("zstd", "b", codec="zstd"),
}

CURVES = tuple(name for name in SCENARIOS if name != "a")
"""What stands in the table of curves; job (b) as measured stands among them to compare with."""
