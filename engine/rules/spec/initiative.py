"""Initiatives as written: work for an objective, whose milestones KPIs prove."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.rules.spec.scalars import Date, Id, Number, OneOwner, Spec, Text


class MilestoneSpec(Spec):
    """A step that is due by a date, and the KPI that proves it."""

    title: Text = Field(description="For people", examples=["Half of the tickets are answered by the help page"])
    by: Date = Field(description="When it is due", examples=["2026-12-31"])
    kpi: Id = Field(description="The KPI that proves it", examples=["support.tickets"])
    value: Number | None = Field(default=None, description="What the KPI must be at or past; its target unless said")
    done: Date | None = Field(default=None, description="When it was reported as done")


class InitiativeSpec(Spec):
    """Work for an objective."""

    kind: Literal["initiative"]
    id: Id = Field(description="What others refer to", examples=["self-service"])
    title: Text = Field(description="For people", examples=["Customers help themselves"])
    owner: OneOwner = Field(description="Exactly one", examples=["support"])
    objective: Id = Field(description="The objective that it serves", examples=["growth"])
    milestones: list[MilestoneSpec] = Field(default_factory=list, description="Steps, each proven by a KPI")
