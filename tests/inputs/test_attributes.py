"""The nearest name is told where an attribute is not there."""

from __future__ import annotations

import copy
import pickle

import pytest

import mfgsolve as mfg
from mfgsolve.inputs.attributes import Suggesting, missing


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mfg.sove, "module 'mfgsolve' has no attribute 'sove'; did you mean 'solve'"),
        (lambda: mfg.problems.suply_demand, "has no attribute 'suply_demand'; did you mean 'supply_demand'"),
        (lambda: mfg.problems.left_right().gird, "'Problem' object has no attribute 'gird'; did you mean 'grid'"),
    ],
)
def test_the_nearest_name(call, sentence):
    with pytest.raises(AttributeError, match=sentence):
        call()


def test_a_solution_knows_where_else_a_name_is():
    solution = mfg.solve("left-right", temperature=0.2)
    for name, sentence in {
        "dencity": "did you mean 'density'",
        "transition_policy": "no attribute 'transition_policy'$",
        "coupling_cost": r"the dataset has it: solution.dataset\['coupling_cost'\]",
        "solver": r"the dataset has it: solution.dataset.attrs\['solver'\]",
        "_repr_png_": "no attribute '_repr_png_'$",
    }.items():
        with pytest.raises(AttributeError, match=sentence):
            getattr(solution, name)
    with pytest.raises(AttributeError, match="did you mean 'mass_error'"):
        _ = solution.certificate.mass_eror


def test_copies_and_pickles_still_work():
    solution = mfg.solve("left-right", temperature=0.2)
    for again in (pickle.loads(pickle.dumps(solution)), copy.copy(solution), copy.deepcopy(solution)):
        assert again.potential == solution.potential


def test_a_property_that_fails_tells_its_own_error():
    class Odd(Suggesting):
        @property
        def broken(self):
            return {}.nothing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'dict' object has no attribute 'nothing'"):
        _ = Odd().broken
    assert not hasattr(Odd(), "brokem")


def test_private_names_are_not_searched():
    assert str(missing("it", "_sove", ["_solve"])) == "it has no attribute '_sove'"
    assert "did you mean" not in str(missing("it", "zzz", ["solve"]))
