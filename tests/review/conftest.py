"""The builders of stage 2's input stand beside the tests of correlation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "correlate"))
