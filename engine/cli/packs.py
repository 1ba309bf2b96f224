"""Where the shipped rule packs stand: beside the code, in a checkout (a link to `rules/`) and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigError

PACKS = Path(__file__).resolve().parent.parent / "packs"


def shipped_pack(name: str) -> Path:
    """The folder of a shipped pack, such as `flights`. ConfigError, with those that there are, for another name."""
    folder = PACKS / name
    if folder.is_dir():
        return folder
    there = ", ".join(sorted(path.name for path in PACKS.glob("*") if path.is_dir())) or "none"
    raise ConfigError([f"rule pack {name}: expected one of the shipped packs, found no such; there are: {there}"])
