from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.loader import load_read
from engine.rules.source import read_text

GOLDEN = Path(__file__).parent.parent / "golden"
BASE = (GOLDEN / "base.yaml").read_text("utf-8")
CASES = [path.read_text("utf-8").split(" --\n")[1] for path in sorted((GOLDEN / "cases").glob("*.txt"))]
SEEDS = [BASE, *(f"{BASE}---\n{case}" for case in CASES)]
PIECES = ["{}", "[]", "[a]", "null", "5", "-1", "no", "5%", "1h", ": ", "- ", "\n", "---\n", "{a: b}"]
PIECES += ["'", '"', "&a ", "*a", "kpi", "é"]


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 30)))
        text = text[:begin] + draw(st.sampled_from(PIECES)) + text[end:]
    return text


@st.composite
def _with_a_value_replaced(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(SEEDS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1)) if lines else 0
        if lines and ":" in lines[place]:
            lines[place] = lines[place].split(":")[0] + ": " + draw(st.sampled_from(PIECES))
    return "\n".join(lines)


@settings(max_examples=200)
@given(st.one_of(_damaged(), _with_a_value_replaced()))
def test_whatever_a_file_holds_is_a_rule_set_or_problems_within_the_file(text: str):
    loaded = load_read(read_text("a.yaml", text))
    assert loaded.rule_set is not None or loaded.problems
    lines = text.count("\n") + 2
    for problem in loaded.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.expected
        assert problem.found
        assert problem.mend
