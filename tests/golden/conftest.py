from __future__ import annotations

from typing import TYPE_CHECKING

from golden_case import CASES, Case

if TYPE_CHECKING:
    import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [Case.read(path) for path in sorted(CASES.glob("*.txt"))]
        metafunc.parametrize("case", cases, ids=[case.path.stem for case in cases])
