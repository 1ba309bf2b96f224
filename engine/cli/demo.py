"""`counterpoint demo`: a year of events through an embedded broker and a real worker, and what they raise."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engine.brokers.embedded import EmbeddedBroker
from engine.brokers.sender import Sender
from engine.brokers.topics import plan
from engine.cli.demo_follow import Follower
from engine.cli.demo_report import Account, account_of, accounted, evaluated, report
from engine.cli.demo_respond import Respondents
from engine.cli.demo_scenarios import Scenario, ScenarioName, scenario
from engine.cli.demo_worker import WorkerProcess
from engine.client.replay import Replay
from engine.errors import EngineError
from engine.model.time import HOUR
from engine.model.topics import MEASUREMENTS, full_name
from engine.model.trigger import ReviewTrigger
from engine.offline.reviews import moment, place
from engine.offline.tail import tail_of
from engine.rules.loader import load_or_raise
from engine.simulate.scenarios.phantom_growth import LIFT_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.brokers.topics import Topic
    from engine.offline.respond import Cue
    from engine.rules.ruleset import RuleSet

PREFIX = "demo"
TICK_EVERY = HOUR
PATIENCE_SECONDS = 90.0
"""A worker that gets nowhere for so long has failed."""
COUNTERS_SECONDS = 5.0
"""How long after the last commit the worker's counters may still be behind."""


def demo(
    *,
    name: Annotated[
        ScenarioName, typer.Option("--scenario", help="What to replay: real flights, or an invented product year.")
    ] = ScenarioName.FLIGHTS,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The year of phantom-growth; drawn and shown if absent.")
    ] = None,
    lift: Annotated[
        float, typer.Option("--lift", min=0.0, max=LIFT_MAX, help="How much traffic grows in phantom-growth.")
    ] = LIFT_MAX,
    triggers_out: Annotated[
        Path | None, typer.Option("--triggers-out", metavar="FILE", help="Write the review triggers as NDJSON.")
    ] = None,
    respond: Annotated[
        bool, typer.Option("--respond", help="Have people answer: acknowledged, overdue, escalated, resolved.")
    ] = False,
    partitions: Annotated[int, typer.Option("--partitions", min=1, max=64, help="Of measurements and findings.")] = 4,
) -> None:
    """Replay a year of measurements and watch the reviews being raised.

    An embedded broker is started in this process and a worker beside it: `counterpoint worker`, as production runs it.
    The measurements go through Kafka's protocol to it, with the ticks of their time between them; the review triggers
    come back the same way. Ends with a timeline of the reviews, and with status 0 only if everything was evaluated.
    """
    console = Console()
    chosen = scenario(name, secrets.randbelow(100_000) if seed is None else seed, lift)
    console.print(
        f"[bold]{chosen.title}[/bold]\n{chosen.total:,} measurements; rules: {chosen.rules_shown}", highlight=False
    )
    rule_set = load_or_raise([chosen.rules])
    cues = _cues(chosen, rule_set, console) if respond else []
    values, account = _run(chosen, rule_set, cues, partitions, console)
    if triggers_out is not None:
        triggers_out.write_bytes(b"".join(value + b"\n" for value in values))
    report(values, account, chosen, rule_set, triggers_out, console)
    if not account.complete:
        raise typer.Exit(1)


def _cues(chosen: Scenario, rule_set: RuleSet, console: Console) -> list[Cue]:
    from engine.offline.respond import script_for  # noqa: PLC0415 (it brings the stages into this process)

    console.print("[dim]Seeing beforehand which reviews will be opened, so that people can answer them ...[/dim]")
    return script_for(rule_set, chosen.history, TICK_EVERY)


def _run(
    chosen: Scenario, rule_set: RuleSet, cues: Sequence[Cue], partitions: int, console: Console
) -> tuple[list[bytes], Account]:
    topics = plan(PREFIX, partitions)
    with EmbeddedBroker() as broker:
        broker.create_topics({topic.name: topic.partitions for topic in topics})
        with WorkerProcess(_worker_arguments(broker.bootstrap, chosen, partitions)) as worker:
            people = Respondents(cues, broker.bootstrap, PREFIX)
            return _Run(broker.bootstrap, chosen, rule_set, worker, people, console).to_the_end(topics)


def _worker_arguments(bootstrap: str, chosen: Scenario, partitions: int) -> list[str]:
    return [
        *("--brokers", bootstrap, "--prefix", PREFIX, "--rules", str(chosen.rules)),
        *("--domain", "replay", "--start-at", "earliest"),
        *("--set", f"measurement_partitions={partitions}"),
        # The sender to the embedded broker waits for what is committed, and that goes by checkpoints.
        *("--set", "checkpoint_interval_min=500ms", "--set", "checkpoint_interval_max=2s"),
    ]


class _Run:
    """One replay: a thread sends, this one watches the worker and follows the triggers."""

    def __init__(
        self,
        bootstrap: str,
        chosen: Scenario,
        rule_set: RuleSet,
        worker: WorkerProcess,
        people: Respondents,
        console: Console,
    ) -> None:
        self._bootstrap, self._chosen, self._rule_set = bootstrap, chosen, rule_set
        self._worker, self._people, self._console = worker, people, console
        self._sent = 0
        self._failure: EngineError | None = None
        self._values: list[bytes] = []
        self._reviews: set[str] = set()
        self._first_review: float | None = None

    def to_the_end(self, topics: Sequence[Topic]) -> tuple[list[bytes], Account]:
        """The values of all triggers, and the account. EngineError when the worker or the sender fails."""
        sender = threading.Thread(target=self._send, name="sender", daemon=True)
        sender.start()
        with Follower(self._bootstrap, PREFIX, PREFIX, topics) as follower, self._progress() as progress:
            counts = self._follow(follower, sender, progress)
        seconds = time.monotonic() - self._worker.started
        status = self._worker.stop()
        return self._values, account_of(counts, self._sent, self._first_review, seconds, status)

    def _progress(self) -> Progress:
        columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._console, transient=True)

    def _follow(self, follower: Follower, sender: threading.Thread, progress: Progress) -> Mapping[str, float]:
        bars = [progress.add_task(name, total=self._chosen.total) for name in ("sent", "evaluated")]
        counts: Mapping[str, float] = {}
        moved = time.monotonic()
        while True:
            self._show(follower.new_triggers(0.3), progress.console)
            self._worker.require_alive()
            if self._failure is not None:
                raise self._failure
            newest = self._worker.counts() or counts
            if newest != counts:
                counts, moved = newest, time.monotonic()
            progress.update(bars[0], completed=self._sent)
            progress.update(bars[1], completed=evaluated(counts))
            if self._people.waiting and follower.settled and not follower.triggers_left:
                self._people.let_act()
            if not sender.is_alive() and follower.settled and not follower.triggers_left:
                return self._last_counts()
            if time.monotonic() - moved > PATIENCE_SECONDS:
                raise EngineError(
                    f"expected the worker to get on, nothing has moved for {PATIENCE_SECONDS:g} s; left: "
                    f"{follower.left}; the end of its log:\n{self._worker.tail()}"
                )

    def _last_counts(self) -> Mapping[str, float]:
        """The worker's counters once they account for all that was sent; they may follow the commits by a moment."""
        deadline = time.monotonic() + COUNTERS_SECONDS
        while True:
            counts = self._worker.counts() or {}
            if accounted(counts) == self._sent or time.monotonic() > deadline:
                return counts
            time.sleep(0.1)

    def _show(self, values: Sequence[bytes], console: Console) -> None:
        """A line for each review that opens."""
        self._values += values
        for value in values:
            trigger = msgspec.json.decode(value, type=ReviewTrigger)
            data = trigger.data
            if data.review in self._reviews:
                continue
            self._reviews.add(data.review)
            seconds = time.monotonic() - self._worker.started
            self._first_review = seconds if self._first_review is None else self._first_review
            line = f"[dim]{seconds:5.1f} s[/dim]  {moment(data)}  {data.title} ({place(data.scope)}): {data.owner}"
            console.print(line, highlight=False, no_wrap=True, overflow="ellipsis")

    def _send(self) -> None:
        """Send all, with the ticks; a failure is kept for the thread that watches."""
        try:
            with Sender(self._bootstrap, full_name(PREFIX, MEASUREMENTS), PREFIX) as sink:
                replay = Replay(sink, sink.partitions, TICK_EVERY)
                for at, told in self._chosen.history:
                    for cue in self._people.cues_before(at):
                        replay.begin(cue.at)
                        sink.flush()
                        self._people.act(cue)
                    replay.measurement(told.kpi, told.dimensions, at, told.value, id=told.id, source=told.source)
                    self._sent += 1
                replay.finish(tail_of(self._rule_set, TICK_EVERY))
        except EngineError as error:
            self._failure = error
