"""Routes: which receivers a notification goes to, by its labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import ConfigError
from engine.model.audit import Matcher
from engine.notify.matchers import check_matcher, format_matcher, matches, parse_matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.notify.notification import Notification

_IN = re.compile(r"(?P<label>\S+)\s+in\s+\((?P<values>.*)\)", re.DOTALL)


class Test(NamedTuple):
    """A matcher as it is written, and as it is tried."""

    written: str
    matcher: Matcher


class Route(NamedTuple):
    """What meets all `tests` goes to `receivers`; and on to later routes where it `goes_on`."""

    id: str
    tests: tuple[Test, ...]
    receivers: tuple[str, ...]
    goes_on: bool = False


class Tried(NamedTuple):
    """A route that was tried, and the first test that was not met (None: all were)."""

    route: Route
    failed: Test | None


class Routes(NamedTuple):
    """All routes, in order; `default` is for what none of them takes. `wants` asks a receiver by name."""

    routes: tuple[Route, ...]
    default: tuple[str, ...]
    wants: Callable[[str, Notification], bool] = lambda _name, _notification: True

    def receivers(self, notification: Notification) -> tuple[str, ...]:
        """Who is told of a notification."""
        return tuple(name for name in self.of(notification.labels) if self.wants(name, notification))

    def of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The receivers of what has these labels, each once."""
        return receivers_of(self.try_all(labels), self.default)

    def try_all(self, labels: Mapping[str, str]) -> list[Tried]:
        """Every route that is tried, up to the one that ends it."""
        tried: list[Tried] = []
        for route in self.routes:
            failed = next((test for test in route.tests if not matches([test.matcher], labels)), None)
            tried.append(Tried(route, failed))
            if failed is None and not route.goes_on:
                break
        return tried


def receivers_of(tried: list[Tried], default: tuple[str, ...]) -> tuple[str, ...]:
    """What the routes that were met say, else `default`."""
    met = [each.route for each in tried if each.failed is None]
    return tuple(dict.fromkeys(name for route in met for name in route.receivers)) if met else default


def parse_test(text: str) -> Test:
    """`severity=critical`, `owner in (ops, support)` and what `notify.matchers` knows; else ConfigError."""
    found = _IN.fullmatch(text.strip())
    if found is None:
        matcher = parse_matcher(text)
        return Test(format_matcher(matcher), matcher)
    values = [value.strip() for value in found["values"].split(",")]
    if not all(values):
        raise ConfigError([f"{text!r}: expected values between the brackets, as in `owner in (ops, support)`"])
    matcher = Matcher(found["label"], "|".join(map(re.escape, values)), regex=True)
    check_matcher(matcher)
    return Test(f"{found['label']} in ({', '.join(values)})", matcher)
