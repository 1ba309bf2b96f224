"""The join itself: judged facts matched by durable_rules in pairs, as a naive join would match them.

One set of rules in the process, one `sid`: rulesets can neither be registered twice nor deleted, and a thousand `sid`s
crash it. Facts hold strings and integers only and carry the number of the `Facts` they
belong to, so that several of these share a ruleset and none sees another's. No timers run: time comes in as data.
"""

from __future__ import annotations

import threading
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

from durable import engine, lang

from engine.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable

SID = "1"
RULESET = "counterpoint-pairs"
_TRIES = 4


class _QuietHost(engine.Host):  # type: ignore[misc]  # the library is untyped
    """A host without the library's dispatch threads: every match is made within the call that asserts the last fact."""

    def _run(self) -> None:
        """Nothing to dispatch: no timers, no statecharts, no posted events."""


_host = _QuietHost()
_lock = threading.Lock()
_orphans: list[dict[tuple[str, int], dict[str, Any]]] = []
_matched: list[str] = []
_registered: list[str] = []
_instances = count(1)
_serials = count(1)


def _record(c: Any) -> None:  # noqa: ANN401 (the library is untyped)
    """The action of the rule: note where the match is; what follows from it is done outside."""
    _matched.append(c.one.place)


def _register() -> None:
    """The rule that matches a fact in either slot at the same place."""
    if _registered:
        return
    rules = lang.ruleset(RULESET)
    with rules:
        one = lang.c.one << (lang.m.slot == 0)
        other = lang.c.other << (lang.m.slot == 1) & (lang.m.place == lang.c.one.place)
        lang.when_all(one, other)(_record)
    name, definition = rules.define()
    lang._rulesets.pop(RULESET, None)  # noqa: SLF001 (else another user of the library would register it again)
    _host.register_rulesets({name: definition})
    _registered.append(name)


def _call(method: Callable[[str, dict[str, Any]], Any], fact: dict[str, Any]) -> list[str] | None:
    """The places that matched, or None when the library took the fact for one that it has."""
    _matched.clear()
    try:
        state = method(RULESET, fact)
    except engine.MessageNotHandledException:
        return []
    except engine.MessageObservedException:
        return None
    if state and state.get("exception"):
        raise StateError(f"joining {fact}: {state['exception']}")
    return list(_matched)


class Facts:
    """The facts of one owner, and the places where one stands in both slots.

    A place is a scope and window, say; a slot, 0 or 1, is a side of it. Not more than one fact stands in a slot of a
    place.
    """

    def __init__(self) -> None:
        self._number = next(_instances)
        self._facts: dict[tuple[str, int], dict[str, Any]] = {}
        self._matches: set[str] = set()
        # A collection may run in the middle of a call into the library: it only leaves word for the next `put`.
        weakref.finalize(self, _orphans.append, self._facts).atexit = False

    def __len__(self) -> int:
        """How many facts stand."""
        return len(self._facts)

    def put(self, place: str, slot: int) -> None:
        """Assert that `slot` of `place` is taken; nothing happens when it is."""
        if (place, slot) in self._facts:
            return
        with _lock:
            while _orphans:
                _retract_all(_orphans.pop())
            _register()
            own = f"{self._number}|{place}"
            fact, places = _assert({"sid": SID, "instance": self._number, "place": own, "slot": slot})
            self._facts[place, slot] = fact
            if own in places:
                self._matches.add(place)

    def take(self, place: str, slot: int) -> None:
        """Retract it; nothing happens when it is not there."""
        fact = self._facts.pop((place, slot), None)
        if fact is None:
            return
        self._matches.discard(place)
        with _lock:
            _call(_host.retract_fact, fact)

    def matched(self, place: str) -> bool:
        """Whether a fact stands in both slots of `place`."""
        return place in self._matches

    def close(self) -> None:
        """Retract everything. Who forgets it leaves the facts to be retracted after this object is collected."""
        with _lock:
            _retract_all(self._facts)
        self._matches.clear()


def _assert(content: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Assert the content with a serial of its own, since facts of equal value are refused, sometimes wrongly."""
    for _ in range(_TRIES):
        fact = {**content, "serial": next(_serials)}
        places = _call(_host.assert_fact, fact)
        if places is not None:
            return fact, places
    raise StateError(f"durable_rules refused {content} {_TRIES} times as already there")


def facts_in_process() -> int:
    """How many facts stand, whoever they belong to: for those who look for leaks."""
    with _lock:
        return sum(len(_host.get_facts(name, SID)) for name in _registered)


def _retract_all(facts: dict[tuple[str, int], dict[str, Any]]) -> None:
    for fact in facts.values():
        _call(_host.retract_fact, fact)
    facts.clear()
