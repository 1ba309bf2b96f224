"""Rule tests of reviews, each of a small story whose outcome is told by hand."""

from __future__ import annotations

import pytest

from engine.cli.test_report import failure_lines
from engine.model.measurement import Measurement
from engine.model.time import HOUR, format_time
from engine.offline.command_tests import acts_of
from engine.offline.episodes import triggers_of
from engine.offline.replay import replay
from engine.offline.rule_tests import Verdict, run_test
from engine.rules.loader import Loaded, load_read
from engine.rules.source import read_text

DECLARED = """\
kind: owner
id: web
---
kind: owner
id: chief
---
kind: objective
id: growth
title: More
owner: web
sponsor: chief
---
kind: kpi
id: waiting
title: Waiting
owner: web
objective: growth
definition: Requests that wait
decision: Add a machine
direction: lower_is_better
role: lagging
unit: requests
aggregation: last
window: {every: 10m}
dimensions: [site]
target: {value: 10, by: 2030-12-31}
---
kind: rule
id: high
title: Many wait
kpi: waiting
points: raw
condition: {threshold: {above: 60}}
MORE
---
kind: rule
id: both
title: Many wait
condition: {composite: {all: [high], scope: [site]}}
review: {reopen_within: 1h}
---
kind: test
id: told
start: 2026-01-05T00:30:00Z
every: 1h
ticks: 30m
measurements:
  - {kpi: waiting, dimensions: {site: s}, values: VALUES}
""".replace("id: web\n---", "id: web\nname: Web\n---").replace("id: chief\n---", "id: chief\nname: Chief\n---")
ON_ANSWER = "review: {due_in: 2h, escalate_after: 1h, close: on_answer, reopen_within: 0s}"
ON_RECOVERY = "review: {due_in: 2h, close: on_recovery, reopen_within: 2h}"


def loaded(rest: str, values: str, more: str) -> Loaded:
    return load_read(read_text("all.yaml", DECLARED.replace("MORE", more).replace("VALUES", values) + rest))


def run(rest: str, values: str = "1 99x3 1x8", more: str = ON_ANSWER) -> Verdict:
    found = loaded(rest, values, more)
    assert found.rule_set is not None, found.problems
    return run_test(found.tests[0], found.rule_set)


def says(verdict: Verdict) -> str:
    return "\n".join(failure_lines(verdict))


def command(at: str, action: str) -> str:
    return f"  - {{at: {at}, rule: high, dimensions: {{site: s}}, who: web, action: {action}}}\n"


def expect(text: str, rule: str = "high") -> str:
    return f"expect:\n  - {{rule: {rule}, dimensions: {{site: s}}, {text}}}\n"


def test_a_review_that_nobody_answers_falls_due_and_climbs_though_the_alert_is_over():
    verdict = run(
        expect(
            "reviews: [{at: 0s, state: never}, {at: 30m, state: open}, {at: 1h, state: open, due: 2h30m},"
            " {at: 4h, state: escalated, alert: over, escalated_to: chief}],"
            " triggers: [{at: 30m, type: opened}, {at: 2h30m, type: overdue},"
            " {at: 3h30m, type: escalated, notify: [chief]}, {at: 3h30m, type: alert_ended}]"
        )
    )
    assert says(verdict) == "", "a measurement of half past one comes after the tick of one, and has its time"


def test_an_answer_ends_it_and_nobody_is_called():
    answered = "commands:\n" + command("1h", "resolve, verdict: real, answer: We know")
    quiet = expect(
        "firing: [{from: 1h, to: 4h}], reviews: [{at: 1h, state: in_review, verdict: real}, {at: 9h, state: resolved}]"
    )
    assert says(run(answered + quiet)) == ""
    assert "- 9h (2026-01-05T09:30:00Z): resolved\n+ 9h (2026-01-05T09:30:00Z): escalated" in says(run(quiet))


def test_a_snooze_moves_the_due_time_and_wakes():
    snoozed = "commands:\n" + command("1h", "snooze, until: 5h30m")
    verdict = run(snoozed + expect("reviews: [{at: 5h, state: snoozed, due: 5h30m}, {at: 6h, state: overdue}]"))
    assert says(verdict) == ""


@pytest.mark.parametrize(("words", "told"), [("was 99 at", True), ("was 98 at", False)])
@pytest.mark.parametrize(
    "what", ["reviews: [{at: 1h, says: WORDS}]", "triggers: [{at: 30m, type: opened, says: WORDS}]"]
)
def test_what_a_sentence_says_is_a_part_of_it(what: str, words: str, told: bool):  # noqa: FBT001 (a table)
    verdict = run(expect(what.replace("WORDS", words)), "1 99")
    assert verdict.passed is told, says(verdict)


def test_somebody_it_was_given_to_is_told():
    given = "commands:\n" + command("1h", "assign, to: ann")
    verdict = run(given + expect("reviews: [{at: 1h, state: in_review, assignee: ann}]"))
    assert says(verdict) == ""
    assert "assignee none" in says(run(expect("reviews: [{at: 1h, assignee: ann}]")))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (command("10m", "acknowledge"), "unknown_review"),
        (command("1h", "acknowledge") + command("2h", "acknowledge"), "no_change"),
        (command("1h", "snooze, until: 900h"), "out_of_range"),
    ],
)
def test_a_command_that_is_refused_fails_the_test_unless_it_is_to_be(sent: str, reason: str):
    rest = expect("firing: [{from: 1h, to: 4h}]")
    assert f"+ refused as {reason}: " in says(run("commands:\n" + sent + rest))
    meant = sent.rstrip()[:-1] + f", refused: {reason}}}\n"
    assert says(run("commands:\n" + meant + rest)) == ""


def test_an_alert_that_returns_reopens_the_review_or_opens_another():
    values = "1 99 1 99 1 1"
    again = (
        "triggers: [{at: 30m, type: opened}, {at: 1h30m, type: resolved},"
        " {at: 2h30m, type: TYPE}, {at: 3h30m, type: resolved}]"
    )
    within, apart = ON_RECOVERY, ON_RECOVERY.replace("2h}", "0s}")
    assert says(run(expect(again.replace("TYPE", "reopened")), values, within)) == ""
    assert says(run(expect(again.replace("TYPE", "opened")), values, apart)) == ""


def test_an_alert_that_returns_while_an_answer_is_awaited_goes_on_with_that_review():
    resumed = expect(
        "triggers: [{at: 30m, type: opened}, {at: 90m, type: alert_ended}, {at: 150m, type: alert_resumed}]"
    )
    assert says(run(resumed, "1 99 1 99", "review: {close: on_answer, reopen_within: 0s}")) == ""


def test_two_alerts_of_a_joined_rule_are_two_though_they_share_a_review():
    verdict = run(
        expect("firing: [{from: 1h, to: 2h}, {from: 3h, to: 4h}], reviews: [{at: 6h, state: resolved}]", "both"),
        "1 99 1 99 1 1",
    )
    assert says(verdict) == ""
    reopened = expect("triggers: [{at: 1h30m, type: opened}]", "both")
    assert "reopened" in says(run(reopened, "1 99 1 99 1 1"))


def test_alerts_that_flap_are_all_told():
    values = "1 99 1 99 1 99 1 99 1 99 1 1"
    stretches = ", ".join(f"{{from: {n}h, to: {n + 1}h}}" for n in (1, 3, 5, 7, 9))
    assert says(run(expect(f"firing: [{stretches}], reviews: [{{at: 9h, state: open}}]", "both"), values)) == ""


def test_a_rule_in_shadow_has_the_reviews_that_it_would_have():
    verdict = run(expect("reviews: [{at: 1h, state: open}]"), more=f"mode: shadow\n{ON_ANSWER}")
    assert says(verdict) == ""


def test_without_a_word_on_firing_reviews_elsewhere_are_not_expected():
    other = "  - {kpi: waiting, dimensions: {site: t}, values: 1 99x3}\n"
    verdict = run(other + expect("reviews: [{at: 1h, state: open}]"))
    assert "high, site t: reviews\n- not expected here\n+ 30m (2026-01-05T01:00:00Z): open" in says(verdict)


def test_a_group_has_one_review_and_its_series_fire():
    other = "  - {kpi: waiting, dimensions: {site: t}, values: 1 1 99 1}\n"
    verdict = run(
        other
        + expect("firing: [{from: 1h, to: 4h}]")
        + "  - {rule: high, dimensions: {site: t}, firing: [{from: 2h, to: 3h}]}\n"
        + "  - {rule: high, reviews: [{at: 30m, state: never}, {at: 1h, state: open}, {at: 3h, state: overdue}]}\n",
        more=f"group_by: []\n{ON_ANSWER}",
    )
    assert says(verdict) == ""


def test_the_clock_goes_on_until_the_last_time_that_is_spoken_of():
    assert says(run(expect("reviews: [{at: 400h, state: escalated}]"))) == ""


def test_an_edit_that_turns_a_rule_off_takes_back_what_it_was_saying():
    off = "edits:\n  - {at: 2h30m, rule: high, set: {mode: 'off'}}\n"
    verdict = run(off + expect("firing: never, reviews: [{at: 90m, state: open}, {at: 3h, state: withdrawn}]"))
    assert says(verdict) == ""


def test_whoever_owns_the_kpi_after_an_edit_owns_the_reviews_that_open_then():
    moved = "edits:\n  - {at: 20m, kpi: waiting, set: {owner: chief}}\n"
    assert says(run(moved + expect("reviews: [{at: 1h, state: open, owner: chief}]"))) == ""


def test_an_edit_does_not_reach_beyond_its_test():
    found = loaded(
        "edits:\n  - {at: 20m, rule: high, set: {condition: {threshold: {above: 100}}}}\n"
        + expect("firing: never")
        + "---\nkind: test\nid: untouched\nstart: 2026-01-05T00:30:00Z\nevery: 1h\nmeasurements:\n"
        + "  - {kpi: waiting, dimensions: {site: s}, values: 1 99 1}\n"
        + expect("firing: [{from: 1h, to: 2h}]"),
        "1 99 1",
        ON_ANSWER,
    )
    assert found.rule_set is not None
    assert [run_test(test, found.rule_set).passed for test in found.tests] == [True, True]


@pytest.mark.parametrize(("sent", "opened"), [("", "2026-01-05T03:00:00Z"), ("yes", "2026-01-05T04:30:00Z")])
def test_whoever_counts_answers_hears_of_those_of_a_test(sent: str, opened: str):
    """The KPI is to be reviewed each three hours from midnight, the first tick, or from the answer of half past one."""
    answer = "commands:\n" + command("1h", "resolve, verdict: real, answer: We know") if sent else ""
    text = DECLARED.replace("dimensions: [site]", "dimensions: [site]\nreview: {every: 3h}")
    text = text.replace("MORE", ON_ANSWER).replace("VALUES", "1 99x3 1x8")
    found = load_read(read_text("all.yaml", text + answer + expect("firing: never")))
    assert found.rule_set is not None, found.problems
    [test] = found.tests
    timed = [
        (time, Measurement("waiting", format_time(time), value, {"site": "s"}))
        for time, value in (
            (test.start + step * HOUR, value) for step, value in enumerate((1.0, 99.0, 99.0, 99.0, 1.0))
        )
    ]
    replayed = replay(found.rule_set, timed, every=test.ticks, begin=test.start, acts=acts_of(test))
    assert next(each for each in triggers_of(replayed.outputs) if each.data.rule == "cadence:waiting").time == opened
