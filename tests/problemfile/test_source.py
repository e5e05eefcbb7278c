"""Declared problems: what is read is what was written."""

from __future__ import annotations

import textwrap

import numpy as np
from same_games import EXAMPLE, SMALL, in_python, same_game

from mfgsolve.couplings import CrowdAversion, LogCongestion, Nonlocal, RunningCost, Sum
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.fields import Box, Quadratic
from mfgsolve.games import Game
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problemfile import problem_from_toml, problem_to_toml


class TestDeclared:
    def test_the_documented_example_is_the_problem_it_says(self) -> None:
        problem = problem_from_toml(EXAMPLE)
        assert same_game(problem, in_python())
        assert (problem.name, problem.grid.axes[0].unit, problem.time.unit) == ("two-hills", "km", "h")
        np.testing.assert_allclose(problem.track(0.5), [1.0, 0.5])

    def test_text_is_kept_as_written(self) -> None:
        assert problem_to_toml(problem_from_toml(EXAMPLE)) == EXAMPLE

    def test_other_resolutions_go_into_the_text(self) -> None:
        for problem in (problem_from_toml(EXAMPLE, **SMALL), problem_from_toml(EXAMPLE).rescaled((8, 16), 8)):
            again = problem_from_toml(problem_to_toml(problem))
            assert (again.grid.shape, again.time.steps) == ((8, 16), 8)
            assert same_game(problem, again)
            assert same_game(problem, in_python(**SMALL))

    def test_settings_replace_values_and_go_into_the_text(self) -> None:
        values = {
            "coupling.0.congestion": 0.2,
            "dynamics.noise": "explicit",
            "dynamics.scheme": "upwind",
            "grid.blocked.0.lower": [1.0, 0.5],
        }
        problem = problem_from_toml(EXAMPLE, settings=values, **SMALL)
        assert problem.coupling.congestion == 0.2
        assert problem.dynamics.noise == "explicit"
        assert problem.grid.mask.sum() < problem_from_toml(EXAMPLE, **SMALL).grid.mask.sum()
        assert same_game(problem, problem_from_toml(problem_to_toml(problem)))

    def test_every_coupling_and_field(self) -> None:
        head = '[grid]\nshape = [8]\nboundary = "periodic"\n[time]\nhorizon = 2\nsteps = 4\n[dynamics]\n'
        head += 'scheme = "upwind"\nviscosity = 1\n'
        kinds = """
            [initial]
            density = 1
            [[coupling]]
            kind = "crowd-aversion"
            strength = [1, {box = {lower = [0.0], upper = [0.5]}}]
            power = 2
            [[coupling]]
            kind = "log"
            strength = 0.3
            [[coupling]]
            kind = "nonlocal"
            width = 0.2
            [[coupling]]
            kind = "running-cost"
            cost = {quadratic = {weight = 3.0, centre = [0.5]}}
        """
        problem = problem_from_toml(head + textwrap.dedent(kinds))
        python = Problem(
            grid=Grid.box((8,), boundary="periodic"),
            time=TimeGrid(2.0, 4),
            dynamics=ControlledDiffusion(1.0, scheme="upwind"),
            coupling=Sum(
                (
                    CrowdAversion(lambda t, c: 1 + Box((0.0,), (0.5,))(t, c), 2.0),
                    LogCongestion(0.3),
                    Nonlocal(width=0.2),
                    RunningCost(Quadratic(3.0, (0.5,))),
                )
            ),
            initial=1.0,
        )
        assert same_game(problem, python)

    def test_without_a_coupling_there_is_no_crowd(self) -> None:
        text = "[grid]\nshape=[8]\n[time]\nhorizon=1.0\nsteps=4\n[dynamics]\n[initial]\ndensity=1.0\n"
        game = Game(problem_from_toml(text))
        assert not game.price(np.ones((5, *game.step.shape))).any()
