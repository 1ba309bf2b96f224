"""Worlds made of a seed: what a company would have measured, and what truly happened to it. Pure; no clock, no file."""
