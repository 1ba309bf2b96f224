"""From a sample of somebody's data to a catalogue, a mapping, a rule and its test. Pure: rows in, text out."""
