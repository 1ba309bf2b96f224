"""What names a series in a message that the scanner can read, taken only where the reference decoder would take it."""

from __future__ import annotations

import msgspec

from engine.wire.item import KPI_LENGTH_MAX

_QUOTES_A_DIMENSION = 4


class Naming(msgspec.Struct):
    """KPI, dimensions and source; the other fields are not looked at."""

    kpi: str
    dimensions: dict[str, str] = {}
    source: str | None = None


_decoder = msgspec.json.Decoder(Naming)


def naming_of(message: bytes, dimensions: bytes, dimensions_max: int) -> Naming | None:
    """The naming in a message that holds no backslash and no field twice; None where it is not certainly right.

    `dimensions`: as it stands there. A name that stands twice in it, of which the library keeps the last one silently,
    gives itself away by its quotation marks.
    """
    try:
        naming = _decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    count = len(naming.dimensions)
    if count > dimensions_max or dimensions.count(b'"') != _QUOTES_A_DIMENSION * count:
        return None
    return naming if 1 <= len(naming.kpi) <= KPI_LENGTH_MAX else None
