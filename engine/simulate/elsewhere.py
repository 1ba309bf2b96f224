"""The same feed in a world without faults and of other partition counts: the same triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.topics import FINDINGS, MEASUREMENTS, TRIGGERS
from engine.runtime.memory_log import MemoryLog
from engine.simulate.retell import Said, require_equal, tell
from engine.wire.control import is_control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.runtime.ports import Output
    from engine.simulate.subject import Subject
    from engine.simulate.world import World


def check_elsewhere(world: World, measurements: int, findings: int) -> None:
    """Tell the feed anew on so many partitions, source by source; InvariantError unless the triggers are the same."""
    subject = world.subject
    log = MemoryLog({**subject.partitions, MEASUREMENTS: measurements, FINDINGS: findings})
    log.append_now(list(_placed(subject, measurements)))
    for partition in range(measurements):
        stage = subject.make_stage_1(partition, measurements, findings)
        log.append_now([said for said in tell(log, MEASUREMENTS, partition, stage) if said.topic == FINDINGS])
    expected: set[Said] = set()
    for partition in range(findings):
        stage = subject.make_stage_2(partition, measurements, findings)
        told = tell(log, FINDINGS, partition, stage)
        expected |= {(TRIGGERS, said.record.key, said.record.value) for said in told if said.topic == TRIGGERS}
    found = {
        (TRIGGERS, record.key, record.value)
        for partition in range(subject.partitions[TRIGGERS])
        for record in world.memory.records(TRIGGERS, partition)
    }
    require_equal(f"triggers, against {measurements} and {findings} partitions without faults", found, expected)


def _placed(subject: Subject, measurements: int) -> Iterator[Output]:
    """Each measurement to its owner, each tick to every partition."""
    for output in subject.feed:
        if not is_control(output.record.headers):
            yield output._replace(partition=None)
        elif output.partition == 0:
            yield from (output._replace(partition=partition) for partition in range(measurements))
