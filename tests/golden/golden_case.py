"""A golden file: what the case is about, its input files after `-- name --`, the output after `-- expected --`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
BASE = Path(__file__).parent / "base.yaml"
EXPECTED = "expected"
_HEADER = re.compile(r"^-- (\S+) --\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One golden file. Unless its comment says `without base.yaml`, its files stand beside the sound base.yaml.

    What is run is `counterpoint check .`, or what stands after `Run: counterpoint` in the comment.
    """

    path: Path
    comment: str
    files: dict[str, str]
    expected: str

    @property
    def arguments(self) -> list[str]:
        found = re.search(r"^Run: counterpoint (.*)$", self.comment, re.MULTILINE)
        return found[1].split() if found else ["check", "."]

    @classmethod
    def read(cls, path: Path) -> Case:
        comment, *parts = _HEADER.split(path.read_text("utf-8"))
        files = dict(zip(parts[::2], parts[1::2], strict=True))
        return cls(path, comment, files, files.pop(EXPECTED, ""))

    def lay_out(self, folder: Path) -> None:
        if "without base.yaml" not in self.comment:
            (folder / "base.yaml").write_text(BASE.read_text("utf-8"), "utf-8")
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")

    def update(self, output: str) -> None:
        parts = {**self.files, EXPECTED: output}
        text = self.comment + "".join(f"-- {name} --\n{body}" for name, body in parts.items())
        self.path.write_text(text, "utf-8")
