"""Catalogue, rules, sources and calendars: read with positions, checked, and bound into one immutable rule set."""
