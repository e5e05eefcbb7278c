"""How many actions, chances and steps dynamics have, as they say it before a game is made."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.dynamics import Dynamics, LatticeMoves, Tabular
from mfgsolve.dynamics.diffusion import Slowed
from mfgsolve.games import make_game
from tests.own_steps import Hopping

STAY, SWAP = np.eye(2), np.eye(2)[::-1]
TABLES = {
    "dense": ([STAY, SWAP, SWAP], 3, 12, set()),  # zeros of dense matrices in lists count
    "array": (np.stack([STAY, SWAP]), 2, 4, set()),
    "by step": (np.stack([[STAY, SWAP]] * 5), 2, 20, {5}),
    "lists by step": ([[STAY, SWAP]] * 5, 2, 40, {5}),
    "arrays by step": ([np.stack([STAY, SWAP])] * 5, 2, 20, {5}),
    "sparse": ([sparse.csr_array(STAY), sparse.csr_array(SWAP)], 2, 4, set()),
    "sparse by step": ([[sparse.csr_array(STAY)]] * 3, 1, 6, {3}),
    "numbers": ([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], 2, 8, set()),
}


@pytest.mark.parametrize(("transitions", "actions", "chances", "steps"), TABLES.values(), ids=TABLES)
def test_tables_of_every_form(transitions, actions, chances, steps):
    dynamics = Tabular(transitions)
    space = mfg.States(2)
    assert dynamics.action_count == actions
    assert dynamics.listed_steps(space) == steps
    time = mfg.TimeGrid(5, max(steps, default=5))
    assert dynamics.chance_count(space, time) == chances
    problem = mfg.Problem(space, time, dynamics, 0.0, np.array([0.5, 0.5]))
    step = make_game(problem).step
    assert step.actions == actions
    assert step.transitions.chance.size <= dynamics.chance_count(space, time)  # memory is not promised too little


def test_costs_by_step_count_steps_on_their_space():
    costs = np.zeros((4, 2, 2))
    assert Tabular([STAY, SWAP], costs).listed_steps(mfg.States(2)) == {4}
    assert Tabular([STAY, SWAP], costs[0]).listed_steps(mfg.States(2)) == set()
    assert Tabular(np.stack([[STAY, SWAP]] * 3), costs).listed_steps(mfg.States(2)) == {3, 4}


def test_what_only_the_crowd_tells():
    asked = Tabular(lambda t, mass: [STAY, SWAP])
    space, time = mfg.States(2), mfg.TimeGrid(1, 1)
    assert (asked.action_count, asked.chance_count(space, time), asked.listed_steps(space)) == (0, 0, set())
    assert Tabular(lambda t, mass: [STAY, SWAP], actions=["stay", "swap"]).action_count == 2


def test_moves_and_jumps_of_a_lattice():
    moves = LatticeMoves([(0, 0), (2, 0), (0, -1)], jumps={(0, 0): 0.5, (1, 0): 0.5})
    grid = mfg.Grid.box((6, 11))
    assert moves.action_count == 3
    assert moves.chance_count(grid, mfg.TimeGrid(1.0, 9)) == 3 * 2 * 66
    assert moves.steps_for(grid, 1.0) == 5  # 10 cells along x by twos, 5 along y by ones
    assert moves.steps_for(mfg.Grid.box((9, 11)), 1.0) == 8
    assert moves.steps_for(mfg.Grid.box((6, 12), boundary="periodic"), 1.0) == 3
    with pytest.raises(mfg.InputError, match="lattice moves need a Grid; the space is States"):
        moves.steps_for(mfg.States(3), 1.0)


@pytest.mark.parametrize("drift", [0.0, (0.3, np.full((5, 4), 0.2)), (0.1, lambda t, c: t * c.y)])
def test_memory_of_moves_in_a_drift_is_not_promised_too_little(drift):
    grid, time = mfg.Grid.box((5, 4)), mfg.TimeGrid(1.0, 7)
    moves = LatticeMoves([(0, 0), (1, 0)], jumps={(0, 0): 0.5, (0, 1): 0.5}, drift=drift)
    stored = make_game(mfg.Problem(grid, time, moves, 0.0, 1.0)).step.transitions.chance.size
    assert stored <= moves.chance_count(grid, time) <= 4 * stored


@pytest.mark.parametrize("kind", [lambda **k: mfg.ControlledDiffusion(**k), lambda **k: LatticeMoves((-1, 0, 1), **k)])
def test_explicit_noise_is_stable_with_so_many_steps_and_with_no_fewer(kind):
    """nu dt sum 2 / h^2 <= 1."""
    grid, dynamics = mfg.Grid.box((10,)), kind(viscosity=0.1, noise="explicit")
    least = dynamics.stable_steps(grid, 2.0)
    assert least == pytest.approx(2 * 0.1 * 2.0 * 100)
    assert kind(viscosity=0.1).stable_steps(grid, 2.0) == 0.0
    make_game(mfg.Problem(grid, mfg.TimeGrid(2.0, 40), dynamics, 0.0, 1.0))
    with pytest.raises(mfg.InputError, match="explicit noise needs"):
        make_game(mfg.Problem(grid, mfg.TimeGrid(2.0, 39), dynamics, 0.0, 1.0))


def test_explicit_noise_of_a_lattice_asks_for_more_steps_than_its_moves():
    lattice = LatticeMoves((-1, 0, 1), viscosity=0.1, noise="explicit")
    assert lattice.steps_for(mfg.Grid.box((10,)), 2.0) == 40
    assert lattice.steps_for(mfg.Grid.box((10,)), 0.1) == 9


def test_a_diffusion_slows_down_and_stays_what_it_is():
    fast = mfg.ControlledDiffusion(0.1, 0.7, "explicit", drift=0.2)
    coarse = fast.for_coarse_grid()
    assert (coarse.noise, coarse.viscosity, coarse.control_cost, coarse.drift) == ("implicit", 0.1, 0.7, fast.drift)
    slow = coarse.slowed((0.01, 0.2)).slowed((0.3, 0.02))
    assert isinstance(slow, Slowed)
    assert (slow.caps, slow.control_cost, slow.drift) == ((0.3, 0.02), 0.7, fast.drift)
    assert slow.speed_cap((9.0, 0.5, 0.01)) == (9.0, 0.3, 0.01)


def test_dynamics_of_ones_own_say_nothing_of_steps():
    class Bare(Dynamics):
        identity = "bare"

        def bind(self, space, time, initial):
            raise NotImplementedError

    bare, space = Bare(), mfg.States(2)
    assert (bare.action_count, bare.chance_count(space, mfg.TimeGrid(1, 1))) == (0, 0)
    assert bare.listed_steps(space) == set()
    assert bare.steps_for(space, 1.0) is None
    assert bare.for_coarse_grid() is None
    with pytest.raises(mfg.InputError, match="a Bare has no speed cap"):
        bare.slowed((1.0,))
    assert not bare.has_rounds
    assert Hopping().has_rounds
