"""Run rules by the names that people give them, and what each says of its points."""

from __future__ import annotations

from typing import NamedTuple

from engine.kernels import run_rules as kernel


class RunRule(NamedTuple):
    """`test`: its bit for the kernel. `says`: of its points, with `{side}` and `{centre}`, or `{way}`. `sided`: there
    is one of it above the centre and one below, or one up and one down.
    """

    test: int
    says: str
    sided: bool = True


_FAR = RunRule(kernel.ONE_BEYOND_THREE, "more than 3 sigma {side} the centre {centre}")
_TWO = RunRule(kernel.TWO_OF_THREE_BEYOND_TWO, "with 2 of the last 3 more than 2 sigma {side} the centre {centre}")
_FOUR = RunRule(kernel.FOUR_OF_FIVE_BEYOND_ONE, "with 4 of the last 5 more than 1 sigma {side} the centre {centre}")

RUN_RULES = {
    "western_electric_1": _FAR,
    "western_electric_2": _TWO,
    "western_electric_3": _FOUR,
    "western_electric_4": RunRule(kernel.EIGHT_ON_A_SIDE, "the last of 8 in a row {side} the centre {centre}"),
    "nelson_1": _FAR,
    "nelson_2": RunRule(kernel.NINE_ON_A_SIDE, "the last of 9 in a row {side} the centre {centre}"),
    "nelson_3": RunRule(kernel.SIX_IN_ORDER, "the last of 6 in a row, each {way} than the one before"),
    "nelson_4": RunRule(kernel.FOURTEEN_ALTERNATING, "the last of 14 in a row up and down by turns", sided=False),
    "nelson_5": _TWO,
    "nelson_6": _FOUR,
    "nelson_7": RunRule(
        kernel.FIFTEEN_WITHIN_ONE, "the last of 15 in a row no more than 1 sigma from the centre {centre}", sided=False
    ),
    "nelson_8": RunRule(
        kernel.EIGHT_BEYOND_ONE, "the last of 8 in a row more than 1 sigma from the centre {centre}", sided=False
    ),
}

SETS = {
    name: tuple(rule for rule in RUN_RULES if rule.startswith(f"{name}_")) for name in ("western_electric", "nelson")
}


def rules_named(written: tuple[str, ...], *, sided: bool) -> tuple[str, ...]:
    """The rules that these names of rules and sets stand for, each test once, by its first name. `sided`: of a set only
    those that have a side.
    """
    by_test: dict[int, str] = {}
    for name in written:
        for rule in SETS.get(name, (name,)):
            if name not in SETS or RUN_RULES[rule].sided or not sided:
                by_test.setdefault(RUN_RULES[rule].test, rule)
    return tuple(sorted(by_test.values(), key=list(RUN_RULES).index))


def tests_of(rules: tuple[str, ...]) -> int:
    """Their bits together."""
    return sum(RUN_RULES[rule].test for rule in rules)


def rules_among(rules: tuple[str, ...], hits: int) -> tuple[str, ...]:
    """Those of `rules` whose bits are set, the kernel's first one first."""
    hit = [rule for rule in rules if RUN_RULES[rule].test & hits]
    return tuple(sorted(hit, key=lambda rule: RUN_RULES[rule].test))
