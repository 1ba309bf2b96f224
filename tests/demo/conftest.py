from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.offline.flights import load_table

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return load_table()
