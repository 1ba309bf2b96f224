"""From verdicts on windows to alerts: which began, ended, go on, or never were, compared with what was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.correlate.governance.watch import Watch
    from engine.model.trigger import Turn

RESTATED = "a later measurement changed the verdict"


class Said(msgspec.Struct):
    """An alert that reviews know of: the windows that it began and ended with (None: it is on). `opened` names it."""

    begin: int
    end: int | None
    opened: str


class Turned(NamedTuple):
    """What became of the alert `opened`, by the verdict on the window `at` (None: it never was)."""

    turn: Turn
    opened: str
    at: int | None
    cause: str | None = None


def spans_of(watch: Watch) -> dict[int, int | None]:
    """The window that each alert begins with, and the one that ends it: a verdict of neither leaves it as it is."""
    found: dict[int, int | None] = {}
    on = watch.carried
    if on is not None:
        found[on] = None
    for index in sorted(watch.verdicts):
        verdict = watch.verdicts[index]
        if verdict is True and on is None:
            on = index
            found[on] = None
        elif verdict is False and on is not None:
            found[on] = index
            on = None
    return found


def is_on(watch: Watch, index: int) -> bool:
    """Whether an alert that was said is on after the window."""
    return any(said.begin <= index and (said.end is None or index < said.end) for said in watch.said)


def compare(watch: Watch, end_of: Callable[[int], str]) -> Iterator[Turned]:
    """What reviews must know of, after windows were judged. `end_of`: the event time at which a window ends."""
    spans = spans_of(watch)
    for said in [said for said in watch.said if said.begin not in spans]:
        watch.said.remove(said)
        yield Turned("withdrawn", said.opened, None, RESTATED)
    known = {said.begin: said for said in watch.said}
    for begin, end in spans.items():
        said = known.get(begin) or Said(begin, None, end_of(begin))
        if begin not in known:
            watch.said.append(said)
            yield Turned("began", said.opened, begin)
        if said.end != end:
            yield _moved(watch, said, end)
    watch.said.sort(key=lambda said: said.begin)


def _moved(watch: Watch, said: Said, end: int | None) -> Turned:
    was, said.end = said.end, end
    if end is None:
        return Turned("resumed", said.opened, max(watch.verdicts), RESTATED)
    if was is None:
        return Turned("ended", said.opened, end)
    return Turned("changed", said.opened, end, RESTATED)


def settle(watch: Watch, floor: int) -> None:
    """Make final what lies before the window `floor`: nothing can change it any more."""
    for begin, end in spans_of(watch).items():
        if begin < floor:
            watch.carried = begin if end is None or end >= floor else None
    watch.verdicts = {index: verdict for index, verdict in watch.verdicts.items() if index >= floor}
    watch.said = [said for said in watch.said if said.end is None or said.end >= floor]
