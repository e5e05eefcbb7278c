"""Options of solvers and learners: each has the type of its default, and a name that is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from mfgsolve.errors import InputError
from mfgsolve.inputs.options import typed_options, unused


@dataclass(frozen=True)
class Settings:
    count: int = 3
    rate: float = 0.5
    rule: str = "fast"
    strict: bool = False
    anything: Any = None


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [("count", 4.0, 4), ("count", np.int64(5), 5), ("rate", 2, 2.0), ("rate", np.float32(0.25), 0.25),
     ("rule", "slow", "slow"), ("strict", True, True), ("anything", [1], [1])],
)  # fmt: skip
def test_values_become_of_the_type_of_their_default(name, value, wanted):
    (made,) = typed_options(Settings, {name: value}, "newton").values()
    assert made == wanted
    assert type(made) is type(wanted)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("count", 2.5, "option count of the learner is 2.5; a whole number"),
        ("count", True, "option count of the learner is True"),
        ("rate", "a", "option rate of the learner is 'a'"),
        ("rule", 1, "option rule of the learner is 1 .int.; a text"),
        ("strict", 1, "option strict of the learner is 1 .int.; True or False"),
        ("rat", 1, "unknown option of gmf 'rat'; did you mean 'rate'"),
    ],
)
def test_others_are_told(name, value, sentence):
    with pytest.raises(InputError, match=sentence):
        typed_options(Settings, {name: value}, "gmf", whose="the learner")


def test_a_class_without_options_says_so():
    @dataclass
    class Bare:
        pass

    with pytest.raises(InputError, match=r"unknown option of plain 'x'; allowed: \(none\)"):
        typed_options(Bare, {"x": 1}, "plain")
    assert typed_options(Bare, {}, "plain") == {}


def test_a_field_that_a_class_makes_no_use_of_is_refused():
    @dataclass(frozen=True)
    class Deaf(Settings):
        unused = {"rate": "it hears nothing"}

    with pytest.raises(InputError, match="parameter rate does nothing in deaf: it hears nothing; leave it out"):
        typed_options(Deaf, {"rate": 0.5}, "deaf", word="parameter")
    assert typed_options(Deaf, {"count": 2}, "deaf") == {"count": 2}

    @dataclass
    class Named:
        unused: float = 1.0  # a field of that name is a field

    assert typed_options(Named, {"unused": 2.0}, "named") == {"unused": 2.0}
    assert unused(Named) == {}


def test_a_loose_field_takes_what_its_class_makes_something_of():
    @dataclass
    class Networked:
        graph: str = field(default="none", metadata={"loose": True})
        rule: str = "mean"

    links = [[0, 1], [1, 0]]
    assert typed_options(Networked, {"graph": links}, "networked")["graph"] is links
    with pytest.raises(InputError, match="option rule of networked is"):
        typed_options(Networked, {"rule": links}, "networked")
