"""What an audit of the catalogue says: a code, what it is about, a sentence, and what to do."""

from __future__ import annotations

from typing import Final

import msgspec

CODES: Final = {
    "no-decision": "nothing is done when it moves",
    "no-rule": "nobody is told when it moves",
    "no-target": "nobody can say whether it is good",
    "retire": "reviews that led to nothing",
    "too-many-kpis": "more than one owner can answer for",
    "too-many-reviews": "more than one owner can answer",
    "no-kpi": "objectives that nothing measures",
    "only-leading": "objectives that promise, and never show",
    "only-lagging": "objectives that show when it is too late",
    "self-reported": "critical, on nothing but somebody's own word",
    "target-age": "targets that nobody has looked at for long",
    "vanity": "numbers that look good and lead nowhere",
}
"""In the order of the report."""


class Remark(msgspec.Struct, frozen=True):
    """One thing to mend. `subject` is the id of the KPI, owner or objective that it is about."""

    code: str
    subject: str
    sentence: str
    mend: str


class AuditLimits(msgspec.Struct, frozen=True):
    """What is too much. `reviews` that ended without an action make a KPI one to retire; `target_days` since a target
    was last reviewed make it an old one.
    """

    reviews: int = 5
    kpis: int = 7
    open_reviews: int = 10
    target_days: int = 180
