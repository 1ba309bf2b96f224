"""How far a group of workers has come, and the triggers that it has written so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from engine.errors import BrokerError
from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS, full_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from engine.brokers.topics import Topic

_SECONDS = 10.0
_AT_ONCE = 1_000
_PAUSE_SECONDS = 0.2
_COORDINATOR_AWAY = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
"""What a broker says while it is still finding out who keeps a new group's offsets."""


class Follower:
    """Reads the triggers of an installation as any subscriber would, and the committed offsets of its group.

    BrokerError when the broker does not answer.
    """

    def __init__(self, bootstrap: str, prefix: str, group: str, topics: Sequence[Topic]) -> None:
        common = {"bootstrap.servers": bootstrap, "enable.auto.commit": False, "log_level": 0}
        self._offsets = Consumer({**common, "group.id": group})
        self._triggers = Consumer({**common, "group.id": f"{group}-demo", "auto.offset.reset": "error"})
        counts = {topic.name: topic.partitions for topic in topics}
        self._inputs, self._findings, self._written = (
            _places(full_name(prefix, name), counts) for name in (MEASUREMENTS, FINDINGS, TRIGGERS)
        )
        self._triggers.assign([TopicPartition(place.topic, place.partition, 0) for place in self._written])

    def new_triggers(self, seconds: float) -> list[bytes]:
        """The values that came since the last call; waits so long for the first of them."""
        values = []
        for message in self._triggers.consume(_AT_ONCE, timeout=seconds):
            error, value = message.error(), message.value()
            if error is not None and not error.retriable():
                raise BrokerError(f"the triggers cannot be read: {error.str()}")
            if error is None and value is not None:
                values.append(value)
        return values

    @property
    def settled(self) -> bool:
        """Whether the group has committed all measurements, and then all findings that came of them."""
        return self._behind(self._inputs) == 0 and self._behind(self._findings) == 0

    @property
    def committed(self) -> int:
        """How many records of measurements the group has committed."""
        return sum(max(place.offset, 0) for place in self._committed(self._inputs))

    @property
    def left(self) -> str:
        """How much is not committed, in words."""
        return f"{self._behind(self._inputs)} records of measurements and {self._behind(self._findings)} of findings"

    @property
    def triggers_left(self) -> int:
        """How many trigger records there are that `new_triggers` has not returned."""
        places = self._triggers.position(self._written)
        return sum(self._end(place) - max(place.offset, 0) for place in places)

    def _behind(self, places: Sequence[TopicPartition]) -> int:
        return sum(self._end(place) - max(place.offset, 0) for place in self._committed(places))

    def _committed(self, places: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                return self._offsets.committed(list(places), timeout=_SECONDS)
            except KafkaException as error:
                if error.args[0].code() not in _COORDINATOR_AWAY or time.monotonic() > deadline:
                    raise BrokerError(f"the broker does not say what was committed: {error}") from error
            time.sleep(_PAUSE_SECONDS)

    def _end(self, place: TopicPartition) -> int:
        try:
            _, high = self._offsets.get_watermark_offsets(place, timeout=_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"the broker does not say where {place.topic} ends: {error}") from error
        return int(high)

    def close(self) -> None:
        """Let go of the connections."""
        self._offsets.close()
        self._triggers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _places(topic: str, counts: dict[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for partition in range(counts[topic])]
