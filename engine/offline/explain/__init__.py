"""Triggers explained: recomputed from their evidence by the engine's own functions, and from the log."""
