"""Triggers as pictures. `picture` says what is to be seen, `draw` draws it; only the latter knows matplotlib."""
