"""What one rule set changes against another, by kind and id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.rules.own_rules import is_own

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet


class _Declared(Protocol):
    @property
    def id(self) -> str: ...


class Difference(NamedTuple):
    """Declarations as `kind id`, sorted: `rule late-share`."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def difference(before: RuleSet | None, after: RuleSet) -> Difference:
    """What `after` has that `before` had not or otherwise; all of it where there was none before.

    The engine's own rules are left out: they follow from what is declared.
    """
    old, new = {} if before is None else _declarations(before), _declarations(after)
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
    )


def _declarations(rules: RuleSet) -> dict[str, object]:
    kinds: dict[str, tuple[_Declared, ...]] = {
        "owner": rules.owners,
        "objective": rules.objectives,
        "kpi": rules.kpis,
        "rule": tuple(rule for rule in rules.rules if not is_own(rule)),
        "source": rules.sources,
        "calendar": rules.calendars,
        "initiative": rules.initiatives,
    }
    return {f"{kind} {each.id}": each for kind, declared in kinds.items() for each in declared}
