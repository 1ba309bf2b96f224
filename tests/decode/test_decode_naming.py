"""Which namings of series the scanner takes by itself, against the reference's own judgement."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.naming import naming_of
from engine.errors import WireError
from engine.wire.item import item_of
from engine.wire.message import tree_of

PLAIN = st.text(st.characters(exclude_characters='"\\', exclude_categories=("Cc", "Cs")), max_size=6)
DIMENSIONS = st.dictionaries(PLAIN, PLAIN, max_size=5)


def naming(text: bytes, maximum: int = 16) -> tuple[str, dict[str, str], str | None] | None:
    start = text.index(b'{"kpi"') if b'"dimensions"' not in text else text.index(b'"dimensions":') + 13
    spelt = b"" if b'"dimensions"' not in text else text[start : text.index(b"}", start) + 1]
    found = naming_of(text, spelt, maximum)
    return found and (found.kpi, found.dimensions, found.source)


@given(PLAIN, DIMENSIONS.filter(lambda named: not any("}" in word for pair in named.items() for word in pair)), PLAIN)
def test_what_it_takes_is_what_the_reference_makes_of_it(kpi: str, dimensions: dict[str, str], source: str):
    message = msgspec.json.encode(
        {"kpi": kpi, "time": 0, "value": 1, "dimensions": dimensions, "source": source or None}
    )
    try:
        item = item_of(tree_of(message), 4)
    except WireError:
        assert naming(message, 4) is None
    else:
        assert naming(message, 4) == (item.kpi, item.dimensions, item.source)


@pytest.mark.parametrize(
    "dimensions",
    [b'{"a":"1","a":"1"}', b'{"a":1}', b'{"a":null}', b'{"a":"\xed\xa0\x80"}', b'{"a":"b",}', b'{"a":"b" "c":"d"}'],
)
def test_what_is_wrong_with_dimensions_the_reference_says(dimensions: bytes):
    assert naming(b'{"kpi":"load","time":0,"value":1,"dimensions":' + dimensions + b"}") is None


def test_a_measurement_without_dimensions_or_source_is_named_by_its_kpi():
    assert naming(b'{"kpi":"load","time":0,"value":1}') == ("load", {}, None)
