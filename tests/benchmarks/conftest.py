"""The client's own library, imported without what it has to say about itself."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # kafka-python reads its own files by a function that Python 3.11 discourages, at its first import.
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka  # noqa: F401 (the first import is the point)
