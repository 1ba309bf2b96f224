"""From facts to diagnoses, one file an area. Pure: no broker, no clock, no file."""
