"""Which open review keeps another one quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.notify.known import Known


class Firing:
    """The reviews whose alert is on, by rule: each may inhibit others."""

    def __init__(self, reviews: Iterable[Known]) -> None:
        self._by_rule: dict[str, dict[str, Known]] = {}
        for known in reviews:
            self.note(known)

    def note(self, known: Known) -> None:
        """A review as it stands now."""
        of_rule = self._by_rule.setdefault(known.rule, {})
        if known.firing:
            of_rule[known.review] = known
        else:
            of_rule.pop(known.review, None)
            if not of_rule:
                del self._by_rule[known.rule]

    def inhibitor_of(self, known: Known, reviews: Mapping[str, Known]) -> str | None:
        """The earliest review that keeps `known` quiet, by id.

        One that is itself kept quiet by `known`, over any number of steps, does not: of rules that inhibit each other
        the first to come is heard.
        """
        found = [
            (each.opened, each.review)
            for rule in known.inhibited_by
            for each in self._by_rule.get(rule, {}).values()
            if each is not known
            and _agree(known.dimensions, each.dimensions)
            and not _is_kept_quiet_by(each, known, reviews)
        ]
        return min(found)[1] if found else None


def _agree(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Whether they are equal wherever both have the dimension."""
    return all(right.get(name, value) == value for name, value in left.items())


def _is_kept_quiet_by(quiet: Known, known: Known, reviews: Mapping[str, Known]) -> bool:
    seen = {quiet.review}
    while quiet.why == "inhibited" and quiet.by in reviews and quiet.by not in seen:
        if quiet.by == known.review:
            return True
        seen.add(quiet.by)
        quiet = reviews[quiet.by]
    return False
