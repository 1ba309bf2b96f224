"""A backtest: files of measurements through both stages in process, and what the rules would have called.

Readers turn files into columns, several files are merged by time, a clock cuts them at its ticks, the stages of a
worker take them, a tally keeps what is told of it.
"""
