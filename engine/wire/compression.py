"""The four codecs of Kafka's record batches, by the number that stands in a batch's attributes."""

from __future__ import annotations

from struct import error as StructError  # noqa: N812 (the library's name for a class is `error`)
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Literal

import cramjam

from engine.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

Compression = Literal["gzip", "snappy", "lz4", "zstd"]

CODES: dict[Compression | None, int] = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER = _XERIAL_MAGIC + pack(">ii", 1, 1)
_XERIAL_BLOCK = 32 * 1024


def _snappy_compress(data: bytes) -> bytes:
    """As Java clients write it: a header of xerial's library, then blocks with their lengths."""
    parts = [_XERIAL_HEADER]
    for start in range(0, len(data), _XERIAL_BLOCK):
        block = bytes(cramjam.snappy.compress_raw(data[start : start + _XERIAL_BLOCK]))
        parts += (pack(">i", len(block)), block)
    return b"".join(parts)


def _snappy_decompress(data: bytes) -> bytes:
    """Either the framing of xerial's library (Java, Python) or one plain block (librdkafka).

    Its version numbers are not looked at: some producers write them in the wrong byte order.
    """
    if not data.startswith(_XERIAL_MAGIC):
        return bytes(cramjam.snappy.decompress_raw(data))
    parts = []
    position = len(_XERIAL_HEADER)
    while position < len(data):
        (length,) = unpack_from(">i", data, position)
        position += 4 + length
        if length < 0 or position > len(data):
            raise WireError("corrupt_batch", f"a snappy block of {length} bytes does not fit in its batch")
        parts.append(bytes(cramjam.snappy.decompress_raw(data[position - length : position])))
    return b"".join(parts)


_DECOMPRESS: dict[int, Callable[[bytes], bytes]] = {
    1: lambda data: bytes(cramjam.gzip.decompress(data)),
    2: _snappy_decompress,
    3: lambda data: bytes(cramjam.lz4.decompress(data)),
    4: lambda data: bytes(cramjam.zstd.decompress(data)),
}

_COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    "gzip": lambda data: bytes(cramjam.gzip.compress(data)),
    "snappy": _snappy_compress,
    "lz4": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
}


def compress(data: bytes, codec: Compression) -> bytes:
    """The records of a batch, compressed."""
    return _COMPRESS[codec](data)


def decompress(data: bytes, code: int) -> bytes:
    """The inverse. WireError: `corrupt_batch` for bytes that are not of that codec, `unknown_format` else."""
    if code not in _DECOMPRESS:
        raise WireError("unknown_format", f"compression codec {code}: expected 0 to 4 (none, gzip, snappy, lz4, zstd)")
    try:
        return _DECOMPRESS[code](data)
    except (cramjam.DecompressionError, StructError) as error:
        raise WireError("corrupt_batch", f"the records do not decompress (codec {code}): {error}") from error


def compress_block(data: bytes) -> bytes:
    """Bytes of our own as one LZ4 block, its length in front."""
    return bytes(cramjam.lz4.compress_block(data))


def decompress_block(data: bytes) -> bytes:
    """The inverse of `compress_block`; WireError `corrupt_batch` for anything else."""
    try:
        return bytes(cramjam.lz4.decompress_block(data))
    except cramjam.DecompressionError as error:
        raise WireError("corrupt_batch", f"an LZ4 block was expected: {error}") from error
