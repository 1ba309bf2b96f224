"""The examples of the documentation do what they say, killed ten times too."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from review_topics import ReviewTopics, trigger
from test_client_commands import answering

if TYPE_CHECKING:
    from engine.brokers.kafka import KafkaBroker

pytestmark = pytest.mark.kafka
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
KILLS = 10
REVIEWS = 50
STATES = ("open", "acknowledged", "in_review", "overdue", "escalated", "resolved")
TRANSITIONS = len(STATES)


def start(name: str, topics: ReviewTopics, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(EXAMPLES / name), topics.bootstrap, topics.prefix, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parents[1])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_plain_consumer_needs_nothing_of_ours(kafka: KafkaBroker, prefix: str):
    topics = ReviewTopics(kafka, prefix)
    topics.tell(trigger(1), trigger(1), trigger(1, 2, "resolved"))
    out, _ = start("plain_consumer.py", topics, "2").communicate(timeout=60)
    assert out.splitlines() == [
        "2026-01-05T10:00:00Z opened ops None Review 1.",
        "2026-01-05T10:00:00Z resolved ops None Review 1.",
    ]
    assert "engine" not in (EXAMPLES / "plain_consumer.py").read_text(encoding="utf-8").replace("the engine", "")


def test_reviews_are_followed_and_critical_ones_acknowledged(kafka: KafkaBroker, prefix: str):
    topics = ReviewTopics(kafka, prefix)
    thread = answering(topics, "accepted")
    topics.tell(trigger(1, severity="critical"), trigger(1, 2, "updated"), trigger(1, 3, "resolved"))
    out, _ = start("follow_reviews.py", topics, "2").communicate(timeout=60)
    thread.join(20)
    assert out.splitlines() == [
        "opened     critical ops: Review 1.",
        "           accepted: Look again.",
        "resolved   warning  ops: Review 1.",
    ]


def test_tickets_are_written_exactly_once_however_often_the_program_is_killed(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
):
    topics, file, chance = ReviewTopics(kafka, prefix), tmp_path / "tickets.db", random.Random(5)
    told = threading.Thread(target=tell_slowly, args=(topics,))
    told.start()
    for _ in range(KILLS):
        program = start("tickets_from_reviews.py", topics, str(file))
        assert program.stdout is not None
        assert program.stdout.readline() == "following\n"
        time.sleep(chance.uniform(0.2, 3.0))  # not to wait for anything: to die at some moment
        program.kill()
        program.wait()
        program.stdout.close()
    told.join()
    program = start("tickets_from_reviews.py", topics, str(file))
    assert program.stdout is not None
    try:
        assert wait_for(file, REVIEWS * TRANSITIONS) == REVIEWS * TRANSITIONS
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("select review, state, changes from tickets").fetchall()
    assert len(rows) == REVIEWS
    assert {(state, changes) for _, state, changes in rows} == {("resolved", TRANSITIONS)}


def tell_slowly(topics: ReviewTopics) -> None:
    """So many reviews of so many transitions; the last state of each is the state of its ticket if order is kept."""
    for ordinal in range(1, TRANSITIONS + 1):
        for number in range(REVIEWS):
            topics.tell(trigger(number, ordinal, "opened" if ordinal == 1 else "updated", state=STATES[ordinal - 1]))
            time.sleep(0.02)


def wait_for(file: Path, count: int) -> int:
    """How many ids are seen, once it is so many, or in the end."""
    found = -1
    for _ in range(240):
        with closing(sqlite3.connect(file)) as database:
            found = database.execute("select count(*) from seen").fetchone()[0]
        if found >= count:
            break
        time.sleep(0.25)
    return int(found)
