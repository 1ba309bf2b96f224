"""What a rule over aligned windows that has `at_least` says besides: of how many of the last windows it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from engine.model.trigger import ConflictEvidence, OffTrackEvidence, ReconciliationEvidence

if TYPE_CHECKING:
    from engine.rules.resolved.rule import Rule

    AlignedEvidence = ConflictEvidence | OffTrackEvidence | ReconciliationEvidence

_WERE: Final = {
    ConflictEvidence: "were in conflict",
    ReconciliationEvidence: "departed from the record",
    OffTrackEvidence: "were off track",
}


def is_often(evidence: AlignedEvidence, rule: Rule) -> bool:
    """Whether it holds of enough of the last windows, the present one among them or not."""
    return rule.at_least is not None and _held(evidence) >= rule.at_least[0]


def often_words(evidence: AlignedEvidence, rule: Rule) -> str:
    """As the end of a sentence; nothing of a rule that goes by the present window alone."""
    if rule.at_least is None:
        return ""
    m, of = rule.at_least
    few = "at least" if is_often(evidence, rule) else "fewer than"
    return f"; {few} {m} of the last {of} windows {_WERE[type(evidence)]}"


def _held(evidence: AlignedEvidence) -> int:
    return 0 if evidence.recent is UNSET else sum(each.holds for each in evidence.recent)
