"""Pages that do not fit together are refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from test_stage1_migrate import K, L, lived, seen, set_of
from test_stage1_twin import RULES

from engine.errors import StateError
from engine.kernels.layout import SERIES_A_BLOCK
from engine.model.limits import Limits
from engine.state.pages import Block, changed_pages, every_page, restored
from engine.wire.compression import compress_block, decompress_block

if TYPE_CHECKING:
    from engine.state.partition import PartitionState

SOME = [("k", str(number), 1, 3.0) for number in range(5)]


def pages_of(state: PartitionState) -> dict[str, bytes]:
    return {name: page for name, page in every_page(state).items() if page}


@pytest.fixture
def state() -> PartitionState:
    return lived(set_of((K, L), RULES), SOME)


@pytest.mark.parametrize("name", ["meta", "series/0", "ids/0"])
@pytest.mark.parametrize("page", [None, b"", b"nonsense"])
def test_a_page_that_is_gone_or_damaged_is_named(state: PartitionState, name: str, page: bytes | None):
    pages = pages_of(state)
    pages |= {name: page} if page is not None else {}
    if page is None:
        del pages[name]
    with pytest.raises(StateError, match=f"expected a readable page .?{name}"):
        restored(state.plan, 0, 1, Limits(), pages)


@pytest.mark.parametrize("table", ["slots", "cells", "instances", "history"])
def test_a_page_with_too_few_rows_of_a_table_is_refused(state: PartitionState, table: str):
    pages = pages_of(state)
    block = msgspec.msgpack.decode(decompress_block(pages["series/0"]), type=Block)
    shorter = msgspec.structs.replace(block, **{table: getattr(block, table)[:-8]})
    pages["series/0"] = compress_block(msgspec.msgpack.encode(shorter))
    with pytest.raises(StateError, match=f"bytes of {table} in a page"):
        restored(state.plan, 0, 1, Limits(), pages)


def test_only_blocks_of_series_that_changed_are_written_again():
    many = [("k", str(number), 0, 3.0) for number in range(3 * SERIES_A_BLOCK)]
    state = lived(set_of((K,), RULES), many)
    pages = every_page(state)
    assert {name for name in pages if name.startswith("series/")} == {"series/0", "series/1", "series/2"}
    assert set(changed_pages(state)) == {"meta", "ids/0"}
    state.resolve("k", {"a": "new"}, None)
    pages |= changed_pages(state)
    again = restored(state.plan, 0, 1, Limits(), pages)
    assert seen(again) == seen(state)
