from __future__ import annotations

import pytest
from golden_case import CASES, Case


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what comes out into the golden files")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the golden files; the option is there when tests/golden is named on the command line."""
    return bool(request.config.getoption("--update-golden", default=False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [Case.read(path) for path in sorted(CASES.glob("*.txt"))]
        metafunc.parametrize("case", cases, ids=[case.path.stem for case in cases])
