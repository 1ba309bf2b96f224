"""The slow twins of stage 1, the small world of backtests and the shop of explanations stand beside their own tests."""

from __future__ import annotations

import sys
from pathlib import Path

for room in ("evaluate", "explain"):
    sys.path.insert(0, str(Path(__file__).parent.parent / room))
