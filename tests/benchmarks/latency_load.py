"""What bench_latency.py sends, and what must come of it by plain Python.

Quiet series make the rate. Between them stand probes, each of which takes a rule over its limit and back:

- `load`: every probe measurement is a flip of its series, seen by a raw threshold.
- `pace`: constant through windows of one second, two of them high, two low.
- `heat` and `noise`: raw thresholds that a composite joins; both are high for two and a half seconds in six.
- `sales` and `tickets`: as `pace`, both at once: a counterpart conflict.
"""

from __future__ import annotations

import time
from itertools import groupby, pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from engine.client.replay import Replay
from engine.model.time import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.client.replay import Sink
    from engine.model.time import Micros

HIGH, LOW, LIMIT = 200.0, 0.0, 100.0
SLICE: Micros = SECOND // 100
"""How often the sender sends."""
FLIPS_A_SECOND = 50
FLIP_SERIES = 60
HOSTS = 12
EVERY: Micros = SECOND // 5
"""Between two measurements of a host's other probes."""
ROUND: Micros = 6 * SECOND
"""Of the composite."""


class Probe(NamedTuple):
    """A measurement that was sent and matters."""

    id: str
    kpi: str
    host: str
    time: Micros
    value: float


class Expected(NamedTuple):
    """A trigger that must come, in order within `rule` and `host`; `causes`: ids of measurements that complete it."""

    rule: str
    host: str
    happening: str
    causes: tuple[str, ...]


class Load:
    """Sends `rate` measurements a second for `seconds` to `sink`, in real time; event time is the time of day.

    `probes` and `sent` say afterwards what went out.
    """

    def __init__(self, sink: Sink, partitions: int, *, rate: int, seconds: float, series: int) -> None:
        self._sink = sink
        self._writer = Replay(sink, partitions, None)
        self._rate = rate
        self._seconds = seconds
        self._series = series
        self.probes: list[Probe] = []
        self.sent = 0

    def run(self) -> None:
        """Send; behind the schedule it catches up."""
        begin = _now()
        end = begin + round(self._seconds * SECOND)
        done = begin
        while done < end:
            time.sleep(max(0, done + SLICE - _now()) / SECOND)
            upto = min(end, max(_now(), done + 1))
            for kpi, host, at, value in _probes(done, upto):
                name = f"probe-{len(self.probes)}"
                self.probes.append(Probe(name, kpi, host, at, value))
                self._writer.measurement(kpi, {"host": host}, at, value, id=name)
            due = (upto - begin) * self._rate // SECOND - len(self.probes)
            while self.sent < due:
                self._quiet(upto)
            done = upto
        self._sink.flush()

    def _quiet(self, at: Micros) -> None:
        number, self.sent = self.sent, self.sent + 1
        host = {"host": f"q{number % self._series}"}
        self._writer.measurement("load", host, at, float(number * 7919 % 100), id=f"q{number}")


def _now() -> Micros:
    return time.time_ns() // 1_000


def _probes(after: Micros, upto: Micros) -> Iterator[tuple[str, str, Micros, float]]:
    """KPI, host, time and value of the probes due in `after` < time <= `upto`."""
    for number in _due(after, upto, SECOND // FLIPS_A_SECOND):
        at = number * SECOND // FLIPS_A_SECOND
        yield "load", f"p{number % FLIP_SERIES}", at, HIGH if number // FLIP_SERIES % 2 else LOW
    for host in range(HOSTS):
        shift = host * EVERY // HOSTS
        for number in _due(after - shift, upto - shift, EVERY):
            at = number * EVERY + shift
            name, high = f"h{host}", (at // SECOND + host) // 2 % 2
            phase = (at + host * ROUND // HOSTS) % ROUND
            yield "pace", name, at, HIGH if high else LOW
            yield "sales", name, at, HIGH if high else LOW
            yield "tickets", name, at, HIGH if high else LOW
            yield "heat", name, at, HIGH if phase < 4 * SECOND else LOW
            yield "noise", name, at, HIGH if 1.5 * SECOND <= phase < 5 * SECOND else LOW


def _due(after: Micros, upto: Micros, every: Micros) -> range:
    return range(after // every + 1, upto // every + 1)


# What must come of it.


def expected(probes: Iterable[Probe]) -> list[Expected]:
    """The triggers of all rules. Windows that nothing closed are left out."""
    series: dict[tuple[str, str], list[Probe]] = {}
    for probe in probes:
        series.setdefault((probe.kpi, probe.host), []).append(probe)
    found: list[Expected] = []
    for (kpi, host), sent in series.items():
        if kpi == "load":
            found += _turns("load-high", host, ((probe.value > LIMIT, (probe.id,)) for probe in sent))
        elif kpi == "pace":
            windows = _windows(sent)
            found += _turns("pace-high", host, ((high, (closing,)) for high, closing in windows.values()))
        elif kpi == "heat":
            found += _turns("hot-and-loud", host, _both_now(sent, series["noise", host]))
        elif kpi == "sales":
            found += _turns("sales-paid-for", host, _both_windows(sent, series["tickets", host]))
    return found


def _turns(rule: str, host: str, points: Iterable[tuple[bool, tuple[str, ...]]]) -> Iterator[Expected]:
    firing = False
    for high, causes in points:
        if high != firing:
            firing = high
            yield Expected(rule, host, "opened" if high else "resolved", causes)


def _windows(sent: list[Probe]) -> dict[Micros, tuple[bool, str]]:
    """Whether each closed window of a series is high, and the measurement that closed it, by the window's number."""
    grouped = [(number, list(group)) for number, group in groupby(sent, lambda probe: probe.time // SECOND)]
    return {
        number: (fmean(probe.value for probe in group) > LIMIT, following[0].id)
        for (number, group), (_, following) in pairwise(grouped)
    }


def _both_windows(one: list[Probe], other: list[Probe]) -> Iterator[tuple[bool, tuple[str, ...]]]:
    first, second = _windows(one), _windows(other)
    for number in sorted(first.keys() & second.keys()):
        yield first[number][0] and second[number][0], (first[number][1], second[number][1])


def _both_now(one: list[Probe], other: list[Probe]) -> Iterator[tuple[bool, tuple[str, ...]]]:
    high: dict[str, bool] = {}
    for probe in sorted([*one, *other], key=lambda probe: probe.time):
        high[probe.kpi] = probe.value > LIMIT
        yield len(high) == 2 and all(high.values()), (probe.id,)
