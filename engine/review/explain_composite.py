"""One plain sentence for what several rules make together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.time import parse_own_time
from engine.review.spans import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.model.trigger import GroupEvidence, Member
    from engine.rules.resolved.condition import Composite


def sentence_of_composite(title: str, condition: Composite, evidence: GroupEvidence, when: str, *, over: bool) -> str:
    """What there is at the event time `when`, or that it is `over` and what stands or came then."""
    rules = joined(sorted({member.rule for member in evidence.listed}))
    if over and condition.absent:
        return f"{title}: {f'{rules} began' if rules else 'it began anew'} at {when}."
    if over:
        return f"{title}: ended at {when}; still on: {rules or 'none'}."
    without = f", without {joined(condition.without, 'or')}" if condition.without else ""
    if condition.op == "sequence":
        steps = joined([f"{member.rule} at {member.event_time}" for member in in_time(evidence.listed)])
        return f"{title}: {steps}, in this order within {duration(condition.within)}{without}."
    if condition.absent:
        missing = f"nothing of {joined(condition.absent, 'or')} began within {duration(condition.within)}"
        return f"{title}: {rules} on {evidence.count} series{without}, and {missing}, as of {when}."
    return f"{title}: {rules} on {evidence.count} series{without} as of {when}."


def in_time(members: Sequence[Member]) -> list[Member]:
    """By when they began."""
    return sorted(members, key=lambda member: (parse_own_time(member.event_time), member.rule))


def joined(parts: Sequence[str], word: str = "and") -> str:
    """`a, b and c`."""
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
