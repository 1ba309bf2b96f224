"""Which partition owns a key: the Java clients' default partitioner, part of the published contract.

librdkafka's own default (CRC32) puts most keys elsewhere; set `partitioner=murmur2_random` in its clients.
"""

from __future__ import annotations

from struct import unpack_from

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 as Java's Kafka client computes it: a signed 32-bit integer."""
    length = len(data)
    whole = length // 4
    h = _SEED ^ length
    for word in unpack_from(f"<{whole}I", data):
        k = (word * _MULTIPLIER) & _MASK
        k ^= k >> 24
        h = ((h * _MULTIPLIER) & _MASK) ^ ((k * _MULTIPLIER) & _MASK)
    if length & 3:
        h ^= int.from_bytes(data[whole * 4 :], "little")
        h = (h * _MULTIPLIER) & _MASK
    h ^= h >> 13
    h = (h * _MULTIPLIER) & _MASK
    h ^= h >> 15
    return h - (1 << 32) if h >> 31 else h


def owner(key: bytes, count: int) -> int:
    """The partition, of `count`, that owns `key`."""
    return (murmur2(key) & 0x7FFFFFFF) % count
