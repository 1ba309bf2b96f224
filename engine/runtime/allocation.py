"""How this process deals with memory that it has used: a worker allocates the same few megabytes again and again."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Parameters of glibc's `mallopt`, by its numbers."""
_MIB = 1024 * 1024
_SELDOM = (20_000, 20, 20)
"""When the collector looks at each of its generations."""


def keep_freed_memory() -> None:
    """Use what was freed again, rather than give it back to the system and have it cleared anew, page by page.

    By default glibc does that with every block as long as a fetch: the faults cost a third of reading. Blocks above
    32 MiB go back as ever. Nothing happens where the C library is another one.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_THRESHOLD, 32 * _MIB)
    mallopt(_TRIM_THRESHOLD, 256 * _MIB)
    # The consumer's thread would have an arena of its own, of 64 MiB at most, which is not spared.
    mallopt(_ARENA_MAX, 1)


def spare_the_collector() -> None:
    """Modules and rules live as long as the process: the collector of cycles need not look at them again. It cost a
    twentieth of a busy worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)


@contextmanager
def spared_collector() -> Iterator[None]:
    """The same for as long as something runs: what there is already is not looked at."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
