"""Work arrays that go round, the dual of a belief, and the belief that is kept."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers.levels import Grids
from mfgsolve.solvers.newton_state import Pool, certificate, flow, keep, new_state, respond


@pytest.fixture
def game():
    return make_game(
        mfg.Problem(
            mfg.Grid.box((6,)),
            mfg.TimeGrid(0.5, 8),
            mfg.ControlledDiffusion(0.02, scheme="upwind"),
            mfg.CrowdAversion(0.7),
            lambda t, c: 1 + c.x,
            terminal=lambda t, c: c.x,
            terminal_coupling=mfg.CrowdAversion(0.3),
            normalise=True,
        )
    )


def state_of(game):
    believed = game.flow(np.zeros((game.steps, *game.step.shape)))
    return new_state(Grids(game, False), 0, game, 1e-9, believed)


def test_a_pool_gives_out_what_was_given_back(game):
    pool = Pool(game)
    one = pool.take()
    assert one.shape == game.empty_crowd().shape
    assert pool.take() is not one
    pool.give(one)
    assert pool.take() is one
    price = pool.take()
    assert pool.take_policy(price) is price  # a diffusion overwrites it
    pool.give_policy(price, price)
    assert pool.take_policy(one) is one
    pool.release(None, price, price, one)
    assert pool.take() is one
    pool.clear()
    assert pool.take() is not price


def test_the_dual_of_a_belief_bounds_the_potential_of_every_flow(game):
    state = state_of(game)
    price = game.price(state.believed)
    energy, weights = game.potential(state.believed), game.weights.reshape(-1, 1, 1, 1)
    wanted = game.respond(price.copy()).mean_value - (weights * price * state.believed).sum() + energy
    respond(state)
    assert state.dual == pytest.approx(wanted, rel=1e-13)
    assert state.sweeps == 0.5
    flow(state)
    found = certificate(state)
    assert state.sweeps == 1.5
    assert state.dual <= found.potential
    assert found.duality_gap == pytest.approx(found.potential - state.dual, rel=1e-12)


def test_the_better_of_two_beliefs_is_kept(game):
    state = state_of(game)
    respond(state)
    flow(state)
    state.certificate = certificate(state)
    after, older = state.certificate.relative_exploitability, state.believed.copy()
    state.spent = (older, None, None, None)
    keep(state, 2 * after)  # it was worse before
    assert state.kept is None
    keep(state, 0.5 * after)
    assert state.kept is older
    assert state.least == 0.5 * after
    assert state.spent[0] is None
    state.least = after
    keep(state, 0.5 * after)  # the newest is as good again
    assert (state.kept, state.least) == (None, np.inf)
