"""What came of rule tests as JUnit XML, which build servers read.

Elements and attributes as the schema of Jenkins' xUnit plugin has them (junit-10.xsd): a suite a file, a case a test.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from engine.cli.test_report import failure_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.offline.rule_tests import Verdict
    from engine.rules.problems import Problem


def write_junit(path: Path, verdicts: Sequence[tuple[Verdict, float]], problems: Sequence[Problem]) -> None:
    """Each verdict with the seconds that it took; errors in the files are a suite of their own. OSError where the file
    cannot be written.
    """
    root = ET.Element("testsuites")
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        _errors(root, errors)
    for file, group in groupby(verdicts, key=lambda pair: pair[0].test.file):
        _suite(root, file, list(group))
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(root: ET.Element, file: str, verdicts: Sequence[tuple[Verdict, float]]) -> None:
    failing = sum(not verdict.passed for verdict, _ in verdicts)
    seconds = sum(each for _, each in verdicts)
    suite = ET.SubElement(root, "testsuite", _counts(file, len(verdicts), failing, 0, seconds))
    for verdict, took in verdicts:
        test = verdict.test
        case = ET.SubElement(suite, "testcase", {"name": test.id, "classname": file, "time": f"{took:.3f}"})
        if not verdict.passed:
            failure = ET.SubElement(case, "failure", {"message": test.title or test.id})
            failure.text = "\n".join(failure_lines(verdict))


def _errors(root: ET.Element, errors: Sequence[Problem]) -> None:
    suite = ET.SubElement(root, "testsuite", _counts("rules", len(errors), 0, len(errors), 0.0))
    for problem in errors:
        case = ET.SubElement(suite, "testcase", {"name": problem.code, "classname": problem.file, "time": "0.000"})
        ET.SubElement(case, "error", {"message": str(problem)})


def _counts(name: str, tests: int, failures: int, errors: int, seconds: float) -> dict[str, str]:
    counted = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    return {"name": name, **counted, "time": f"{seconds:.3f}"}
