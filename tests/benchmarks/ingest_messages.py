"""The bytes of the load's messages: as our own senders write them, in a form that takes the longer way, and foreign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import MILLISECOND, SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingest_load import Load

KPI, SOURCE = "load", "agent"

_FRACTIONS = ["." + f"{ms:03d}".rstrip("0") + "Z" if ms else "Z" for ms in range(1_000)]


def host(series: int) -> str:
    """The value of the dimension `host` of a series."""
    return f"h{series}"


def _plain(series: int, time: str, _ms: int, value: float, number: int) -> str:
    return (
        f'{{"kpi":"{KPI}","time":"{time}","value":{value!r},"dimensions":{{"host":"h{series}"}},'
        f'"id":"m{number}","source":"{SOURCE}"}}'
    )


def _escaped(series: int, time: str, _ms: int, value: float, number: int) -> str:
    return (
        f'{{"kpi":"{KPI}","time":"{time}","value":{value!r},"dimensions":{{"host":"h{series}"}},'
        f'"id":"m\\/{number}","source":"{SOURCE}"}}'
    )


def _foreign(series: int, _time: str, ms: int, value: float, number: int) -> str:
    return (
        f'{{"metric":"cpu.load","event":{{"at":{ms},"host":{{"name":"h{series}","rack":"r7"}}}},'
        f'"reading":{{"value":{value!r},"unit":"1"}},"uid":"m{number}"}}'
    )


SHAPES: dict[str, Callable[[int, str, int, float, int], str]] = {
    "plain": _plain,
    "escaped": _escaped,
    "foreign": _foreign,
}
"""plain: the contract, byte for byte as the client writes it. escaped: the contract with an escape in the id, so that
no decoder's quick way takes it. foreign: somebody else's JSON, for a source to map."""


def messages(load: Load, shape: str, first: int, last: int) -> Iterator[bytes]:
    """The messages from `first` to below `last`."""
    write = SHAPES[shape]
    seconds: dict[int, str] = {}
    columns = (load.series, load.time // MILLISECOND, load.value, load.number)
    for series, ms, value, number in zip(*(column[first:last].tolist() for column in columns), strict=True):
        second, rest = divmod(ms, 1_000)
        text = seconds.get(second)
        if text is None:
            text = seconds[second] = format_time(second * SECOND)[:-1]
        yield write(series, text + _FRACTIONS[rest], ms, value, number).encode()
