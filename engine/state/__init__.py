"""The state of one stage 1 partition: series, their rows in the tables, and the pages they are written as."""
