"""How single values of a problem file are read, and what is told of those that are none."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.inputs.faults import Faults
from mfgsolve.inputs.forms import (
    FIELD_PER_AXIS,
    NUMBER,
    OFFSET,
    TEXT,
    TRANSITIONS,
    TRUTH,
    WHOLE,
    count,
    many,
    one_or_many,
    row,
    series,
)

READ = [
    (NUMBER, 3, 3.0), (NUMBER, -0.5, -0.5), (WHOLE, 7, 7), (TEXT, "a", "a"), (TRUTH, False, False),
    (many(WHOLE), [], ()), (many(NUMBER), [1, 2], (1.0, 2.0)), (one_or_many(TEXT), "a", "a"),
    (one_or_many(TEXT), ["a", "b"], ("a", "b")), (row(NUMBER, TEXT), [1, "m"], (1.0, "m")), (OFFSET, -1, -1),
    (OFFSET, [0, 1], (0, 1)), (count("list of {} states"), 5, 5), (series("centre"), 0.25, 0.25),
]  # fmt: skip
REFUSED = [
    (NUMBER, True, "True is no number"), (NUMBER, "1", "'1' is no number"), (NUMBER, math.nan, "nan is not finite"),
    (NUMBER, 10**400, "is not finite"),
    (WHOLE, 2.0, "2.0 is no whole number"), (WHOLE, True, "True is no whole number"),
    (TEXT, 1, "1 is no text"), (TRUTH, 1, "1 is neither true nor false"), (many(WHOLE), 3, "3 is no list; a list of "),
    (row(NUMBER, TEXT), [1], "Not enough values: [1] came, a row of 2 is needed"),
    (row(NUMBER, TEXT), [1, "m", 2], "Too many values"), (row(NUMBER, TEXT), "ab", "No list"),
    (count("list of {} states"), 10**14, "list of 100000000000000 states needs at least 728 TiB"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "value", "wanted"), READ)
def test_values(form: Any, value: Any, wanted: Any) -> None:
    made = form.read(value, None)
    assert made == wanted
    assert type(made) is type(wanted)


@pytest.mark.parametrize(("form", "value", "sentence"), REFUSED)
def test_what_is_no_value(form: Any, value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        form.read(value, None)
    assert sentence in str(caught.value)


def test_every_entry_at_fault_has_its_place() -> None:
    with pytest.raises(Faults) as caught:
        many(row(NUMBER, TEXT)).read([[1, "a"], [2, 3], "x", ["y", "z"]], None)  # type: ignore[arg-type]
    assert [place for place, _ in caught.value.listed] == ["[1][1]", "[2]", "[3][0]"]


@pytest.mark.parametrize(
    ("parts", "actions"),
    [({"actions": ["a", "b", "c"]}, 3), ({"allowed": np.ones((2, 4))}, 2), ({}, None), ({"actions": []}, None)],
)
def test_transitions_wait_for_the_names_of_the_actions(parts: dict[str, Any], actions: int | None) -> None:
    """An action without entries is known by its name alone, or by where it is allowed."""
    found = SimpleNamespace(transitions=lambda states, actions: (states, actions))
    source: Any = SimpleNamespace(space=SimpleNamespace(size=4), array=lambda value: found)
    assert TRANSITIONS.read("P", source).make(parts) == (4, actions)


def test_a_field_for_each_axis_in_the_order_of_a_point() -> None:
    def read(value: Any, *dims: str) -> Any:
        source: Any = SimpleNamespace(space=SimpleNamespace(dims=dims), field=lambda one: ("field", one))
        return FIELD_PER_AXIS.read(value, source)

    assert read(1, "x") == read([1], "x") == ("field", 1)
    assert read([1, 2], "x") == ("field", [1, 2]), "the cells of a line, or a sum"
    assert read([1, 2], "y", "x") == (("field", 1), ("field", 2))
    nowhere: Any = SimpleNamespace(space=None)
    assert FIELD_PER_AXIS.read([1, 2], nowhere) == 0.0, "the fault of the grid is told at its place"
    for value, dims, sentence in (
        (1, ("y", "x"), "1 came; a list of 2 fields, one for each axis in the order x, y, is needed"),
        ([1, 2], ("z", "y", "x"), "a list of 3 fields, one for each axis in the order x, y, z"),
        ([1], ("state",), "needs a .grid.; .states. have no axes"),
    ):
        with pytest.raises(InputError, match=sentence):
            read(value, *dims)
