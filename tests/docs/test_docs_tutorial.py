"""The tutorials of the README, command by command as they are printed there, and what comes out of them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sysconfig
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from engine.brokers.feed import Feed
from engine.brokers.topics import Topic, TopicAdmin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.brokers.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 400
_CHANGING = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b[0-9a-f]{32}\b|in \d+\.\d\d s")
"""Times of a wall clock, hashes and durations are not compared."""


class Step(NamedTuple):
    """Commands of one block, and the lines that the page shows after them."""

    commands: str
    shown: tuple[str, ...]


def steps_of(heading: str) -> list[Step]:
    """The indented blocks of a section, each with the fenced one that follows it."""
    page = (ROOT / "README.md").read_text("utf-8")
    start = page.index(f"### {heading}\n")
    section = page[start : start + 10 + re.search(r"^##", page[start + 10 :], re.MULTILINE).start()]  # type: ignore[union-attr]
    blocks = re.findall(r"(?:^ {4}[^\n]*\n)+|^```\n.*?^```$", section, re.DOTALL | re.MULTILINE)
    steps: list[Step] = []
    for block in blocks:
        if block.startswith("```"):
            steps[-1] = steps[-1]._replace(shown=tuple(block.splitlines()[1:-1]))
        else:
            steps.append(Step(re.sub("^    ", "", block, flags=re.MULTILINE), ()))
    return steps


def environment(**more: str) -> Mapping[str, str]:
    """The commands on the path; nothing of this machine's own settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERPOINT_")}
    path = f"{sysconfig.get_path('scripts')}:{clean['PATH']}"
    # Two things of the page are the machine's: whether its ports are free, and how long one likes to wait for a tick.
    return clean | {"PATH": path, "COUNTERPOINT_HTTP_PORT": "0", "COUNTERPOINT_TICK_INTERVAL": "2s", **more}


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def run(steps: Sequence[Step], folder: Path, variables: Mapping[str, str]) -> list[str]:
    """One shell takes them all, as a reader's does; what each step put out."""
    shutil.copytree(ROOT / "docs" / "tutorial", folder / "docs" / "tutorial")
    script = "set -eu\n" + "".join(f"echo '@@'\n{step.commands}" for step in steps)
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
            logs = "".join(path.read_text("utf-8")[-5_000:] for path in folder.glob("*/worker.log"))
            pytest.fail(f"after {SECONDS} s:\n{output}\n{logs}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    return output.split("@@\n")[1:]


def assert_shown(step: Step, output: str) -> None:
    """Every line that the page shows came out, in that order; `...` stands for what is left out."""
    lines = iter([plain(line) for line in output.splitlines()])
    for line in step.shown:
        if line == "...":
            continue
        wanted, cut = plain(line.removesuffix("...")), line.endswith("...")
        assert any(found.startswith(wanted) if cut else found == wanted for found in lines), f"{line}\n\n{output}"


def plain(line: str) -> str:
    return " ".join(_CHANGING.sub("*", line).split())


@pytest.mark.slow
def test_the_tutorial_from_a_file_does_what_it_says(tmp_path: Path):
    steps = steps_of("From a file")
    outputs = run(steps, tmp_path, environment(COUNTERPOINT_BROKERS=free_address()))
    for step, output in zip(steps, outputs, strict=True):
        assert_shown(step, output)


@pytest.mark.slow
def test_the_tutorial_from_a_topic_does_what_it_says(tmp_path: Path):
    steps = steps_of("From a topic that is there already")
    outputs = run(steps, tmp_path, environment(COUNTERPOINT_BROKERS=free_address()))
    for step, output in zip(steps, outputs, strict=True):
        assert_shown(step, output)


@pytest.mark.kafka
def test_the_tutorial_from_a_file_does_the_same_at_a_kafka(kafka: KafkaBroker, prefix: str, tmp_path: Path):
    steps = [without_broker(step) for step in steps_of("From a file")]
    variables = environment(COUNTERPOINT_BROKERS=kafka.bootstrap, COUNTERPOINT_PREFIX=prefix)
    for step, output in zip(steps, run(steps, tmp_path, variables), strict=True):
        assert_shown(step, output.replace(prefix, "counterpoint"))


@pytest.mark.kafka
def test_the_tutorial_from_a_topic_does_the_same_at_a_kafka(kafka: KafkaBroker, prefix: str, tmp_path: Path):
    """The topic is somebody else's; they go on writing to it what the page appends to the file."""
    steps = [without_broker(step) for step in steps_of("From a topic that is there already")]
    TopicAdmin(kafka.bootstrap).create([Topic("shop.payments", 1, {"cleanup.policy": "delete"})])
    written = tmp_path / "trial-topic" / "payments.ndjson"
    written.parent.mkdir()
    shutil.copy(ROOT / "docs" / "tutorial" / "payments.ndjson", written)
    feed, stopped = Feed(kafka.bootstrap, "shop.payments", 1, written), threading.Event()
    feed.send_new()
    theirs = threading.Thread(target=feed.follow, args=(stopped,))
    theirs.start()
    try:
        variables = environment(COUNTERPOINT_BROKERS=kafka.bootstrap, COUNTERPOINT_PREFIX=prefix)
        for step, output in zip(steps, run(steps, tmp_path, variables), strict=True):
            assert_shown(step, output)
    finally:
        stopped.set()
        theirs.join()


def without_broker(step: Step) -> Step:
    commands = re.sub(r"^counterpoint broker.*\n", "", step.commands, flags=re.MULTILINE)
    return step._replace(commands=commands.replace("kill %2; wait %2; kill %1; wait %1", "kill %1; wait %1"))
