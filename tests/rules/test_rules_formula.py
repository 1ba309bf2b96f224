"""Formulas are read and worked out as everybody would on paper."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.formula import FormulaError, formula_of

KPIS = ("orders", "web.sessions", "paid-back", "7days")
Tree = tuple[str, "Tree", "Tree"] | str | int

trees: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(KPIS) | st.integers(0, 20),
    lambda inner: st.tuples(st.sampled_from("+-*/"), inner, inner),
    max_leaves=8,
)


def written(tree: Tree) -> str:
    """With brackets round everything, so that nothing hangs on what binds closer."""
    return f"({written(tree[1])} {tree[0]} {written(tree[2])})" if isinstance(tree, tuple) else str(tree)


def twin(tree: Tree, values: dict[str, int]) -> Fraction | None:
    """In exact numbers; None where something is divided by zero."""
    if not isinstance(tree, tuple):
        return Fraction(values[tree] if isinstance(tree, str) else tree)
    one, other = twin(tree[1], values), twin(tree[2], values)
    if one is None or other is None:
        return None
    match tree[0]:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case _:
            return one / other if other else None


@given(tree=trees, numbers=st.lists(st.integers(-20, 20), min_size=4, max_size=4))
def test_a_formula_comes_to_what_exact_numbers_come_to(tree: Tree, numbers: list[int]):
    text = written(tree)
    if not any(kpi in text for kpi in KPIS):
        with pytest.raises(FormulaError):
            formula_of(text)
        return
    formula, values = formula_of(text), dict(zip(KPIS, numbers, strict=True))
    assert set(formula.kpis) == {kpi for kpi in KPIS if kpi in text}
    expected, found = twin(tree, values), formula.value({kpi: float(value) for kpi, value in values.items()})
    if expected is not None and found is not None:
        assert found == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
    # A zero of exact numbers is a rounding error of doubles now and then; without a division there is no such thing.
    if "/" not in text:
        assert found == float(expected or 0)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("orders/sessions", "orders / sessions"),
        ("  (orders)  /\n sessions ", "orders / sessions"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("-a * 0.50", "-a * 0.5"),
        ("100 * (a-b) / a-b", "100 * a-b / a-b"),
    ],
)
def test_a_formula_is_kept_as_everybody_would_write_it(text: str, canonical: str):
    assert formula_of(text).text == canonical
    assert formula_of(canonical).text == canonical


def test_what_binds_closer_is_what_everybody_expects():
    assert formula_of("a + b * c").value({"a": 1, "b": 2, "c": 3}) == 7
    assert formula_of("a / b / c").value({"a": 12, "b": 2, "c": 3}) == 2
    assert formula_of("a - b + c").value({"a": 1, "b": 2, "c": 3}) == 2


def test_a_hyphen_within_a_name_is_no_minus():
    assert formula_of("paid-back / orders").kpis == ("orders", "paid-back")


@pytest.mark.parametrize(("values", "why"), [((1.0, 0.0), "by zero"), ((1e308, 1e-308), "too large")])
def test_what_is_no_number_is_no_value(values: tuple[float, float], why: str):
    assert formula_of("a / b").value(dict(zip("ab", values, strict=True))) is None, why


@pytest.mark.parametrize(
    "text",
    ["", "3", "a b", "a /", "a // b", "a ** 2", "a < b", "f(a)", "a if b else c", "a[0]", "a; b", "A / b", "a,b"],
)
def test_what_is_none_is_refused(text: str):
    with pytest.raises(FormulaError):
        formula_of(text)


def test_a_formula_is_small():
    with pytest.raises(FormulaError, match="at most 200"):
        formula_of(" + ".join(["a"] * 101))


def test_only_one_kpi_over_another_is_a_plain_ratio():
    assert formula_of("orders / sessions").ratio == ("orders", "sessions")
    for text in ("100 * orders / sessions", "orders / orders", "orders - sessions", "orders / (sessions + 1)"):
        assert formula_of(text).ratio is None
