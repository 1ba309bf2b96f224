"""The compiled decoder, from record-batch bytes to columns: one step a file, each with its slow twin in the tests.

`framing` takes records out of batches, `message` a JSON object apart (`strings`, `numbers`, `times` read its parts),
`spellings` finds the series, `scan` is the pass over all of it. They take a strict subset of what the reference decoder
takes, and stop at everything else.
"""
