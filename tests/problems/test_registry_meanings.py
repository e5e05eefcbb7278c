"""Every parameter of every named problem says what it means, and in which unit."""

from __future__ import annotations

import re

import pytest

from mfgsolve import problems
from mfgsolve.problems.registry import GROUPS, _meanings

NAMES = problems.names()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_meaning_and_a_unit(name: str) -> None:
    entry = problems.get(name)
    for parameter in entry.parameters.values():
        assert len(parameter.meaning) > 8, parameter.name
        assert "\n" not in parameter.meaning
        assert parameter.unit, parameter.name
        plain = {str: "name", bool: "true or false"}
        assert parameter.unit == plain.get(parameter.kind, parameter.unit)
        assert parameter.kind in plain or re.fullmatch(r"[a-zA-Z0-9 ()/^]+", parameter.unit), parameter.unit
    assert set(entry.meanings) == set(entry.resolution)


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_is_in_a_group(name: str) -> None:
    assert problems.get(name).group in set(GROUPS) - {"own"}
    assert problems.get(name).source


def test_entries_may_go_on_in_the_next_line_and_end_with_their_unit() -> None:
    text = "\n".join([
        "A game.", "", "Parameters", "----------", "one : what it is,", "    and more [m / s]", "two : without a unit",
        "three : f [0, 1] of [1]", "", "Source: here [2]",
    ])  # fmt: skip
    assert _meanings(text) == {"one": ("what it is, and more", "m / s"), "three": ("f [0, 1] of", "1")}
    assert _meanings("No section") == {}
