"""Compiled code before the first message: loaded from its cache, or compiled, while nothing waits for it yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from engine.model.time import SECOND
from engine.runtime.clocks import steady_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.kernels.warm import Warmth

_log = structlog.get_logger(__name__)


async def warm_up(warm: Callable[[], Warmth]) -> None:
    """Run `warm` beside the event loop, and say what it found."""
    _log.info("kernels are loaded")
    began = steady_clock()
    compiled, folder = await asyncio.to_thread(warm)
    _log.info("kernels are ready", compiled=compiled, cache=folder, seconds=round((steady_clock() - began) / SECOND, 2))
    if folder is None:
        _log.warning("compiled kernels cannot be kept", mend="let NUMBA_CACHE_DIR name a folder that may be written to")
