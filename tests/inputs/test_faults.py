"""Faults gathered with their places, and told at once."""

from __future__ import annotations

import pytest

from mfgsolve.errors import InputError
from mfgsolve.inputs.faults import Faults, gathered


def test_all_faults_are_told_in_their_order_and_places_add_up():
    def look() -> None:
        with gathered() as faults:
            with faults.at(".time"):
                raise InputError("steps are 0")
            with faults.at(".coupling"), gathered() as inner:
                with inner.at("[0].cost"):
                    raise TypeError("no number")  # of a class from elsewhere
                inner.add("[2]", "no table")
            with faults.at(".grid"):
                pass
            faults.add("", "unknown key")

    with pytest.raises(Faults) as caught:
        look()
    assert caught.value.listed == (
        (".time", "steps are 0"), (".coupling[0].cost", "no number"), (".coupling[2]", "no table"), ("", "unknown key"),
    )  # fmt: skip
    assert caught.value.lines() == [
        "time: steps are 0", "coupling[0].cost: no number", "coupling[2]: no table", "unknown key",
    ]  # fmt: skip
    assert str(caught.value) == "\n".join(caught.value.lines())


def test_without_faults_nothing_is_raised_and_other_errors_go_through():
    with gathered() as faults, faults.at(".time"):
        pass
    assert faults.listed == []
    with pytest.raises(KeyError), gathered() as faults, faults.at(".time"):
        raise KeyError("a slip of ours, and no fault of the user's")
