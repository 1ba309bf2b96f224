"""The parts of a review trigger that have a digest each, so that a reader can name the one that was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.model.identity import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_DIGEST = ("kpi", "evidence", "episode", "moved_by", "excerpt")
"""Fields of `data` with a digest of their own."""


_PARTS = {
    "conflict": ("condition",),
    "reconciliation": ("condition", "reported", "record"),
    "off_track": ("condition", "measured", "points"),
    "group": ("condition", "listed"),
    "cadence": ("condition",),
    "precision": ("condition",),
    "governance": ("condition", "found"),
}
"""The fields of evidence with a digest of their own, by its type."""
_LISTED = {"conflict": "sides", "governance": "kpis"}
"""The field each of whose entries has one, by type."""


def event_parts(event: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an event that was decoded from JSON, or is to be encoded, by name: `event` is what stands beside
    `data`, `review` what of `data` is no part of its own. The digests themselves are in none.
    """
    data = event["data"]
    apart = (*OWN_DIGEST, "digests")
    return {
        "event": {name: value for name, value in event.items() if name != "data"},
        "review": {name: value for name, value in data.items() if name not in apart},
        **{name: data.get(name) for name in OWN_DIGEST},
    }


def event_digests(event: Mapping[str, Any], **known: str) -> dict[str, str]:
    """What `data.digests` must be; of some parts it may be `known` already."""
    return {name: known[name] if name in known else digest_of(part) for name, part in event_parts(event).items()}


def evidence_parts(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of evidence that was decoded from JSON, by the names that `evidence.digests` has for them."""
    kind = evidence.get("type")
    own = {name: evidence.get(name) for name in _PARTS.get(str(kind), ())}
    if "recent" in evidence:
        own["recent"] = evidence["recent"]
    if kind in _LISTED:
        listed = _LISTED[kind]
        return own | {f"{listed}[{n}]": each for n, each in enumerate(evidence.get(listed) or ())}
    if own:
        return own | ({"storm": evidence["storm"]} if evidence.get("storm") else {})
    if evidence.get("point") is None:
        return {}  # a rule set took the rule away: there is nothing that was judged
    parts = {name: evidence.get(name) for name in ("condition", "point")}
    parts["verdict"] = [evidence.get(name) for name in ("statistic", "limit", "baseline")]
    optional = ("baseline_points", "trend", "anomaly", "control")
    parts |= {name: evidence[name] for name in optional if evidence.get(name)}
    return parts
