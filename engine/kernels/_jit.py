"""The one place that imports numba, but for `held`.

Compiled code is cached (beside the source; where that cannot be written in the user's cache folder, or where
`NUMBA_CACHE_DIR` says), releases the GIL, and follows IEEE arithmetic to the letter: no fast-math, so that the same log
gives the same bytes.

Kernels allocate nothing, so numba's reference counts are off (`_nrt`, which then refuses whatever would allocate): an
atomic count up and down for each array of each call cost five times what the kernels do. Inlining by force is worth
another third.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numba
from numba import types
from numba.extending import intrinsic as _intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = ["KERNELS", "instruction", "jit", "jit_apart", "stay_apart", "types"]

_FOLDER = Path(__file__).parent


def _edition() -> str:
    """Another one after any change to a kernel. Numba looks only at the file of the function that is called, and would
    go on with what it compiled into it from another file.
    """
    stamps = [
        (str(file.relative_to(_FOLDER)), file.stat().st_size, file.stat().st_mtime_ns)
        for file in sorted(_FOLDER.rglob("*.py"))
    ]
    return blake2b(repr(stamps).encode(), digest_size=6).hexdigest()


def _keep_by_edition() -> None:
    """Cache in a folder of this edition; where that cannot be made, as numba does by itself."""
    settings = cast("Any", numba.config)
    base = Path(settings.CACHE_DIR) if settings.CACHE_DIR else _FOLDER / "__pycache__"
    folder = base / f"kernels-{_edition()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "writable").touch()
    except OSError:
        return
    settings.CACHE_DIR = str(folder)


_keep_by_edition()

_OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cfunc_wrapper": True,
}

KERNELS: list[Any] = []
"""Every compiled function, as numba has it."""


def jit(function: Function) -> Function:
    """Compile `function` at its first call, or take it from the cache."""
    return _kernel(function, {"forceinline": True})


def jit_apart(function: Function) -> Function:
    """The same for what is large: inlined or not as the compiler sees fit, lest all kernels above be as much longer."""
    return _kernel(function, {"forceinline": False})  # not left out: a kernel takes on what its caller has set


def _kernel(function: Function, more: dict[str, Any]) -> Function:
    try:
        kernel = numba.njit(**_OPTIONS, **more)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        # Neither the package nor the home of whoever runs it can be written: `warm` says so.
        kernel = numba.njit(**{**_OPTIONS, **more, "cache": False})(function)
    KERNELS.append(kernel)
    return cast("Function", kernel)


def _stay_apart(_context: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), generate


stay_apart = cast("Callable[[], None]", _intrinsic(_stay_apart))
"""Called first in a function of `jit_apart`: never inlined. For what is large and called from several places: a copy in
each of them is a minute of compiling.
"""


def instruction(typer: Callable[..., Any]) -> Any:
    """What `typer(context, *arguments)` makes of its arguments' types: a signature, and a generator of code."""
    return _intrinsic(typer)
