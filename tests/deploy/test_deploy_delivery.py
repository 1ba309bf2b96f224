"""The delivery file to begin with: sound as it stands, and with everything in it that is commented out."""

from __future__ import annotations

import re
from pathlib import Path

from engine.deliver.file import load_file

FILE = Path(__file__).resolve().parents[2] / "deploy" / "delivery" / "delivery.yaml"
SECRETS = {"TICKETS_HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "ON_CALL_URL": "json://127.0.0.1:9"}


def test_it_is_sound_as_it_stands_and_with_everything_in_it(tmp_path: Path):
    assert load_file(FILE, {}).problems == ()
    text = FILE.read_text("utf-8")
    plain, _, examples = text.partition("continue: true\n")
    path = tmp_path / "delivery.yaml"
    path.write_text(f"{plain}continue: true\n{re.sub(r'^# ', '', examples, flags=re.MULTILINE)}", "utf-8")
    loaded = load_file(path, SECRETS)
    assert loaded.problems == ()
    assert loaded.file is not None
    assert [receiver.id for receiver in loaded.file.receivers] == ["alertmanager", "tickets", "on-call"]
