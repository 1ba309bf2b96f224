"""The gates between a measurement and somebody who hears of it, in the order in which they act."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import msgspec

Gate = Literal[
    "no_such_rule",
    "rule_off",
    "other_kpi",
    "no_such_series",
    "where",
    "no_data",
    "window_open",
    "stale",
    "warm_up",
    "zero_baseline",
    "within_bounds",
    "minimum_effect",
    "score",
    "at_least",
    "for",
    "side_missing",
    "member_missing",
    "barrier",
    "reviews_limit",
    "limit",
    "shadow",
    "maintenance",
    "review_goes_on",
    "flapping",
    "historical",
    "settling",
    "inhibited",
    "silenced",
    "budget_spent",
    "already_firing",
]
GATES: tuple[Gate, ...] = get_args(Gate)

MEANINGS: dict[Gate, str] = {
    "no_such_rule": "no rule has this id in the rule set that was active",
    "rule_off": "`mode: off`: the rule is not evaluated",
    "other_kpi": "the rule looks at another KPI than the series is of",
    "no_such_series": "nobody has declared the series or measured it",
    "where": "the rule's `where` leaves the series out; silence is looked for of declared series only",
    "no_data": "no measurement of it was accepted",
    "window_open": "its first window has not closed",
    "stale": "a whole window has passed in which nothing of it came",
    "warm_up": "the condition is learning, or too few earlier values are there",
    "zero_baseline": "a share of an earlier level of zero is not known",
    "within_bounds": "the value, or the statistic made of it, is not past its limit",
    "minimum_effect": "past its limit, but smaller than the least effect that counts",
    "score": "outside its band, but not surprising enough together with the last windows",
    "at_least": "past its limit in fewer of the last points than `at_least` asks for",
    "for": "the condition has not held for as long as `for` says",
    "side_missing": "a side of the conflict has sent nothing for the window",
    "member_missing": "a member of the composite does not fire in the scope",
    "barrier": "it waits until every partition has come to the same tick",
    "reviews_limit": "as many reviews are open as there may be",
    "limit": "more series fire than the rule's `limit` lets through: it is in the review of the storm",
    "shadow": "`mode: shadow`: evaluated and counted, nobody is told",
    "maintenance": "it began in planned maintenance, and is told only if it is still on afterwards",
    "review_goes_on": "a review of before still waits for its answer, and takes it in quietly",
    "flapping": "it comes and goes too often: only calm ends it, and nobody is told",
    "historical": "its event time lies further back than `notify_within`",
    "settling": "an inhibitor may be on its way: the notification waits for it",
    "inhibited": "an open review of a rule in `inhibited_by` keeps it quiet",
    "silenced": "a silence holds it back",
    "budget_spent": "the week's noise budget of its owner is spent: it goes into the digest",
    "already_firing": "the rule is firing since before: an alert goes on, and does not fire again",
}


class Side(msgspec.Struct, frozen=True):
    """A side of a conflict, or a member of a composite: whether it is there, and why not."""

    name: str
    there: bool
    told: str


class Answer(msgspec.Struct, frozen=True):
    """Why `rule` did not fire on `series` at `at`; `gate` null: it did fire there.

    `value` is what was seen, `needed` what would have been, both in words; `number` and `limit` the same as numbers
    where they are some. `since` is when it began to be so, `point` the window or measurement that was judged last.
    `state` is that of the rule on the series, `review` the one that its alert is in. `open_window` says what has come
    since the last window that closed.
    """

    rule: str
    series: str
    at: str
    gate: Gate | None
    sentence: str
    value: str | None = None
    needed: str | None = None
    since: str | None = None
    number: float | None = None
    limit: float | None = None
    point: str | None = None
    state: str = "inactive"
    review: str | None = None
    open_window: str | None = None
    sides: tuple[Side, ...] = ()


class Stop(NamedTuple):
    """A gate that is shut, before it is put into an `Answer`: `sentence` is what the answer says."""

    gate: Gate | None
    sentence: str
    value: str | None = None
    needed: str | None = None
    since: str | None = None
    number: float | None = None
    limit: float | None = None
    sides: tuple[Side, ...] = ()
