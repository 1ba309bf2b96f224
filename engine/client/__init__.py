"""What operational systems and downstream services import: measurements in, review triggers out, answers back.

The names below are imported when they are asked for: whoever reads files only does not load a Kafka client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.client.commands import ReviewCommander
    from engine.client.emitter import MeasurementEmitter
    from engine.client.outbox import BufferFullError
    from engine.client.subscriber import Delivery, ReviewSubscriber, SeenIds
    from engine.client.wanted import Wanted

_PLACES = {
    "BufferFullError": "outbox",
    "Delivery": "subscriber",
    "MeasurementEmitter": "emitter",
    "ReviewCommander": "commands",
    "ReviewSubscriber": "subscriber",
    "SeenIds": "subscriber",
    "Wanted": "wanted",
}

__all__ = [
    "BufferFullError",
    "Delivery",
    "MeasurementEmitter",
    "ReviewCommander",
    "ReviewSubscriber",
    "SeenIds",
    "Wanted",
]


def __getattr__(name: str) -> object:
    """One of the names above; AttributeError for others."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
