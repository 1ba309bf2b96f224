"""A KPI of failed requests, an hour a window, with whom and what it is for; rules are written behind it."""

CATALOGUE = """
kind: owner
id: ops
name: Operations
---
kind: objective
id: up
title: It is up
owner: ops
---
kind: kpi
id: errors
title: Errors
owner: ops
objective: up
definition: Requests that failed
decision: Roll back
direction: lower_is_better
role: leading
unit: errors
aggregation: sum
window: {every: 1h}
cadence: 1h
dimensions: [host]
series: [{host: a}]
target: {value: 1, by: 2030-12-31}
---
"""
