"""Levels of agents who pay by entropy: meshes of falling viscosity in the same steps, or viscosities alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.levels import Grids
from mfgsolve.solvers.meshes import SHARES, Meshes, Viscosities, entropic_levels
from mfgsolve.solvers.newton import Newton


def entropic(problem, **changes):
    return replace(problem, dynamics=replace(problem.dynamics, scheme="entropic", **changes))


def flagship(shape=(64, 48), steps=8, viscosity=0.02):
    return entropic(mfg.problems.supply_demand(shape=shape, steps=steps, viscosity=viscosity))


def as_array(problem):
    return replace(problem, initial=problem.initial_mass() / problem.grid.volumes)


def test_noise_crosses_as_many_cells_a_step_on_all_meshes():
    game = make_game(flagship())
    levels = entropic_levels(game, True)
    assert isinstance(levels, Meshes)
    games = [levels.game(k) for k in range(len(levels))]
    assert [one.grid.shape for one in games] == [(24, 18), (32, 24), (48, 36), (56, 42), (64, 48)]
    assert {one.steps for one in games} == {8}
    assert games[-1] is game
    crossed = [one.step.viscosity * one.dt / one.grid.axes[0].spacing ** 2 for one in games]
    np.testing.assert_allclose(crossed, crossed[-1])
    np.testing.assert_allclose([one.step.viscosity / 0.02 for one in games], [q**-2 for q in SHARES])
    np.testing.assert_allclose([one.step.entropy[0] / game.step.entropy[0] for one in games], [q**-2 for q in SHARES])
    assert levels.last(2).game(0).grid.shape == (56, 42)


def test_the_viscosity_of_the_scheme_itself_falls_as_well():
    levels = entropic_levels(make_game(flagship(viscosity=0.0)), True)
    found = [levels.game(k).step.viscosity for k in range(len(levels))]
    np.testing.assert_allclose(np.divide(found, found[-1]), [q**-2 for q in SHARES])


@pytest.mark.parametrize(
    ("tied", "coarse"),
    [(as_array(flagship((20, 20))), True), (flagship((32, 16)), True), (flagship((20, 20)), False)],
    ids=["array", "few cells", "not asked"],
)
def test_where_no_mesh_is_to_be_had_the_viscosity_falls_alone(tied, coarse):
    game = make_game(tied)
    levels = entropic_levels(game, coarse)
    assert isinstance(levels, Viscosities)
    games = [levels.game(k) for k in range(len(levels))]
    assert games[-1] is game
    assert {one.grid.shape for one in games} == {tied.grid.shape}
    np.testing.assert_allclose([one.step.viscosity / 0.02 for one in games], [q**-2 for q in SHARES])
    for one in games[:-1]:  # the same step, as it would have been bound
        assert all(n > m for n, m in zip(one.step.reach, game.step.reach, strict=True))
        other = make_game(entropic(tied, viscosity=one.step.viscosity, reach=max(one.step.reach)))
        np.testing.assert_allclose(one.step.entropy, other.step.entropy)
        if len(set(one.step.reach)) == 1:
            price = game.price(game.resting_crowd(game.empty_crowd()))
            ours, theirs = one.respond(price.copy()).value, other.respond(price.copy()).value
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_belief_is_carried_as_it_stands_or_by_its_logarithm():
    game = make_game(as_array(flagship()))
    levels, belief = Viscosities(game), game.resting_crowd(game.empty_crowd())
    carried = levels.carry(belief, levels.game(0), levels.game(1))
    np.testing.assert_array_equal(carried, belief)
    assert carried is not belief
    levels = entropic_levels(make_game(flagship()), True)
    first, second = levels.game(0), levels.game(1)
    carried = levels.carry(first.resting_crowd(first.empty_crowd()), first, second)
    assert carried.shape == second.empty_crowd().shape
    assert (carried > 0).all()
    np.testing.assert_allclose(carried.sum(axis=(1, 2)), 1.0, rtol=1e-13)


def test_upwind_keeps_its_grids():
    assert isinstance(
        Newton()._levels(make_game(mfg.problems.supply_demand(shape=(16, 16), steps=64, scheme="upwind"))), Grids
    )
