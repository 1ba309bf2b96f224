"""kafka-python warns of a deprecated call of its own when it is first imported; that is not ours to fail on."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka.record.memory_records  # noqa: F401 (imported here once, so that the tests import it quietly)
