"""The shop's log at an embedded broker. The simulated histories stand beside the tests of the simulation, the examples
of pages beside the tests of rules.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from explain_world import world
from memory_installation import PARTITIONS, copy_to

from engine.brokers.topics import plan

if TYPE_CHECKING:
    from engine.brokers.embedded import EmbeddedBroker

sys.path[:0] = [str(Path(__file__).parent.parent / name) for name in ("simulate", "rules")]

PREFIX = "shop"


@pytest.fixture
def installation(embedded: EmbeddedBroker) -> list[str]:
    """The shop's log at an embedded broker; the options that lead there."""
    embedded.create_topics({topic.name: topic.partitions for topic in plan(PREFIX, PARTITIONS)})
    return copy_to(embedded.bootstrap, PREFIX, world().log)
