"""What a run must have said: its own input logs, read from end to end at one go by stages that nothing happens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.model.topics import CONTROL, DEAD_LETTERS, FINDINGS, MEASUREMENTS, TRIGGERS
from engine.runtime.processor import Processor
from engine.simulate.elsewhere import check_elsewhere
from engine.simulate.retell import Said, position_of, require_equal, tell
from engine.simulate.watch import require
from engine.simulate.world import finish
from engine.wire.batch import Record
from engine.wire.control import decode_control, is_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.runtime.ports import Output, Position, Stage
    from engine.runtime.processor import Place
    from engine.simulate.subject import Subject
    from engine.simulate.world import World
    from engine.wire.batch import LogRecord


class Positioned(NamedTuple):
    """An output with the position that caused it."""

    position: Position
    key: bytes | None
    value: bytes | None


def check(world: World) -> None:
    """Hold a world that has come to rest against its oracle; InvariantError names the first difference."""
    stage_1 = _retell(world, MEASUREMENTS)
    stage_2 = _retell(world, FINDINGS)
    _check_input(world, [output for outputs in stage_1 for output in outputs])
    for source, outputs in enumerate(stage_1):
        _check_progress(source, outputs)
        _check_sequences(world, FINDINGS, source, outputs)
        _check_manifests(world, source, outputs)
    first_of_stage_2 = len(stage_1)
    for source, outputs in enumerate(stage_2):
        _check_sequences(world, TRIGGERS, source, outputs)
        _check_manifests(world, first_of_stage_2 + source, outputs)
    said = [output for outputs in (*stage_1, *stage_2) for output in outputs]
    _check_sets(world, said)
    _check_dead_letters(world)
    if world.subject.same_everywhere:
        for measurements, findings in ((1, 1), (4, 2)):
            check_elsewhere(world, measurements, findings)
    for place in world.places:
        _check_rest(world, world.processor(place))


def _retell(world: World, topic: str) -> list[list[Output]]:
    return [
        tell(world.memory, topic, partition, world.subject.make_stage(topic, partition))
        for partition in range(world.subject.partitions[topic])
    ]


def read_once(found: Iterable[LogRecord], source: int) -> list[Positioned]:
    """What a reader takes of one source: it drops whatever is not greater than the last."""
    taken: list[Positioned] = []
    for record in found:
        position = position_of(record.headers)
        if position is None or position.partition != source:
            continue
        if not taken or position > taken[-1].position:
            taken.append(Positioned(position, record.key, record.value))
    return taken


def _check_sequences(world: World, topic: str, source: int, outputs: Sequence[Output]) -> None:
    """Each partition of an output topic reads as the oracle says, each output once and in order."""
    expected: dict[int, list[Positioned]] = {}
    for output in outputs:
        position = position_of(output.record.headers)
        if output.topic == topic and position is not None:
            placed = Positioned(position, output.record.key, output.record.value)
            expected.setdefault(world.memory.place(output), []).append(placed)
    for partition in range(world.subject.partitions[topic]):
        found = read_once(world.memory.records(topic, partition), source)
        wanted = expected.get(partition, [])
        if found != wanted:
            at = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), -1)
            first = f"first at {at}: {found[at]} for {wanted[at]}" if at >= 0 else "one is the beginning of the other"
            require(
                holds=False,
                otherwise=f"{topic}[{partition}] from source {source}: {len(wanted)} outputs were expected, "
                f"found {len(found)}; {first}",
            )


def _check_sets(world: World, outputs: Iterable[Output]) -> None:
    """Every topic that is only written holds exactly what was to be said; repeats are allowed."""
    expected: dict[str, set[Said]] = {}
    for output in outputs:
        expected.setdefault(output.topic, set()).add((output.topic, output.record.key, output.record.value))
    written = {output.topic for output in outputs} | {TRIGGERS}
    for topic in written - {MEASUREMENTS, FINDINGS}:
        found = {
            (topic, record.key, record.value)
            for partition in range(world.subject.partitions[topic])
            for record in world.memory.records(topic, partition)
        }
        require_equal(topic, found, expected.get(topic, set()))


def _check_manifests(world: World, checkpoints: int, outputs: Sequence[Output]) -> None:
    """State never runs ahead of what was said: when a manifest was written, its outputs stood in the log."""
    for bound in world.watch.manifests.get(checkpoints, ()):
        before = [
            output
            for output in outputs
            if (position := position_of(output.record.headers)) is not None and position.offset <= bound.manifest.offset
        ]
        for partition in {(output.topic, world.memory.place(output)) for output in before}:
            last = [output for output in before if (output.topic, world.memory.place(output)) == partition][-1]
            standing = world.memory.records(*partition)[: bound.appended.get(partition, 0)]
            require(
                any((last.record.key, last.record.value) == (record.key, record.value) for record in standing),
                f"checkpoints[{checkpoints}]: the manifest at offset {bound.manifest.offset} was written before "
                f"{last.record.value!r} stood in {partition}",
            )


def _check_input(world: World, outputs: Iterable[Output]) -> None:
    """The measurements are those that were sent, in their order; besides them only forwards and activations."""
    memory, wanted = world.memory, dict[int, list[Record]]()
    for output in world.subject.feed:
        wanted.setdefault(memory.place(output), []).append(output.record)
    forwards = {(output.record.key, output.record.value) for output in outputs if output.topic == MEASUREMENTS}
    arrived: set[tuple[bytes | None, bytes | None]] = set()
    for partition in range(world.subject.partitions[MEASUREMENTS]):
        sent = iter(wanted.get(partition, []))
        following = next(sent, None)
        for record in memory.records(MEASUREMENTS, partition):
            if following == Record(record.key, record.value, record.headers):
                following = next(sent, None)
            elif not is_control(record.headers):
                arrived.add((record.key, record.value))
        require(following is None, f"measurements[{partition}]: {following} was sent and is not there")
    require(arrived == forwards, f"forwards: {forwards - arrived} are missing, {arrived - forwards} are too many")
    _check_activations(world)


def _check_activations(world: World) -> None:
    requested = finish(world.memory.end(CONTROL, 0))
    for place in world.places:
        marked = [r for r in world.memory.records(place.topic, place.partition) if is_control(r.headers)]
        numbers = {getattr(decode_control(record.value), "number", None) for record in marked if record.value}
        missing = set(range(requested)) - numbers
        require(not missing, f"{place}: the activations {sorted(missing)} of control are not there")


def _check_dead_letters(world: World) -> None:
    """Stage 2 must be able to read whatever stage 1 says."""
    for record in world.memory.records(DEAD_LETTERS, 0):
        require(
            b'"topic":"findings"' not in (record.value or b""), f"stage 2 refused what stage 1 said: {record.value!r}"
        )


def _check_progress(source: int, outputs: Iterable[Output]) -> None:
    """All that was caused before a tick is said before the progress to it."""
    reached = -1
    for output in outputs:
        if output.topic != FINDINGS:
            continue
        said = msgspec.json.decode(output.record.value or b"null")
        if said.get("type") == "progress":
            reached = max(reached, said["tick"])
        else:
            tick = said.get("tick", reached)
            require(tick >= reached, f"source {source}: progress to {reached} was said before {said}, caused at {tick}")


def _laid_out(subject: Subject, place: Place, stage: Stage) -> dict[str, bytes]:
    """Pages as they are after one restoration: where things lie in memory is no part of the state."""
    fresh = subject.make_stage(place.topic, place.partition)
    fresh.restore(stage.all_pages())
    pages = fresh.all_pages()
    fresh.close()
    return pages


def _check_rest(world: World, processor: Processor) -> None:
    """What was committed is the whole log, and what recovers from the last manifest is what is in memory."""
    place, subject = processor.place, world.subject
    end = finish(world.memory.end(place.topic, place.partition))
    committed = world.memory.committed.get((place.topic, place.partition))
    require(committed == end, f"{place}: {committed} is committed at the end, {end} was expected")
    successor = Processor(world.memory, place, lambda: subject.make_stage(place.topic, place.partition))
    position = finish(successor.recover())
    require(position == end, f"{place}: a successor begins at {position}, {end} was expected")
    same_rules = successor.stage.rule_set_hash == processor.stage.rule_set_hash
    require(same_rules, f"{place}: a successor runs the rule set {successor.stage.rule_set_hash}")
    restored, present = (_laid_out(subject, place, stage) for stage in (successor.stage, processor.stage))
    differing = sorted(name for name in restored | present if restored.get(name) != present.get(name))
    require(not differing, f"{place}: a successor's pages differ: {differing}")
    successor.close()
