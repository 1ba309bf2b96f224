"""Finds the librdkafka that confluent-kafka brought along, and declares the functions of it that we call."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from pathlib import Path

import confluent_kafka

from engine.errors import BrokerError

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_INT = ctypes.c_int
_SIZE = ctypes.c_size_t

_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "rd_kafka_conf_new": (_POINTER, ()),
    "rd_kafka_conf_set": (_INT, (_POINTER, _TEXT, _TEXT, _TEXT, _SIZE)),
    "rd_kafka_new": (_POINTER, (_INT, _POINTER, _TEXT, _SIZE)),
    "rd_kafka_destroy": (None, (_POINTER,)),
    "rd_kafka_err2str": (_TEXT, (_INT,)),
    "rd_kafka_mock_cluster_new": (_POINTER, (_POINTER, _INT)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_POINTER,)),
    "rd_kafka_mock_cluster_destroy": (None, (_POINTER,)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_POINTER, ctypes.c_int32)),
    "rd_kafka_mock_set_controller_id": (None, (_POINTER, ctypes.c_int32)),
    "rd_kafka_mock_topic_create": (_INT, (_POINTER, _TEXT, _INT, _INT)),
    "rd_kafka_mock_topic_delete": (_INT, (_POINTER, _TEXT)),
}


@cache
def load() -> ctypes.CDLL:
    """The library with its signatures declared. BrokerError when it, or a function of it, is not there."""
    path = _find()
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise BrokerError(
                f"expected {name} in {path}, found none; the embedded broker needs confluent-kafka 2.16 or newer"
            ) from None
        function.restype = result
        function.argtypes = arguments
    return library


def _find() -> str:
    """Wheels keep it beside the package (Linux, Windows) or inside it (macOS); otherwise it is the system's."""
    package = Path(confluent_kafka.__file__).parent
    for folder in (package.parent / "confluent_kafka.libs", package / ".dylibs", package):
        for pattern in (
            "librdkafka-*.so*",
            "librdkafka.so*",
            "librdkafka*.dylib",
            "librdkafka-*.dll",
            "librdkafka.dll",
        ):
            for path in sorted(folder.glob(pattern)):
                return str(path)
    system = ctypes.util.find_library("rdkafka")
    if system:
        return system
    raise BrokerError(
        f"expected librdkafka beside {package}, found none; install the confluent-kafka wheel, or librdkafka itself"
    )
