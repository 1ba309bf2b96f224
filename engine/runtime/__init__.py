"""The shell's inner half: logs, batches, checkpoints and the processors that drive the pure centre. No Faust."""
