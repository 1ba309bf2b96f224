"""Bytes: record batches, measurements in, records out, and who owns a key. No I/O."""
