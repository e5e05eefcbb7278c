"""Any document of plain values is read as it was written."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from mfgsolve.problemfile.tomlwriter import dump_toml

numbers = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.text())
values = st.recursive(
    numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_written_is_what_is_read(document: dict) -> None:
    again = tomllib.loads(dump_toml(document))
    assert json.dumps(again, sort_keys=True) == json.dumps(document, sort_keys=True)  # tells 1, 1.0 and true apart
