"""Small arithmetic over KPIs: `orders / sessions`, `(revenue - refunds) / orders`.

Python's own parser knows what binds closer than what; here is only which of its expressions are formulas. Ids of KPIs
may hold dots and hyphens, so an operator has a space on both sides, or a bracket.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOURCE: Final = "counterpoint"
"""The source of values that the engine works out itself."""

_TOKEN: Final = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.-]))|(?P<kpi>[a-z0-9][a-z0-9._-]*)|(?P<sign>[-+*/()])"
    r"|(?P<space>\s+)|(?P<other>.)"
)
_NODES_MAX: Final = 200
"""A formula is small; Python's parser need not be trusted with a large one."""

_OPERATORS: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


class FormulaError(ValueError):
    """What is no formula: `expected` and `found` say why."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class Formula(NamedTuple):
    """A formula as parsed: the KPIs in it, sorted, and what is worked out."""

    kpis: tuple[str, ...]
    tree: ast.expr

    @property
    def text(self) -> str:
        """As everybody would write it: single spaces, and no brackets that say nothing."""
        return re.sub(r"\bk([0-9]+)\b", lambda match: self.kpis[int(match[1])], ast.unparse(self.tree))

    @property
    def ratio(self) -> tuple[str, str] | None:
        """Of one KPI divided by another both, else None."""
        match self.tree:
            case ast.BinOp(left=ast.Name(id=above), op=ast.Div(), right=ast.Name(id=below)) if above != below:
                return self.kpis[int(above[1:])], self.kpis[int(below[1:])]
        return None

    def value(self, values: Mapping[str, float]) -> float | None:
        """Its value where the KPIs have these; None where there is none (divided by zero, or no finite number)."""
        try:
            value = _worked_out(self.tree, self.kpis, values)
        except (ZeroDivisionError, OverflowError):
            return None
        return value if isfinite(value) else None


@cache
def formula_of(text: str) -> Formula:
    """Parse a formula; FormulaError for anything that is none."""
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "space"]
    if len(tokens) > _NODES_MAX:
        raise FormulaError(f"at most {_NODES_MAX} names, numbers and signs", str(len(tokens)))
    odd = next((match.group() for match in tokens if match.lastgroup == "other"), None)
    if odd is not None:
        raise FormulaError("ids of KPIs, numbers, + - * / and brackets", repr(odd))
    kpis = tuple(sorted({match.group() for match in tokens if match.lastgroup == "kpi"}))
    if not kpis:
        raise FormulaError("at least one KPI", "none")
    try:
        tree = ast.parse(" ".join(_as_python(match, kpis) for match in tokens), mode="eval").body
    except SyntaxError as error:
        raise FormulaError("a formula like `orders / sessions`", f"{text!r}, which is none") from error
    for node in ast.walk(tree):
        _check(node, text)
    return Formula(kpis, tree)


def _as_python(match: re.Match[str], kpis: tuple[str, ...]) -> str:
    """Names that Python can read: the number of each KPI."""
    if match.lastgroup == "kpi":
        return f"k{kpis.index(match.group())}"
    if match.lastgroup == "sign":
        return match.group()
    number = float(match.group())
    return str(int(number)) if number.is_integer() else repr(number)


def _check(node: ast.AST, text: str) -> None:
    binary = isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS
    unary = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    part = isinstance(node, ast.Constant | ast.Name | ast.operator | ast.unaryop | ast.expr_context)
    if not (binary or unary or part):
        raise FormulaError("ids of KPIs, numbers, + - * / and brackets", f"{text!r}")


def _worked_out(node: ast.expr, kpis: tuple[str, ...], values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=number):
            return float(str(number))
        case ast.Name(id=name):
            return values[kpis[int(name[1:])]]
        case ast.UnaryOp(operand=operand):
            return -_worked_out(operand, kpis, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_worked_out(left, kpis, values), _worked_out(right, kpis, values))
    raise FormulaError("a formula", ast.dump(node))
