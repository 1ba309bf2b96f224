"""Worlds made from a seed: the real processors and stages over a log in memory, with everything going wrong."""
