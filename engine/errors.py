"""Every error that the engine raises on purpose.

EngineError
 +-- ConfigError        what a user wrote cannot be used; carries every problem at once
 +-- WireError          bytes from outside that are refused; becomes a dead letter
 +-- StateError         own state that cannot be trusted
 +-- LogError           the log is not what its positions promise; never skipped over
 +-- LimitExceededError something reached its stated limit
 +-- BrokerError        a broker that cannot be reached or used as asked
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class EngineError(Exception):
    """The root: catch it to catch whatever this engine raises on purpose."""


class ConfigError(EngineError):
    """Files or settings that cannot be used; `problems` holds each of them, already readable."""

    def __init__(self, problems: Sequence[object]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class WireError(EngineError):
    """A message that is refused.

    `reason` is a short stable code (a metric label), `detail` one sentence for people,
    `path` the place in the message (`$.value`), `index` the item in an array or NDJSON.
    """

    def __init__(self, reason: str, detail: str, *, path: str = "$", index: int | None = None) -> None:
        self.reason = reason
        self.detail = detail
        self.path = path
        self.index = index
        super().__init__(f"{reason} at {path}: {detail}")


class StateError(EngineError):
    """A page, manifest or array of our own that does not fit what it should hold."""


class LogError(EngineError):
    """A manifest beyond the log's end, a recreated topic, a changed partition count, or records
    lost below a position: refused by name, never skipped.
    """


class LimitExceededError(EngineError):
    """Something reached the limit that is stated for it in `model.limits`."""

    def __init__(self, limit: str, value: int, maximum: int) -> None:
        self.limit = limit
        self.value = value
        self.maximum = maximum
        super().__init__(f"{limit}: {value} is over the limit of {maximum}")


class BrokerError(EngineError):
    """A broker that cannot be reached, or does not do what it was asked."""
