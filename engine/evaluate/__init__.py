"""Stage 1, pure: `evaluate(state, chunk) -> (state, emissions)`. It reads no clock, file, environment or randomness."""
