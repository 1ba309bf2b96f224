"""Messages to people: what they say, and what they never say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from deliver_world import review_id, trigger
from hypothesis import given
from hypothesis import strategies as st

from engine.deliver.alerts import alert_of
from engine.deliver.message import Templates, Writer, scrubbed_labels
from engine.deliver.scrub import hashed, scrubber_of
from engine.deliver.template import NAMES, render, unknown_names
from engine.model.bottleneck import Bottleneck, DimensionChange, Named, ValueChange
from engine.model.finding import Evidence, WindowPoint
from engine.model.records import Ids, Parts, WindowBounds
from engine.model.trigger import ConflictEvidence, GroupEvidence, Member, ReviewTrigger, SideEvidence
from engine.notify.notification import Notification, of_digest, of_release, of_trigger

GOLDEN = Path(__file__).parent / "golden"
NAMED = {"support": "Support", "ops": "Operations", "cfo": "The CFO"}
WRITER = Writer(b"a key for tests!", lambda owner, _: f"{NAMED[owner]} ({owner})")
SECRET_DIMENSIONS = {"customer": "ACME Holding/7", "channel": "web"}
HASH = re.compile(r"~[0-9a-f]{8}")


def evidence(series: str) -> Evidence:
    window = WindowBounds("2026-01-31T10:00:00Z", "2026-01-31T11:00:00Z", 4711)
    parts = Parts(212, 212.0, 1.0, 1.0, 212, 1.0, "2026-01-31T10:59:58Z")
    point = WindowPoint(window, 212.0, "count", parts, Ids(212, "1", f"{series}-1", "b"))
    return Evidence({"threshold": {"above": 150}}, point, "set", statistic=212.0, limit=150.0)


def settled(made: ReviewTrigger) -> ReviewTrigger:
    """The same at a time that is always the same."""
    data = msgspec.structs.replace(made.data, opened="2026-01-31T11:00:10Z", due="2026-01-31T15:00:10Z")
    return msgspec.structs.replace(made, data=data, time="2026-01-31T11:00:10Z")


def notification(happening: str, ordinal: int, **data: Any) -> Notification:
    scope = 'support.tickets{"channel":"web","customer":"ACME Holding/7"}'
    common = {
        "scope": scope,
        "dimensions": SECRET_DIMENSIONS,
        "sensitive": ("customer",),
        "evidence": evidence(scope),
        "explanation": "Tickets of ACME Holding/7 (web) are 212, above the limit of 150.",
        "participants": ("ops",),
        "notify": ("support", "ops"),
    }
    return of_trigger(settled(trigger(1, ordinal, happening, **{**common, **data})))


def golden(name: str) -> Notification:
    match name:
        case "opened":
            return notification("opened", 1)
        case "overdue":
            about = "tickets of ACME Holding/7 (web) are above the limit of 150."
            late = f"Nobody has answered by 2026-01-31 15:00 UTC: {about}"
            return notification("overdue", 2, explanation=late, acknowledged_by="kim", assignee="kim")
        case "escalated":
            step = (
                "Overdue for 4 h, and now before The CFO: tickets of ACME Holding/7 (web) are above the limit of 150."
            )
            return notification("escalated", 3, explanation=step, state="escalated", notify=("cfo",), step=1)
        case "resolved":
            answer = "Two more people on the web channel"
            text = "Answered by kim: real."
            return notification("resolved", 4, explanation=text, verdict="real", answer=answer, evidence=None)
        case "released":
            made = notification("opened", 1).trigger
            assert made is not None
            return of_release(made, "The silence by kim (moving) ended at 2026-01-31T12:00:00Z.", made.time)
        case _:
            lines = ("tickets-high: 7", "late: 2")
            sentence = "9 notifications of 3 reviews bundled on 2026-01-31; 1 still open."
            return of_digest("support", "2026-W05", 1, "2026-02-01T00:00:00Z", sentence, lines)


@pytest.mark.parametrize("name", ["opened", "overdue", "escalated", "resolved", "released", "digest"])
def test_messages_say_exactly_this(name: str, *, update_golden: bool):
    message = WRITER.write(golden(name), redelivered=name == "overdue")
    text = f"{message.title}\n\n{message.body}\n".replace(review_id(1), "REVIEW")
    path = GOLDEN / f"{name}.txt"
    if update_golden:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
    assert "ACME" not in text


def test_the_sentence_comes_first_and_a_line_without_anything_to_say_is_left_out():
    body = WRITER.write(notification("opened", 1, runbook=None, question=None)).body
    assert body.startswith("Tickets of ~")
    assert not [name for name in ("Runbook", "Question") if name in body]


def test_templates_of_ones_own_take_the_place():
    own = WRITER._replace(templates=Templates("$rule", "$sentence\nfor $$5 at ${owner}\n$runbook"))
    made = own.write(notification("opened", 1, runbook=None))
    assert made.title == "tickets-high"
    assert made.body.endswith("for $5 at Support (support)")


def test_a_template_that_names_what_is_not_there_is_refused():
    wrong = unknown_names("$sentense")
    assert wrong is not None
    assert wrong.mend == 'did you mean "sentence"?'
    assert all(unknown_names(f"${{{name}}}") is None for name in NAMES)
    assert unknown_names("5 $") is not None


def test_a_value_in_a_template_is_only_a_value():
    assert render("$sentence", {"sentence": "$owner ${rule} $$"}) == "$owner ${rule} $$"


def test_the_same_value_has_the_same_hash_and_another_key_another_one():
    assert hashed("ACME", b"key") == hashed("ACME", b"key") != hashed("ACME", b"yek")
    assert HASH.fullmatch(hashed("ACME", b"key"))


def test_sensitive_values_in_the_series_of_members_are_hidden_too():
    members = tuple(
        Member(f'support.tickets{{"customer":"Firm {number} \\"x\\""}}', "late", "f", "t") for number in range(3)
    )
    group = GroupEvidence({}, 3, members, "set")
    made = notification("opened", 1, dimensions={}, scope="{}", evidence=group, explanation='Firm 1 "x" is late.')
    body = WRITER.write(made).body
    assert "Firm" not in body
    assert "3 firing" in body


values = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=3, max_size=20).filter(
    lambda text: text.strip() == text
)


@given(values, values, st.sampled_from(["opened", "overdue", "resolved", "commented"]))
def test_no_message_label_or_annotation_holds_a_sensitive_value(value: str, other: str, happening: str):
    dimensions = {"customer": value, "plan": value, "channel": other}
    scope = f"support.tickets{msgspec.json.encode(dimensions).decode()}"
    told = {
        "dimensions": dimensions,
        "sensitive": ("customer", "plan"),
        "scope": scope,
        "explanation": f"Tickets of {value} are up; «{value}», {scope}.",
        "title": f"For {value}",
        "answer": f"call {value}",
        "question": f"What of {value}?",
        "evidence": evidence(scope),
    }
    made = of_trigger(settled(trigger(1, 1, happening, **told)))
    plain = of_trigger(settled(trigger(1, 1, happening, **{**told, **_without(told, value)})))
    text, without = _everything(made), _everything(plain)
    if value in without:
        return  # it is also part of what has to be said
    assert value not in HASH.sub("", text)
    assert hashed(value, WRITER.key) in text


def _without(told: dict[str, Any], value: str) -> dict[str, Any]:
    """The same event of a customer that is called by nothing that could be mistaken for anything."""
    harmless = "\u2063\u2063\u2063"
    dimensions = {"customer": harmless, "plan": harmless, "channel": told["dimensions"]["channel"]}
    scope = f"support.tickets{msgspec.json.encode(dimensions).decode()}"
    texts = dict.fromkeys(("title", "answer", "question"), harmless)
    del value
    return {**texts, "dimensions": dimensions, "scope": scope, "explanation": scope, "evidence": evidence(scope)}


def _everything(made: Notification) -> str:
    assert made.trigger is not None
    message = WRITER.write(made)
    alert = alert_of(made, made.trigger, None, WRITER, None)
    return "\n".join(
        (
            message.title,
            message.body,
            *scrubbed_labels(made, WRITER.key).values(),
            *alert.labels.values(),
            *alert.annotations.values(),
            *WRITER.values(made).values(),
        )
    )


def test_a_short_value_is_hidden_where_it_stands_alone_and_words_stay_whole():
    made = settled(trigger(1, 1, "opened", dimensions={"plan": "a"}, sensitive=("plan",), scope='x{"plan":"a"}'))
    text = scrubber_of(made, b"key").text('Plan a (a, "a") has a late start; a_1')
    assert re.fullmatch(r'Plan ~\w+ \(~\w+, "~\w+"\) has ~\w+ late start; ~\w+_1', text)


def test_a_sensitive_value_that_carries_a_change_is_hidden_though_none_of_its_series_is_listed():
    changes = (ValueChange("ACME Holding/7", 280.0, 400.0, -120.0), ValueChange(None, 598.0, 600.0, -2.0))
    named = Named("customer", "ACME Holding/7", "value", -120.0)
    carried = Bottleneck(878.0, 1000.0, -122.0, 1, 4, named, (DimensionChange("customer", changes, 2, 0.0),))
    window = WindowBounds("2026-01-31T10:00:00Z", "2026-01-31T11:00:00Z", 4711)
    side = SideEvidence(
        "support.tickets", None, "worsened", 878.0, 1000.0, -0.1, -0.1, 0.0, (window,), (), (), (), 900, carried
    )
    made = trigger(
        1,
        1,
        "opened",
        dimensions={},
        scope="{}",
        sensitive=("customer",),
        evidence=ConflictEvidence({}, window, (side,), "conflict", "set"),
        explanation="Tickets went 12 % below, most of it in customer=ACME Holding/7: -120 of -122.",
    )
    text = _everything(of_trigger(settled(made)))
    assert "ACME" not in text
    assert f"customer={hashed('ACME Holding/7', WRITER.key)}: -120 of -122" in text
