"""The hand-over: what came and went, what is open, which rules are noisy, and what people made of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from engine.model.records import ReviewCommand
from engine.model.time import Micros, format_time, parse_own_time
from engine.notify.happenings import OPENINGS, happening_of
from engine.offline.duty.open_set import by_urgency, is_late, is_open, newest_of
from engine.review.wilson import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.model.trigger import ReviewTrigger

NOISIEST = 10


class RuleNoise(msgspec.Struct, frozen=True):
    """A rule's share of the noise: reviews that it opened (or again), and triggers of any kind."""

    rule: str
    reviews: int
    triggers: int


class RuleVerdicts(msgspec.Struct, frozen=True):
    """Answers to a rule's reviews by verdict; `precision` is the share of `real`, `low` to `high` its 95 % Wilson
    interval.
    """

    rule: str
    verdicts: dict[str, int]
    precision: float
    low: float
    high: float


class Summary(msgspec.Struct, frozen=True):
    """Between `since` and `until`: reviews `opened` (or again) and `ended`; as it stands at `until`: the others, by id.

    `late` are the overdue, escalated ones included.
    """

    since: str
    until: str
    opened: int
    ended: int
    open: tuple[str, ...]
    late: tuple[str, ...]
    escalated: tuple[str, ...]
    snoozed: tuple[str, ...]
    noisiest: tuple[RuleNoise, ...]
    verdicts: tuple[RuleVerdicts, ...]


def summarize(triggers: Iterable[ReviewTrigger], since: Micros, now: Micros) -> Summary:
    """The summary of all `triggers` (repeats do not matter)."""
    each_once = list({trigger.id: trigger for trigger in triggers}.values())
    recent = [trigger for trigger in each_once if parse_own_time(trigger.time) >= since]
    standing = by_urgency(filter(is_open, newest_of(each_once).values()), now)
    return Summary(
        since=format_time(since),
        until=format_time(now),
        opened=len({each.data.review for each in recent if happening_of(each) in OPENINGS}),
        ended=len({each.data.review for each in recent if happening_of(each) in {"resolved", "withdrawn"}}),
        open=_ids(standing),
        late=_ids(each for each in standing if is_late(each, now)),
        escalated=_ids(each for each in standing if each.data.state == "escalated"),
        snoozed=_ids(each for each in standing if each.data.state == "snoozed"),
        noisiest=_noisiest(recent),
        verdicts=_verdicts(recent),
    )


def _ids(triggers: Iterable[ReviewTrigger]) -> tuple[str, ...]:
    return tuple(trigger.data.review for trigger in triggers)


def _noisiest(recent: Iterable[ReviewTrigger]) -> tuple[RuleNoise, ...]:
    reviews, triggers = defaultdict[str, set[str]](set), Counter[str]()
    for each in recent:
        triggers[each.data.rule] += 1
        if happening_of(each) in OPENINGS:
            reviews[each.data.rule].add(each.data.review)
    found = [RuleNoise(rule, len(reviews[rule]), count) for rule, count in triggers.items()]
    return tuple(sorted(found, key=lambda each: (-each.reviews, -each.triggers, each.rule))[:NOISIEST])


def _verdicts(recent: Iterable[ReviewTrigger]) -> tuple[RuleVerdicts, ...]:
    newest: dict[str, ReviewTrigger] = {}
    for each in recent:
        moved_by = each.data.moved_by
        if isinstance(moved_by, ReviewCommand) and moved_by.action == "resolve" and each.data.verdict is not None:
            before = newest.setdefault(each.data.review, each)
            if before.data.ordinal < each.data.ordinal:
                newest[each.data.review] = each
    by_rule = defaultdict[str, Counter[str]](Counter)
    for each in newest.values():
        by_rule[each.data.rule][each.data.verdict or ""] += 1
    return tuple(_of_rule(rule, by_rule[rule]) for rule in sorted(by_rule))


def _of_rule(rule: str, counts: Counter[str]) -> RuleVerdicts:
    real, total = counts["real"], counts.total()
    low, high = wilson(real, total)
    return RuleVerdicts(rule, dict(sorted(counts.items())), real / total, low, high)
