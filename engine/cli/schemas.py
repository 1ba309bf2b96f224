"""`counterpoint schemas`: the contracts, and the shape of rule files for editors, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.errors import ConfigError
from engine.rules.schema import rule_file_schema
from engine.wire.asyncapi import asyncapi
from engine.wire.contracts import CONTRACTS, json_schema

RULE_FILE = "rule-file.json"
"""For editors: a line `# yaml-language-server: $schema=...` at the top of a rule file names it."""


def schemas(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files stand.")] = Path("schemas"),
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file is not what would be written.")
    ] = False,
) -> None:
    """Write the contracts: a JSON Schema for each kind of record and for rule files, and one AsyncAPI 3.0 document.

    They are made of the code that reads and writes the records.
    """
    wanted = documents()
    stale = [name for name, text in wanted.items() if _read(out / name) != text]
    stray = sorted(path.name for path in out.glob("*.json") if path.name not in wanted)
    if check:
        _refuse(out, stale, stray)
        typer.echo(f"{len(wanted)} files in {out} are up to date.")
        return
    out.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (out / name).write_text(wanted[name], encoding="utf-8")
    typer.echo(f"Wrote {len(stale)} of {len(wanted)} files to {out}; the others were up to date.")
    for name in stray:
        typer.echo(f"{out / name} is none of them.", err=True)


def documents() -> dict[str, str]:
    """Every file by name, with its text."""
    found: dict[str, Any] = {contract.file: json_schema(contract) for contract in CONTRACTS}
    found["asyncapi.json"] = asyncapi()
    found[RULE_FILE] = rule_file_schema()
    return {name: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in found.items()}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _refuse(out: Path, stale: list[str], stray: list[str]) -> None:
    problems = [f"{out / name}: expected what the code says; run `counterpoint schemas`" for name in stale]
    problems += [f"{out / name}: expected no such file; delete it" for name in stray]
    if problems:
        raise ConfigError(problems)
