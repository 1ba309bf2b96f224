"""The one place that imports numba.

Compiled code is cached beside the source, releases the GIL, and follows IEEE arithmetic to the letter: no fast-math, so
that the same log gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

_compile = numba.njit(cache=True, nogil=True, error_model="numpy")


def jit(function: Function) -> Function:
    """Compile `function` at its first call, or take it from the cache."""
    return cast("Function", _compile(function))
