"""The rule sets that triggers name by hash, read from the topic `rule-sets` as they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.runtime.rule_sets import read_rule_sets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.rules.resolved.catalogue import Owner
    from engine.rules.ruleset import RuleSet
    from engine.runtime.ports import Log


class KnownRuleSets:
    """Rule sets by hash. What the topic lacks was asked for once and is not there: None."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._found: dict[str, RuleSet | None] = {}
        self._newest: str | None = None

    async def learn(self, hashes: Iterable[str]) -> None:
        """Read the topic when one of these is not known yet."""
        if wanted := [name for name in hashes if name not in self._found]:
            self._found |= dict.fromkeys(wanted)
            there = await read_rule_sets(self._log)
            self._found |= there
            self._newest = next(reversed(there), None)

    def find(self, name: str) -> RuleSet | None:
        """The rule set with this hash."""
        return self._found.get(name)

    def owner(self, identifier: str, rule_set: str | None) -> Owner | None:
        """An owner as the rule set says, or the newest one that is known."""
        found = self._found.get(rule_set or self._newest or "")
        return None if found is None else next((each for each in found.owners if each.id == identifier), None)
