"""The default detectors on anybody's series: a file, row by row, each seen once and none before its turn."""
