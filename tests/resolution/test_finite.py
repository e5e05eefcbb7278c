"""Steps of games that tell themselves how many they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.problemfile.building import on_what
from mfgsolve.resolution.finite import finite_steps
from tests.own_steps import Hopping, Hops

STAY, SWAP = np.eye(2), np.eye(2)[::-1]


def game(*dynamics, horizon: float = 6.0, space=None) -> mfg.Problem:
    space = mfg.States(2) if space is None else space
    several = len(dynamics) > 1
    grid = mfg.Populations([f"p{k}" for k in range(len(dynamics))], space) if several else space
    return mfg.Problem(
        grid, mfg.TimeGrid(horizon), dynamics, mfg.CrowdAversion(1.0), np.full(grid.shape, 1 / space.size)
    )


def test_what_is_listed_comes_first():
    listed, free = mfg.Tabular(np.stack([[STAY, SWAP]] * 4)), mfg.Tabular([STAY, SWAP])
    assert finite_steps(game(listed)) == 4
    assert finite_steps(game(free, listed)) == 4
    with pytest.raises(mfg.InputError, match="are given for 3 and 4 steps; all need the same number"):
        finite_steps(game(listed, mfg.Tabular([STAY, SWAP], np.zeros((3, 2, 2)))))


def test_then_what_moves_need_and_then_the_horizon():
    line = mfg.Grid.box((8,))
    moves, tables = mfg.LatticeMoves((-1, 0, 1)), mfg.Tabular([np.eye(8)])
    assert finite_steps(game(moves, space=line)) == 7
    assert finite_steps(game(mfg.LatticeMoves((0, 2)), moves, space=line)) == 7
    assert finite_steps(game(tables, moves, space=line)) == 7
    assert finite_steps(game(tables, space=line)) == 6
    with pytest.raises(mfg.InputError, match=r"its horizon 2\.5 is no whole number of steps of 1"):
        finite_steps(game(tables, space=line, horizon=2.5))


def test_dynamics_without_rounds_must_be_given_steps():
    @dataclass(frozen=True)
    class Drifting(Hopping):
        has_rounds = False

    with pytest.raises(mfg.InputError, match="states no number of time steps, and neither do its dynamics, Drifting"):
        mfg.solve(game(Drifting()))


def test_actions_that_only_the_crowd_tells_are_asked_for():
    asked = game(mfg.Tabular(lambda t, mass: [STAY, SWAP]))
    with pytest.raises(mfg.InputError, match=r"only the crowd tells; give the dynamics their names"):
        on_what(asked, "occupation")
    named = game(mfg.Tabular(lambda t, mass: [STAY, SWAP], actions=["stay", "swap"]))
    assert on_what(named, "occupation").shape == (2, 2)


def test_a_step_of_ones_own_counts_the_actions_of_its_dynamics():
    assert Hopping().action_count == Hops.actions
