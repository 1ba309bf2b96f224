"""Who emits or follows pays for nothing but a Kafka client: what the imports bring in, and how long they take."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("MeasurementEmitter", "ReviewCommander", "ReviewSubscriber")
LIGHT = {"crc32c", "engine", "kafka", "msgspec", "typing_extensions", "xxhash"}
"""All that may be imported beside the standard library."""
FLOORS = {"client", "errors", "model", "wire"}
PROGRAM = """
import sys, time, warnings
warnings.simplefilter("ignore")
before, began = set(sys.modules), time.perf_counter()
{what}
took = time.perf_counter() - began
print(f"{{took:.2f}}", *sorted(set(sys.modules) - before))
"""


def imported(what: str) -> Sequence[str]:
    """The seconds that a fresh interpreter takes for it, and the modules that it has then."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(what=what)], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("names", [*NAMES, ", ".join(NAMES)])
def test_nothing_heavy_is_imported(names: str, capsys: pytest.CaptureFixture[str]):
    seconds, *modules = imported(f"from engine.client import {names}")
    tops = {module.partition(".")[0] for module in modules}
    assert {top for top in tops if not top.startswith("_")} - set(sys.stdlib_module_names) <= LIGHT
    assert {module.split(".")[1] for module in modules if module.startswith("engine.")} <= FLOORS
    bare, *_ = imported("import kafka")
    with capsys.disabled():
        print(f"\nfrom engine.client import {names}: {seconds} s; import kafka alone: {bare} s")


def test_the_package_alone_brings_nothing_but_itself():
    _, *modules = imported("import engine.client")
    assert {module for module in modules if module.startswith("engine")} == {"engine", "engine.client"}


def test_a_name_that_is_not_there_is_said_to_be_missing():
    import engine.client  # noqa: PLC0415 (the import is the point)

    with pytest.raises(AttributeError, match="no attribute 'Emitter'"):
        _ = engine.client.Emitter
