"""From a Kafka topic to findings, against what else a Python user can pick, on this machine and in one run.

A real Apache Kafka is started (`make kafka-jars` fetches it). For each run the load is written to a new topic once, and
every contender reads that same topic from its beginning, one after another:

  ours        a real `counterpoint worker`: validation, dedupe, rules, checkpoints; from ready until all is committed
  faust       Faust's documented way, agent and Table with its changelog; on the first --faust-messages of the topic
  aiokafka    getmany, doing nothing
  librdkafka  consume in batches of 10,000, doing nothing

What ours and Faust find is compared, transition by transition and to the last bit, with an answer that numpy works out
from the load by brute force. CPU seconds are those of the contender's process, all threads, the broker's left out.

Rows (--only takes several):
  a           a 60 s mean and one threshold a series; all contenders
  b           five rules a series: three thresholds with `for` and `recover_at`, a change, missing data; ours alone
  curves      as b, with 100, 100,000 and 1,000,000 series, twenty rules, foreign messages, messages with an escape,
              and each codec; one alone by its name: 100 100k 1m twenty foreign reference gzip snappy lz4 zstd
  profile     where the time goes, layer by layer, over the bytes of such a topic in this process

Leave the machine alone meanwhile: broker, reader and this script share its cores.

  python tests/benchmarks/bench_ingest.py                                      a, b and profile: about five minutes
  python tests/benchmarks/bench_ingest.py --only a --contenders ours,librdkafka --runs 1
  python tests/benchmarks/bench_ingest.py --only a b curves profile --into docs/performance.md
"""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

from ingest_machine import machine
from ingest_report import NAMES, OURS, contest_table, curve_table, put_into
from ingest_runs import Contest, Options
from ingest_scenarios import CURVES, SCENARIOS
from ingest_topic import CODECS

from engine.brokers.kafka import KafkaBroker
from engine.runtime.context import Decoding

if TYPE_CHECKING:
    from collections.abc import Iterator

PROFILE, ALL_CURVES = "profile", "curves"


def main() -> None:
    """Run the rows that were asked for; print their tables, or put them into a page."""
    given = _parser().parse_args()
    rows = _rows(given.only)
    options = Options(
        messages=given.messages,
        hosts=given.series,
        rounds=given.rounds,
        runs=given.runs,
        partitions=given.partitions,
        batch_bytes=given.batch_bytes,
        codec=given.codec,
        decoder=given.decoder,
        contenders=tuple(given.contenders),
        faust_messages=given.faust_messages,
    )
    tables = {"machine": machine()}
    with _broker(given.bootstrap) as bootstrap:
        contest = Contest(bootstrap, options)
        if "a" in rows:
            tables["a"] = contest_table(contest.run("a"))
        curves = [row for row in rows if row in CURVES]
        measured = {SCENARIOS[row].title: contest.run(row)[OURS] for row in curves}
        if measured:
            tables["curves"] = curve_table(measured)
        if PROFILE in rows:
            tables["profile"] = contest.profile()
    for name, table in tables.items():
        sys.stdout.write(f"\n{table}\n")
        if given.into is not None:
            put_into(given.into, name, table)


def _rows(only: list[str]) -> list[str]:
    """The rows in the order of the tables."""
    wanted = {name for row in only for name in (CURVES if row == ALL_CURVES else (row,))}
    return [row for row in (*SCENARIOS, PROFILE) if row in wanted]


@contextmanager
def _broker(bootstrap: str | None) -> Iterator[str]:
    """The broker that was named, else one that lives as long as this."""
    if bootstrap is not None:
        yield bootstrap
        return
    with TemporaryDirectory(prefix="bench-kafka-") as folder, KafkaBroker(Path(folder), heap="1g") as broker:
        yield broker.bootstrap


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise argparse.ArgumentTypeError(f"expected some of {','.join(NAMES)}, found {','.join(unknown)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    rows = [*SCENARIOS, ALL_CURVES, PROFILE]
    add("--only", nargs="+", choices=rows, metavar="ROW", default=["a", "b", PROFILE], help="rows (a b profile)")
    add("--contenders", type=_names, default=list(NAMES), metavar="NAME[,...]", help="of row a (all)")
    add("--messages", type=int, default=2_000_000, help="measurements in the topic (2000000)")
    add("--rounds", type=int, default=12, help="measurements of each series at the least, six a minute (12)")
    add("--series", type=int, default=10_000, help="of rows that name no number (10000)")
    add("--runs", type=int, default=3, help="each with a topic of its own; median, least and most are printed (3)")
    add("--partitions", type=int, default=1, help="of the measurements topic (1)")
    add("--codec", choices=CODECS, default="none", help="what the producer compresses with (none)")
    add("--decoder", choices=get_args(Decoding), default="scanner", help="which of ours (scanner)")
    add("--batch-bytes", type=int, default=256 * 1024, help="most bytes of a record batch (262144)")
    add("--faust-messages", type=int, default=200_000, help="Faust does some thousands a second: it reads only so many")
    add("--bootstrap", metavar="HOST:PORT", help="a broker that runs already (else one is started)")
    add("--into", type=Path, metavar="PAGE", help="put the tables into this page, between its comments")
    return parser


if __name__ == "__main__":
    main()
