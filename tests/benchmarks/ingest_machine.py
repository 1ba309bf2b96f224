"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from confluent_kafka import libversion

from engine.brokers.kafka import find_java, find_libs

_KIB_A_GIB = 1024 * 1024


def machine() -> str:
    """Processor, memory, system and versions, as a sentence of Markdown."""
    parts = (
        f"{os.cpu_count()} cores of {_named('/proc/cpuinfo', 'model name')}",
        f"{int(_named('/proc/meminfo', 'MemTotal').split()[0]) / _KIB_A_GIB:.0f} GiB",
        f"Linux {platform.release()}",
        f"Apache Kafka {_kafka()} on Java {_java()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("numba", "numpy", "msgspec", "aiokafka", "faust-streaming")),
        f"librdkafka {libversion()[0]}",
    )
    return f"{', '.join(parts)}; broker, sender and reader on the same machine."


def _named(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _kafka() -> str:
    [jar] = [file for file in find_libs().glob("kafka-clients-*.jar") if file.stem[-1].isdigit()]
    return jar.stem.removeprefix("kafka-clients-")


def _java() -> str:
    done = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False)
    return done.stderr.split('"')[1]
