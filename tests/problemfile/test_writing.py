"""What no file can hold is refused; what is written is what is read."""

from __future__ import annotations

import dataclasses

import pytest
from same_games import EXAMPLE, in_python

from mfgsolve import problems
from mfgsolve.couplings import Congestion, CrowdAversion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Bump
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problemfile import problem_from_toml, problem_to_toml


def test_python_functions_are_refused() -> None:
    with pytest.raises(InputError, match="made from Python functions, which a file cannot hold; use a named problem"):
        problem_to_toml(in_python())


@pytest.mark.parametrize(
    "change",
    [
        {"coupling": CrowdAversion(0.3)},
        {"coupling": Congestion(lambda t, c: 2.0 - t, 0.1)},
        {"dynamics": ControlledDiffusion(0.002, 0.5, "explicit")},
        {"time": TimeGrid(2.0, 8)},
        {"grid": Grid.box((8, 8), bounds=[(0, 1), (0, 2)])},
        {"grid": Grid.box((8, 8), blocked=lambda c: (c.x > 0.8) & (c.y > 0.8))},
        {"initial": Bump(1.0, 0.3, (0.5, 0.5))},
        {"terminal": 1.0},
        {"terminal_coupling": CrowdAversion(0.3)},
    ],
)
def test_a_change_in_python_is_refused(change: dict) -> None:
    problem = problems.supply_demand(shape=(8, 8), steps=8)
    problem_to_toml(problem)
    with pytest.raises(InputError, match="changed in Python after it was built, and a file cannot hold the change"):
        problem_to_toml(dataclasses.replace(problem, **change))


def test_rescaled_text_keeps_the_normalisation() -> None:
    text = EXAMPLE.replace("normalise = true", "normalise = false").replace(
        "density = {bump = {width = 0.1, centre = [0.2, 0.2]}}", "density = {box = {lower = [0, 0], upper = [0.75, 1]}}"
    )
    text = text.replace("upper = [0.75, 1]", "upper = [0.75, 1], inside = 1.3333333333333333")
    problem = problem_from_toml(text)
    again = problem_from_toml(problem_to_toml(problem.rescaled((6, 10), 8)))  # the box no longer ends between cells
    assert again.initial_mass().sum() == pytest.approx(1, abs=1e-12)
