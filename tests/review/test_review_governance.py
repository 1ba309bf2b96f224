"""Reviews that the engine calls by itself: of a KPI whose cadence was missed, of a rule that is seldom right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from review_life import Life, one_rule
from stage2_world import day

from engine.model.records import Answered
from engine.model.time import DAY
from engine.rules.resolved.catalogue import CadenceSpec, Target
from engine.rules.resolved.timing import Due

if TYPE_CHECKING:
    from engine.rules.ruleset import RuleSet

QUIET = one_rule("on_recovery", due_in=None)


def verdicts(kinds: str) -> list[str]:
    """A letter each: real, expected, false alarm, data error."""
    return [{"r": "real", "e": "expected", "f": "false_alarm", "d": "data_error"}[letter] for letter in kinds]


def judged(rules: RuleSet, kinds: str) -> Life:
    """Stage 2 after so many verdicts on the rule `high`, a barrier before and after."""
    life = Life(rules).ticks(24)
    for number, verdict in enumerate(verdicts(kinds)):
        life.world.answered(Answered("precision:high", f"r{number}", "high", verdict, "ann", day(1 + number)))
    return life.ticks(24 * 40)


@pytest.mark.parametrize(
    ("kinds", "reviews"),
    [("rf", 0), ("fff", 0), ("ffff", 1), ("rr" + "f" * 18, 1), ("r" * 10 + "f" * 10, 0), ("rrr" + "efdf", 0)],
)
def test_a_rule_that_is_seldom_right_gets_one_review_of_itself(kinds: str, reviews: int):
    assert judged(QUIET, kinds).say().count("opened") == reviews


def test_the_review_of_a_rule_is_its_authors_and_says_how_seldom_it_was_right():
    authored = msgspec.structs.replace(QUIET, rules=(msgspec.structs.replace(QUIET.rules[0], owner="author"),))
    life = judged(authored, "rr" + "f" * 10 + "e" * 8)
    [(_, trigger)] = [each for each in life.heard() if each[0] == "opened"]
    data = trigger.data
    assert (data.rule, data.owner, data.question) == (
        "precision:high",
        "author",
        "Should this rule be mended, or retired?",
    )
    assert (data.scope, data.command_key) == ("precision:high", "precision:high")
    assert data.evidence.verdicts == {"real": 2, "false_alarm": 9}
    assert data.explanation == (
        "Seldom right: Title of high: 2 of 11 reviews were about something real (5.1 % to 48 % at 95 % confidence); "
        "the others: 9 false alarm."
    )


def test_once_the_review_of_a_rule_is_answered_counting_begins_anew():
    life = judged(QUIET, "ffff")
    life.review = ""
    assert life.say() == ["opened", "overdue"]
    life.does("resolve", verdict="real", answer="Mended.")
    assert life.say() == ["answered", "counted for precision:high"]
    life.world.answered(Answered("precision:high", life.review, "precision:high", "real", "ann", day(41)))
    assert life.say() == ["resolved"]
    for number in range(3):
        life.world.answered(Answered("precision:high", f"s{number}", "high", "false_alarm", "ann", day(42)))
    assert life.say() == []


def with_cadence(**fields: Any) -> RuleSet:
    cadence = CadenceSpec(30 * DAY, Due(5 * DAY), "Is the target still right?", ("sales",))
    kpis = tuple(
        msgspec.structs.replace(kpi, review=cadence, **fields) if kpi.id == "traffic" else kpi for kpi in QUIET.kpis
    )
    return msgspec.structs.replace(QUIET, kpis=kpis)


def test_a_missed_cadence_opens_a_review_that_is_due_and_escalates_like_any_other():
    life = Life(with_cadence())
    for at in range(0, 24 * 45, 6):
        life.ticks(at)
    heard = [(name, trigger.time, trigger.data.notify) for name, trigger in life.heard()]
    assert heard == [
        ("opened", day(30), ("traffic-owner", "sales")),
        ("overdue", day(35), ("traffic-owner",)),
        ("escalated", day(36), ("chief",)),
        ("escalated", day(37), ("board",)),
    ]
    data = life.newest().data
    assert (data.rule, data.kpi.id, data.question) == ("cadence:traffic", "traffic", "Is the target still right?")
    assert data.about == (
        "No review of Traffic for 30 days: the last was answered at 2024-01-01T00:00:00Z, "
        "the next was due at 2024-01-31T00:00:00Z."
    )


def test_an_answer_to_any_review_of_the_kpi_counts_as_its_review():
    life = Life(with_cadence()).ticks(0).ticks(24 * 20)
    life.world.answered(Answered("cadence:traffic", "r1", "high", "real", "ann", day(20)))
    life.ticks(24 * 31).ticks(24 * 49)
    assert life.say() == []
    assert life.ticks(24 * 50).say() == ["opened"]
    assert life.newest().data.evidence.review == "r1"


def test_an_answered_cadence_review_ends_and_the_next_is_due_a_cadence_later():
    life = Life(with_cadence()).ticks(0).ticks(24 * 30)
    assert life.say() == ["opened"]
    life.does("resolve", verdict="real", answer="Yes.")
    assert life.say() == ["answered", "counted for cadence:traffic"]
    life.world.answered(Answered("cadence:traffic", life.review, "cadence:traffic", "real", "ann", day(30)))
    assert life.say() == ["resolved"]
    assert life.ticks(24 * 59).say() == []
    assert life.ticks(24 * 60).say() == ["opened"]


def test_counting_begins_where_the_target_was_last_reviewed():
    target = Target(value=1.0, by="2024-12-31", start=None, reviewed="2023-12-10")
    life = Life(with_cadence(target=target)).ticks(0).ticks(24 * 8).ticks(24 * 9)
    assert [(name, trigger.time) for name, trigger in life.heard()] == [("opened", day(8))]


def test_with_the_kpis_cadence_its_review_goes():
    rules = with_cadence()
    life = Life(rules).ticks(0).ticks(24 * 30)
    life.world.sets[QUIET.hash] = QUIET
    life.world.activate(1, QUIET.hash, 24 * 31)
    life.ticks(24 * 31)
    assert [(name, trigger.data.cause) for name, trigger in life.heard()] == [
        ("opened", None),
        ("withdrawn", "rule removed"),
    ]


def test_a_crash_between_the_answer_and_its_count_counts_it_once():
    life = judged(QUIET, "fff")
    life.say()
    pages = life.world.stage.all_pages()
    again = type(life.world.stage)(0, life.world.context)
    again.restore(pages)
    assert again.all_pages() == pages
    life.world.repeat_answers()
    assert life.say() == []
