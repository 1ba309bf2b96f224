"""Secrets of a delivery file: nothing that is said of it shows one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from engine.deliver.file import load_file
from engine.deliver.secrets import NoSecretError, is_reference, resolve
from engine.deliver.spec import AppriseSpec, WebhookSpec

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-hunter2"  # noqa: S105 (of this test)


def test_references_are_resolved_within_a_text_and_from_the_file_s_folder(tmp_path: Path):
    (tmp_path / "key").write_text(f"{SECRET}\n", "utf-8")
    assert resolve("file:key", {}, tmp_path) == SECRET
    assert resolve("mailto://me:${PW}@host", {"PW": SECRET}, tmp_path) == f"mailto://me:{SECRET}@host"
    assert [is_reference(text) for text in ("${A}", "file:x", "a${A}", SECRET)] == [True, True, False, False]
    for missing in ("${NOT_THERE}", "file:not-there", "file:empty"):
        (tmp_path / "empty").touch()
        with pytest.raises(NoSecretError):
            resolve(missing, {"NOT_THERE": ""}, tmp_path)


@pytest.mark.parametrize(
    "field",
    [
        "type: apprise\nurls: ['nosuch://${S}']",
        "type: apprise\nurls: ${S}",
        "type: webhook\nurl: ${S}\nsecrets: ['${S}']",
        "type: webhook\nurl: https://example.com\nsecrets: [hunter2-hunter2]",
        "type: webhook\nurl: https://example.com\nsecrets: hunter2-hunter2",
        "type: webhook\nurl: {a: hunter2-hunter2}\nsecrets: ['${S}']\nheaders: [hunter2-hunter2]",
    ],
)
def test_no_problem_and_no_log_line_shows_a_secret(field: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "delivery.yaml"
    path.write_text(f"kind: receiver\nid: one\n{field}\n", "utf-8")
    with caplog.at_level(logging.DEBUG):
        loaded = load_file(path, {"S": SECRET})
    assert loaded.file is None
    assert SECRET not in "\n".join(map(str, loaded.problems)) + caplog.text


def test_what_is_sound_is_resolved(tmp_path: Path):
    path = tmp_path / "delivery.yaml"
    path.write_text(
        "kind: receiver\nid: hook\ntype: webhook\nurl: https://example.com/${P}\nsecrets: ['${K}']\n"
        "headers: {authorization: 'Bearer ${P}'}\n---\nkind: receiver\nid: chat\ntype: apprise\nurls: ['json://${P}']\n",
        "utf-8",
    )
    loaded = load_file(path, {"P": "path", "K": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
    assert loaded.file is not None, loaded.problems
    hook, chat = loaded.file.receivers
    assert isinstance(hook, WebhookSpec)
    assert isinstance(chat, AppriseSpec)
    assert (hook.url, hook.headers["authorization"], chat.urls) == (
        "https://example.com/path",
        "Bearer path",
        ["json://path"],
    )
