"""What the doctor says: of each thing that was looked at, what was expected, what was found, and how to mend it."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Verdict = Literal["ok", "warning", "problem", "unknown"]
"""`warning`: it works, and something will go wrong. `problem`: it does not. `unknown`: it could not be looked at."""

Area = Literal["configuration", "broker", "topics", "retention", "clock", "lag", "state", "port"]
AREAS: tuple[Area, ...] = get_args(Area)


class Diagnosis(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at. `expected` and `mend` are empty where it is as it should be."""

    area: Area
    about: str
    verdict: Verdict
    found: str
    expected: str = ""
    mend: str = ""


def ok(area: Area, about: str, found: str) -> Diagnosis:
    """It is as it should be."""
    return Diagnosis(area, about, "ok", found)


def warning(area: Area, about: str, *, expected: str, found: str, mend: str) -> Diagnosis:
    """It works; something will go wrong, or nobody meant it so."""
    return Diagnosis(area, about, "warning", found, expected, mend)


def problem(area: Area, about: str, *, expected: str, found: str, mend: str) -> Diagnosis:
    """A worker refuses it, stands still on it, or loses by it."""
    return Diagnosis(area, about, "problem", found, expected, mend)


def unknown(area: Area, about: str, why: str) -> Diagnosis:
    """It could not be looked at."""
    return Diagnosis(area, about, "unknown", why)


def counted(number: int, noun: str) -> str:
    """`1 partition`, `2 partitions`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
