"""Two small stages that do what can go wrong: count without repeats, wait for barriers, remember last positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.model.records import Activate, Tick
from engine.model.topics import OWN_TOPICS
from engine.runtime.ports import Output, Position
from engine.simulate.subject import Request, Subject
from engine.wire.batch import Batch, Record
from engine.wire.control import decode_control, encode_control, is_control
from engine.wire.partition import owner
from engine.wire.records import records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

PAGES = 4
encode = msgspec.json.encode


class Paged:
    """State as a dict of JSON values, kept in a few pages by key."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.dirty: set[int] = set()

    def put(self, key: str, value: Any) -> None:
        self.state[key] = value
        self.dirty.add(self.page(key))

    @staticmethod
    def page(key: str) -> int:
        return sum(key.encode()) % PAGES

    def pages(self, numbers: set[int]) -> dict[str, bytes]:
        held = {n: {k: v for k, v in sorted(self.state.items()) if self.page(k) == n} for n in sorted(numbers)}
        self.dirty -= numbers
        return {f"page-{n}": encode(part) if part else b"" for n, part in held.items()}

    def dirty_pages(self) -> dict[str, bytes]:
        return self.pages(set(self.dirty))

    def all_pages(self) -> dict[str, bytes]:
        return {name: data for name, data in self.pages(set(range(PAGES))).items() if data}

    def restore(self, pages: Mapping[str, bytes]) -> None:
        self.state = {key: value for data in pages.values() for key, value in msgspec.json.decode(data).items()}

    def close(self) -> None:
        pass

    def activate(self, request: Activate) -> None:
        if request.number > self.state.get("activation", -1):
            self.put("activation", request.number)
            self.put("pending", [request.hash, request.from_tick])

    def begin_tick(self, number: int) -> None:
        pending = self.state.get("pending")
        if pending and number >= pending[1]:
            self.put("rules", pending[0])

    @property
    def rule_set_hash(self) -> str:
        return str(self.state.get("rules", "first"))


class ToyCounter(Paged):
    """Stage 1: counts ids per key, says every count that the rules divide, and all counts at each tick."""

    def __init__(self, partition: int, measurement_partitions: int, finding_partitions: int) -> None:
        super().__init__()
        self.partition, self.sources, self.targets = partition, measurement_partitions, finding_partitions

    def apply(self, batch: Batch) -> list[Output]:
        said: list[Output] = []
        for record in records(batch):
            ordinals = iter(range(1_000_000))

            def say(key: str, value: Any, to: int | None = None) -> None:
                position = Position(1, self.partition, record.offset, next(ordinals))  # noqa: B023 - called at once
                header = ((Position.HEADER, position.encode()),)
                said.append(Output("findings", to, Record(key.encode(), encode(value), header)))

            self.put("seen", self.state.get("seen", 0) + 1)
            if is_control(record.headers):
                self.control(decode_control(record.value), say)
            else:
                self.measure(record.value or b"", say, said)
        return said

    def measure(self, value: bytes, say: Any, said: list[Output]) -> None:
        item = msgspec.json.decode(value)
        key = item["key"]
        if owner(key.encode(), self.sources) != self.partition:
            said.append(Output("measurements", None, Record(key.encode(), value)))
            return
        seen = self.state.get("ids " + key, [])
        if item["id"] in seen:
            return
        self.put("ids " + key, [*seen, item["id"]])
        count = self.state.get("count " + key, 0) + 1
        self.put("count " + key, count)
        if count % (2 if self.rule_set_hash == "first" else 3) == 0:
            say(key, {"key": key, "count": count, "rules": self.rule_set_hash})

    def control(self, record: Any, say: Any) -> None:
        if isinstance(record, Activate):
            self.activate(record)
        elif isinstance(record, Tick) and record.number > self.state.get("tick", -1):
            self.begin_tick(record.number)
            self.put("tick", record.number)
            for name in sorted(name for name in self.state if name.startswith("count ")):
                key = name.removeprefix("count ")
                say(key, {"key": key, "count": self.state[name], "tick": record.number})
            for target in range(self.targets):
                say("", {"progress": record.number, "seen": self.state["seen"]}, target)


class ToyBarrier(Paged):
    """Stage 2: sums what it hears per key, each once, and says the sums when every source has passed a tick."""

    def __init__(self, partition: int, measurement_partitions: int) -> None:
        super().__init__()
        self.partition, self.sources = partition, measurement_partitions

    def apply(self, batch: Batch) -> list[Output]:
        said: list[Output] = []
        for record in records(batch):
            if is_control(record.headers):
                control = decode_control(record.value)
                if isinstance(control, Activate):
                    self.activate(control)
                continue
            position = Position.decode(dict(record.headers)[Position.HEADER])
            last = self.state.get(f"last {position.partition}")
            if last is not None and position <= Position(*last):
                continue
            self.put(f"last {position.partition}", list(position))
            said += self.hear(position.partition, msgspec.json.decode(record.value or b""), record.offset)
        return said

    def hear(self, source: int, item: dict[str, Any], offset: int) -> list[Output]:
        if "progress" not in item:
            waiting = self.state.get(f"waiting {source}", [])
            self.put(f"waiting {source}", [*waiting, item])
            return []
        self.put(f"waiting {source}", [*self.state.get(f"waiting {source}", []), item])
        if not all(any("progress" in i for i in self.state.get(f"waiting {s}", [])) for s in range(self.sources)):
            return []
        return self.pass_barrier(offset)

    def pass_barrier(self, offset: int) -> list[Output]:
        for source in range(self.sources):
            waiting = list(self.state[f"waiting {source}"])
            while "progress" not in (item := waiting.pop(0)):
                self.put("sum " + item["key"], self.state.get("sum " + item["key"], 0) + item["count"])
            self.put(f"waiting {source}", waiting)
            number = item["progress"]
        said = []
        for ordinal, name in enumerate(sorted(name for name in self.state if name.startswith("sum "))):
            header = ((Position.HEADER, Position(1, self.partition, offset, ordinal).encode()),)
            value = encode({"key": name, "sum": self.state[name], "barrier": number})
            said.append(Output("review-triggers", None, Record(name.encode(), value, header)))
        return said


def toy_subject(rng: Random) -> Subject:
    measurements, findings = rng.randint(1, 3), rng.randint(1, 2)
    counts = dict.fromkeys(OWN_TOPICS, 1) | {
        "measurements": measurements,
        "findings": findings,
        "review-triggers": findings,
        "checkpoints": measurements + findings,
    }
    keys = [f"k{n}" for n in range(rng.randint(1, 6))]
    straight = rng.choice((0.9, 1.0))
    feed: list[Output] = []
    for tick in range(rng.randint(2, 8)):
        for _ in range(rng.randint(0, 25)):
            key = rng.choice(keys)
            value = encode({"key": key, "id": rng.randint(0, 60)})
            where = owner(key.encode(), measurements) if rng.random() < straight else rng.randrange(measurements)
            feed.append(Output("measurements", where, Record(key.encode(), value)))
        record = encode_control(Tick("replay", tick, "1970-01-01T00:00:00Z"))
        feed += [Output("measurements", partition, record) for partition in range(measurements)]
    requests = [Request(0, "first", 0)]
    if rng.random() < 0.5:
        requests.append(Request(rng.randint(0, len(feed)), "second", rng.randint(0, 8)))
    return Subject(
        name="toy",
        partitions=counts,
        feed=feed,
        requests=requests,
        make_stage_1=ToyCounter,
        make_stage_2=lambda partition, sources, _: ToyBarrier(partition, sources),
        same_everywhere=straight == 1.0 and len(requests) == 1,
    )
