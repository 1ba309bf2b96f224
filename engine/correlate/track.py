"""What is kept of one rule over aligned windows in one scope: rings, verdicts by window, and what was said of them."""

from __future__ import annotations

import msgspec

from engine.correlate.judge import UNKNOWN, Judged, Usual
from engine.correlate.rings import Ring
from engine.model.records import WindowBounds  # noqa: TC001 - msgspec reads the module
from engine.model.time import Micros
from engine.model.trigger import WindowVerdict


class Run(msgspec.Struct, frozen=True):
    """Windows that hold, one after the other: an alert once they have lasted `for`. `usual`: the levels at which a
    conflict began, by KPI, for rules that hold on to them.

    `begin` is the window index of the first window, `since` its end, `first` its start; `fired` and `opened` are index
    and end of the window that it fired with (None: it is pending, and `opened` is nobody's name yet). `clear`: the end
    of the first window since which it does not hold, while it is recovering. `worst` is the largest effect
    of a counterpart that worsened (of equal size the first), `joined` are the counterparts that have worsened in it.
    """

    begin: int
    opened: str
    first: str
    last: str
    windows: int
    worst: float
    joined: tuple[str, ...]
    usual: dict[str, Usual]
    since: str = ""
    fired: int | None = None
    clear: str | None = None


def carried_on(run: Run | None, index: int, bounds: WindowBounds, effect: float, joined: tuple[str, ...]) -> Run:
    """The run with window `index` in it, or one that begins there; the worst is the largest effect either way."""
    return Run(
        begin=index if run is None else run.begin,
        opened=bounds.end if run is None else run.opened,
        first=bounds.start if run is None else run.first,
        last=bounds.end,
        windows=1 if run is None else run.windows + 1,
        worst=max([*([run.worst] if run else []), effect], key=abs),
        joined=joined,
        usual={},
    )


def passed_over(run: Run, bounds: WindowBounds) -> Run:
    """The run with a window in it that does not hold by itself: with `at_least` enough of those before it do."""
    return msgspec.structs.replace(run, last=bounds.end, windows=run.windows + 1)


class Counted(msgspec.Struct, frozen=True):
    """What `at_least` and `warm_up` have counted: the last windows that could be judged, oldest first, and how many
    `windows` of the rule's own KPI came in the warm-up. Nothing is, of rules that have neither.
    """

    windows: int = 0
    recent: tuple[WindowVerdict, ...] = ()

    def held(self) -> int:
        """Of how many of the last windows the rule held."""
        return sum(each.holds for each in self.recent)


NOTHING = Counted()


class Step(msgspec.Struct, frozen=True):
    """One aligned window as judged: the run that it was judged in, the verdicts, and the run after it.

    `state`, of this window by itself: `on` (conflict), `off` (none), `pending` (a side is still expected),
    `inconclusive` (it is no longer). `counted_before` goes with `before`, `counted` with `after`. `sides` are the
    rule's KPI and its counterparts in the rule's order; None where the side has not come.
    """

    before: Run | None
    sides: tuple[Judged | None, ...]
    state: str
    after: Run | None
    due: Micros | None
    counted_before: Counted = NOTHING
    counted: Counted = NOTHING


class Said(msgspec.Struct):
    """A run that reviews know of: by `opened`, with what was last said of it. `begin`: the window that it fired with,
    `first`: when the one began that it held of first. `worst`: the size of the effect that was last told as such.
    """

    opened: str
    begin: int
    end: int | None
    joined: tuple[str, ...]
    sides: tuple[Judged | None, ...]
    inconclusive: bool = False
    worst: float = 0.0
    first: str = ""


class Track(msgspec.Struct):
    """The state of (rule, scope). `steps` by aligned window index; those below `floor` are final and gone."""

    rule: str
    scope: str
    rings: dict[str, Ring] = {}
    steps: dict[int, Step] = {}
    said: list[Said] = []
    floor: int | None = None
    carried: Run | None = None
    wake: Micros | None = None
    counted: Counted = NOTHING

    def before(self, index: int) -> tuple[Run | None, Counted]:
        """The run that the window `index` is judged in, and what was counted: what the nearest earlier window left.
        Of those that are gone, `carried` and `counted` are left.
        """
        earlier = max((each for each in self.steps if each < index), default=None)
        if earlier is None:
            return self.carried, self.counted
        return self.steps[earlier].after, self.steps[earlier].counted


NOT_COME = UNKNOWN
"""The verdict shown for a side that has sent nothing."""
