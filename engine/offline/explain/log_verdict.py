"""What the log says of a trigger."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.offline.explain.leaves import Difference

Kind = Literal["same bytes", "differs", "gone", "not asked"]


class LogVerdict(msgspec.Struct, frozen=True):
    """`differences` are the leaves where the trigger is not what comes out of the log (first the trigger's)."""

    verdict: Kind
    detail: str | None = None
    differences: tuple[Difference, ...] = ()


NOT_ASKED = LogVerdict("not asked")
