"""The digests of a trigger, recomputed: they name the part that was changed, whatever it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.model.event_parts import event_parts, evidence_parts
from engine.model.identity import digest_of
from engine.offline.explain.account import Check, Line, Step
from engine.offline.explain.leaves import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def digest_step(event: Mapping[str, Any]) -> Step:
    """A line for the parts of the event, and one for the parts of its evidence."""
    data = event["data"]
    lines = [_line("of the event", _checks(event_parts(event), data.get("digests"), "data"))]
    evidence = data.get("evidence")
    if isinstance(evidence, dict) and (parts := evidence_parts(evidence)) | (found := _named(evidence)):
        lines.append(_line("of the evidence", _checks(parts, found, "data.evidence")))
    return Step("The digests", tuple(lines))


def _named(evidence: Mapping[str, Any]) -> dict[str, Any]:
    found = evidence.get("digests")
    return found if isinstance(found, dict) else {}


def _checks(parts: Mapping[str, Any], found: object, where: str) -> Iterator[Check]:
    said = found if isinstance(found, dict) else {}
    for name in dict.fromkeys((*parts, *said)):
        expected = digest_of(parts[name]) if name in parts else ABSENT
        digest = said.get(name, ABSENT)
        yield Check(_path(where, name), digest, expected, digest == expected, f"the digest of {name}")


def _path(where: str, name: str) -> str:
    """What the part is called in the event; `event` and `review` are what is left of it and of `data`."""
    return {"data.event": "event", "data.review": "data"}.get(f"{where}.{name}", f"{where}.{name}")


def _line(label: str, checks: Iterator[Check]) -> Line:
    held = tuple(checks)
    names = [str(check.why).rpartition(" ")[2] for check in held]
    return Line(label, f"{len(held)} parts: {', '.join(names)}", held)
