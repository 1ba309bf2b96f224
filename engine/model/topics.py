"""The names of the engine's own topics; a prefix keeps installations apart."""

from __future__ import annotations

from typing import Final

from engine.model.time import DAY, Micros

MEASUREMENTS = "measurements"
FINDINGS = "findings"
TRIGGERS = "review-triggers"
SHADOW_TRIGGERS = "shadow-triggers"
DEAD_LETTERS = "dead-letters"
KPI_STATE = "kpi-state"
CHECKPOINTS = "checkpoints"
RULE_SETS = "rule-sets"
CONTROL = "control"
AUDIT = "audit"
SILENCES = "silences"
DELIVERIES = "deliveries"

OWN_TOPICS = (
    MEASUREMENTS,
    FINDINGS,
    TRIGGERS,
    SHADOW_TRIGGERS,
    DEAD_LETTERS,
    KPI_STATE,
    CHECKPOINTS,
    RULE_SETS,
    CONTROL,
    AUDIT,
    SILENCES,
    DELIVERIES,
)

MEASUREMENTS_KEPT: Final[Micros] = 90 * DAY
"""How long measurements stay in the topic as `counterpoint topics` makes it."""


def full_name(prefix: str, topic: str) -> str:
    """The topic's name at the broker: `counterpoint` + `findings` gives `counterpoint.findings`."""
    return f"{prefix}.{topic}" if prefix else topic
