"""Why a rule did not fire on a series: the first gate that stopped it, out of the log by the engine's own functions."""
