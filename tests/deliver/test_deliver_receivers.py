"""Receivers against real servers on loopback: a webhook's, Alertmanager's, an SMTP sink."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from deliver_world import memory_log, review_id, trigger, until, wall_clock
from monitoring import eventually
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from engine.deliver.alertmanager import Alertmanager
from engine.deliver.message import Writer
from engine.deliver.people import People
from engine.deliver.receiver import Delivered, Failed, Refused, Result
from engine.deliver.rule_sets import KnownRuleSets
from engine.deliver.spec import AlertmanagerSpec, AppriseSpec, WebhookSpec
from engine.deliver.webhook import Webhook
from engine.model.time import MINUTE, SECOND
from engine.notify.notification import Notification, of_digest, of_trigger
from engine.wire.encode import encode_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    from local_receivers import HttpSink, MailSink

    from engine.deliver.receiver import Receiver

OLD = "whsec_" + b64encode(b"0123456789abcdefghij").decode()
NEW = "whsec_" + b64encode(b"jihgfedcba9876543210").decode()
WRITER = Writer(b"key", lambda owner, _: f"Support ({owner})")
OPENED = of_trigger(trigger(1, 1, "opened"))
DIGEST = of_digest("support", "2026-W05", 1, "2026-02-01T00:00:00Z", "3 notifications bundled.", ("late: 3",))


def send(receiver: Receiver, *notifications: Notification, redelivered: bool = False) -> list[Result]:
    async def play() -> list[Result]:
        try:
            return [await receiver.send(each, redelivered=redelivered) for each in notifications]
        finally:
            await receiver.close()

    return asyncio.run(play())


def webhook(url: str, *secrets: str, **more: Any) -> Webhook:
    spec = WebhookSpec(kind="receiver", id="hook", type="webhook", url=url, secrets=list(secrets) or [NEW], **more)
    return Webhook(spec, wall_clock)


# The webhook.


def test_a_webhook_gets_the_event_as_it_stands_signed_so_that_the_reference_library_takes_it(sink: HttpSink):
    assert send(webhook(sink.url), OPENED) == [Delivered()]
    [request] = sink.requests
    assert request.body == encode_record(OPENED.trigger or OPENED)
    assert Verifier(NEW).verify(request.body, dict(request.headers))["type"] == "counterpoint.review.opened.v1"
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["webhook-id"] == OPENED.id
    assert headers["content-type"] == "application/cloudevents+json"
    assert "counterpoint-redelivered" not in headers


def test_while_keys_are_changed_both_are_good_and_no_other(sink: HttpSink):
    send(webhook(sink.url, OLD, NEW), OPENED, redelivered=True)
    [request] = sink.requests
    for key in (OLD, NEW):
        Verifier(key).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(b64encode(b"another key of 20 by").decode()).verify(request.body, dict(request.headers))
    assert {name.lower() for name in request.headers} >= {"counterpoint-redelivered"}


def test_a_digest_is_an_event_of_its_own(sink: HttpSink):
    send(webhook(sink.url), DIGEST)
    event = json.loads(sink.requests[0].body)
    assert (event["type"], event["id"]) == ("counterpoint.notification.digest.v1", DIGEST.id)
    assert event["data"]["lines"] == ["late: 3"]


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, Delivered()),
        (400, {}, Refused("400 Bad Request")),
        (410, {}, Refused("410 Gone")),
        (302, {"location": "/elsewhere"}, Refused("302 Found")),
        (408, {}, Failed("408 Request Timeout", 0, uncertain=False)),
        (429, {"retry-after": "7"}, Failed("429 Too Many Requests", 7 * SECOND, uncertain=False)),
        (503, {"retry-after": "never"}, Failed("503 Service Unavailable", 0)),
        (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, Failed("503 Service Unavailable", 0)),
    ],
)
def test_what_an_answer_means(sink: HttpSink, status: int, headers: dict[str, str], expected: Result):
    sink.answers = [(status, headers)]
    assert send(webhook(sink.url), OPENED) == [expected]


def test_a_date_to_come_back_at_is_waited_for(sink: HttpSink):
    sink.answers = [(503, {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"})]
    [result] = send(webhook(sink.url), OPENED)
    assert isinstance(result, Failed)
    assert result.after > 365 * 24 * 60 * MINUTE


def test_nobody_there_is_a_failure_that_has_delivered_nothing(sink: HttpSink):
    sink.close()
    [result] = send(webhook(sink.url), OPENED)
    assert isinstance(result, Failed)
    assert not result.uncertain
    assert sink.url not in result.why


# Alertmanager.


def manager(url: str, **more: Any) -> Alertmanager:
    spec = AlertmanagerSpec(kind="receiver", id="alerts", type="alertmanager", url=url, **more)
    return Alertmanager(spec, WRITER, wall_clock)


def labels_of(request_body: bytes) -> dict[str, str]:
    [alert] = json.loads(request_body)
    labels: dict[str, str] = alert["labels"]
    return labels


def test_an_alert_keeps_its_labels_and_gets_the_newest_words(sink: HttpSink):
    later = of_trigger(trigger(1, 2, "overdue", severity="warning", explanation="Nobody has answered yet."))
    send(manager(sink.url), OPENED, later)
    first, second = (json.loads(request.body)[0] for request in sink.requests)
    assert sink.requests[0].path.endswith("/api/v2/alerts")
    assert first["labels"] == second["labels"]
    assert first["labels"] == {
        "alertname": "Tickets pile up",
        "rule": "tickets-high",
        "severity": "critical",
        "owner": "support",
        "objective": "service",
        "kpi": "support.tickets",
        "review": review_id(1),
        "channel": "c1",
    }
    assert (second["annotations"]["summary"], second["annotations"]["state"]) == ("Nobody has answered yet.", "overdue")
    assert first["startsAt"] == second["startsAt"]
    assert second["endsAt"] > second["startsAt"]


def test_dimensions_hide_no_label_of_ours_and_sensitive_ones_are_hashed(sink: HttpSink):
    named = {"severity": "low", "sales channel": "web", "customer": "ACME"}
    told = of_trigger(trigger(1, 1, "opened", dimensions=named, sensitive=("customer",), scope="x"))
    send(manager(sink.url), told)
    labels = labels_of(sink.requests[0].body)
    assert (labels["severity"], labels["sales_channel"]) == ("critical", "web")
    assert labels["customer"].startswith("~")
    assert b"ACME" not in sink.requests[0].body


def test_until_says_what_ends_it(sink: HttpSink):
    over = of_trigger(trigger(1, 2, "alert_ended", alert="over"))
    for lasting, ended in (("review", False), ("alert", True)):
        sink.requests.clear()
        send(manager(sink.url, until=lasting), OPENED, over)
        alert = json.loads(sink.requests[1].body)[0]
        assert (alert["endsAt"] <= json.loads(sink.requests[0].body)[0]["endsAt"]) is ended


def test_what_it_kept_is_sent_again_after_a_restart_and_what_ended_is_forgotten_later(sink: HttpSink):
    [first] = send(manager(sink.url, resend="1s"), OPENED)
    assert isinstance(first, Delivered)
    kept = {name: value for name, value in first.kept.items() if value is not None}

    async def play() -> list[int]:
        receiver = manager(sink.url, resend="1s")
        receiver.restore(kept)
        again = asyncio.create_task(receiver.run())
        await until(lambda: len(sink.requests) >= 3)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
        result = await receiver.send(of_trigger(trigger(1, 2, "resolved")), redelivered=False)
        assert isinstance(result, Delivered)
        await receiver.close()
        return [len(json.loads(request.body)) for request in sink.requests]

    assert asyncio.run(play()) == [1, 1, 1, 1]
    assert len({request.body.split(b'"startsAt"')[0] for request in sink.requests[:3]}) == 1


@pytest.mark.slow
def test_the_active_set_of_a_real_alertmanager_is_the_open_set(
    alertmanager: Callable[[Path], Any], amtool: Callable[..., CompletedProcess[str]], tmp_path: Path
):
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n", "utf-8")
    server = alertmanager(config)

    def active() -> set[str]:
        done = amtool("--alertmanager.url", server.url, "-o", "json", "alert", "query")
        return {alert["labels"]["review"] for alert in json.loads(done.stdout)}

    kept: dict[str, bytes] = {}

    def tell(*notifications: Notification) -> None:
        """By a receiver that was started again and knows what it had kept."""
        receiver = manager(server.url)
        receiver.restore(kept)
        for result in send(receiver, *notifications):
            assert isinstance(result, Delivered)
            kept.update((review, value) for review, value in result.kept.items() if value is not None)

    tell(*(of_trigger(trigger(number, 1, "opened")) for number in range(4)))
    assert eventually(lambda: active() == {review_id(number) for number in range(4)})
    tell(of_trigger(trigger(0, 2, "resolved")), of_trigger(trigger(2, 2, "withdrawn", state="withdrawn")))
    assert eventually(lambda: active() == {review_id(1), review_id(3)}, 30)
    tell(of_trigger(trigger(0, 3, "reopened")))
    assert eventually(lambda: active() == {review_id(0), review_id(1), review_id(3)}, 30)


# People, through apprise.


def people(*urls: str, **more: Any) -> People:
    spec = AppriseSpec(kind="receiver", id="people", type="apprise", urls=list(urls), **more)
    return People(spec, WRITER, KnownRuleSets(memory_log()))


def test_a_mail_begins_with_the_sentence_and_says_who_by_when_and_how_to_answer(mail: MailSink):
    url = f"mailto://127.0.0.1:{mail.port}/?from=engine@example.com&to=ops@example.com&mode=insecure"
    assert send(people(url), OPENED) == [Delivered()]
    [message] = mail.mails
    assert message["subject"] == "[critical] Tickets pile up: opened"
    part = message.get_body(("plain",))
    text = (part or message).get_content()
    assert text.startswith("Tickets of c1 are 201, above the limit of 150.")
    for line in ("Who: Support (support)", "Question: What do we change?", f"counterpoint reviews ack {review_id(1)}"):
        assert line in text


def test_a_chat_gets_title_and_text_and_a_repeat_says_so(sink: HttpSink):
    sink.answers = [(200, {})]
    assert send(people(f"json://127.0.0.1:{sink.port}/"), OPENED, redelivered=True) == [Delivered()]
    told = json.loads(sink.requests[0].body)
    assert told["title"] == "[critical] Tickets pile up: opened"
    assert told["type"] == "failure"
    assert "you may have had this message already" in told["message"]


def test_who_has_got_it_is_not_told_again_when_another_fails(sink: HttpSink, mail: MailSink):
    sink.answers = [(500, {}), (200, {})]
    urls = (
        f"mailto://127.0.0.1:{mail.port}/?from=a@example.com&to=b@example.com&mode=insecure",
        f"json://127.0.0.1:{sink.port}/",
    )
    first, second = send(people(*urls), OPENED, OPENED)
    assert isinstance(first, Failed)
    assert "127.0.0.1" not in first.why
    assert second == Delivered()
    assert (len(mail.mails), len(sink.requests)) == (1, 2)


def test_without_anybody_to_tell_it_is_refused():
    [result] = send(people(owners=True), OPENED)
    assert isinstance(result, Refused)


def test_whoever_takes_the_connection_and_says_nothing_is_let_go_of():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        receiver = people(f"json://127.0.0.1:{port}/", f"mailto://127.0.0.1:{port}/?to=a@example.com", timeout="1s")
        begun = time.monotonic()
        [result] = send(receiver, OPENED)
    assert isinstance(result, Failed)
    assert result.uncertain
    assert time.monotonic() - begun < 60
