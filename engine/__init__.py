"""Counterpoint: an event-driven rules engine for KPIs.

It calls a review, with the evidence, while a KPI can still change the outcome.
"""

SEMANTICS_VERSION = 2
"""Raised whenever the same input log would give other findings; part of every log position."""

__version__ = "0.1.0"
