"""One agent of an entropic step: its draws are the law that costs least, its excess is their divergence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.games import make_game
from mfgsolve.steps import Step
from mfgsolve.steps.draws import draws_of

WALL = np.zeros((5, 6), dtype=bool)
WALL[2:4, 3] = True


def game(shape=(5, 6), boundary="reflecting", blocked=None, discount=0.0, terminal=lambda t, c: 2 * (c.x - 0.8) ** 2):
    return make_game(
        mfg.Problem(
            grid=mfg.Grid.box(shape, boundary=boundary, blocked=blocked),
            time=mfg.TimeGrid(0.4, 3, discount=discount),
            dynamics=mfg.ControlledDiffusion(0.04, 0.7, scheme="entropic", reach=3),
            coupling=mfg.CrowdAversion(0.3), initial=lambda t, c: 1.0 + c.x, terminal=terminal, normalise=True,
        )
    )  # fmt: skip


GAMES = {
    "line": lambda: game((7,)),
    "ring": lambda: game((7,), "periodic"),
    "small ring": lambda: game((3,), "periodic"),  # its stencil is wider than itself
    "plane": game,
    "torus": lambda: game(boundary=("reflecting", "periodic")),
    "walls": lambda: game(blocked=WALL),
    "room": lambda: game((3, 4, 3)),
    "discount": lambda: game(discount=2.0),
    "steep": lambda: game(terminal=lambda t, c: 60 * c.x),  # 1000 eps from side to side
}


def response(here, seed=None):
    """A best response: to the first crowd, or to a random price."""
    price = here.price(here.resting_crowd(here.empty_crowd()))
    if seed is not None:
        price += np.random.default_rng(seed).normal(size=price.shape)
    return here.policy_of(here.respond(price).policy)


def noise(here, t):
    """N (cells, next cells) of step t, one axis after the other."""
    whole = np.eye(here.cells)
    for stencil in here.step.passes(t):
        matrix = np.zeros_like(whole)
        np.add.at(matrix, (np.arange(here.cells)[:, None], stencil.near), stencil.taps)
        whole = whole @ matrix
    return whole


def divergence(p, q):
    """sum p log(p / q) of each row."""
    some = p > 1e-290
    return np.where(some, p * np.log(np.where(some, p, 1) / np.where(some, np.maximum(q, 1e-300), 1)), 0).sum(axis=1)


def laws(here, policy, t):
    """q(y | x) = N(x, y) exp((a(x) - v(y)) / eps), normalised by hand."""
    scaled = np.log(np.maximum(noise(here, t), 1e-300)) - here.step.after(policy, t).reshape(-1) / here.step.entropy[t]
    weight = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", GAMES)
def test_the_mean_of_draws_is_the_law_and_the_flow(name):
    here = GAMES[name]()
    policy = response(here)
    chain, mass = here.step.chain(policy), here.flat(here.follow(policy))
    assert (chain.steps, chain.states, chain.actions) == (3, here.cells, 0)
    for t in range(3):
        np.testing.assert_allclose(chain.expect(t, mass[t]), mass[t + 1], rtol=0, atol=2e-15)
        moved = np.array([chain.expect(t, row) for row in np.eye(here.cells)])
        np.testing.assert_allclose(moved, laws(here, policy, t), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", GAMES)
def test_an_agent_pays_the_divergence_of_its_law_from_the_noise(name):
    here = GAMES[name]()
    policy = response(here)
    chain, crowd = here.step.chain(policy), here.follow(policy)
    assert chain.own_cost.shape == (3, here.cells, 1)
    assert not chain.pays_by_choice
    for t in range(3):
        apart = divergence(laws(here, policy, t), noise(here, t))
        np.testing.assert_allclose(chain.own_cost[t, :, 0], here.step.entropy[t] * apart, rtol=1e-9, atol=1e-11)
    own = (chain.own_cost[:, :, 0] * here.flat(crowd)[:-1]).sum()
    assert own == pytest.approx(here.cost(policy, crowd).cost, rel=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_excess_is_the_divergence_from_the_best_law_and_the_exploitability(name):
    here = GAMES[name]()
    policy = response(here, seed=1)
    crowd = here.follow(policy)
    price, mass = here.price(crowd), here.mass(crowd)
    excess, value = here.step.excess(policy, mass, here.costs(price.copy()))
    best = here.respond(price.copy())
    np.testing.assert_allclose(value, best.value, rtol=1e-14)
    direct = 0.0
    for t in range(3):
        apart = divergence(laws(here, policy, t), laws(here, here.policy_of(best.policy), t))
        direct += here.step.entropy[t] * (here.flat(crowd)[t] @ apart)
    assert excess.shape == (1,)
    assert excess[0] == pytest.approx(direct, rel=1e-9)
    assert excess[0] == pytest.approx(certify(here, policy, crowd).exploitability, rel=1e-9)


def test_excess_below_the_round_off_of_costs():
    """Quadratic in how far the policy is from the best one, down to 1e-20 of what is paid."""
    here = game(blocked=WALL)
    price = here.price(here.resting_crowd(here.empty_crowd()))
    turn = np.random.default_rng(2).normal(size=price.shape)
    found = []
    for h in (1e-3, 1e-6, 1e-9):
        policy = here.policy_of(here.respond(price + h * turn).policy)
        mass = here.mass(here.follow(policy))
        found.append(here.step.excess(policy, mass, here.costs(price.copy()))[0][0] / h**2)
    np.testing.assert_allclose(found, found[0], rtol=2e-3)
    same = here.policy_of(here.respond(price.copy()).policy)
    assert here.step.excess(same, here.mass(here.follow(same)), here.costs(price.copy()))[0][0] == 0.0


def test_moves_are_those_of_the_step():
    """The draws in turn: x last in even steps, first in odd ones; both methods end where the law says."""
    here = game(blocked=WALL)
    chain, start = here.step.chain(response(here)), 4 * 6 + 2
    for t in (0, 1):
        expected = 40_000 * chain.expect(t, np.eye(30)[start])
        words, counts = np.array([1, 2, 3, 4], dtype=np.uint64), np.zeros(30, dtype=np.int64)
        cells = np.full(40_000, start, dtype=np.int32)
        counts[start] = 40_000
        chain.moves(t, counts).walk(cells, words, np.empty(0, dtype=np.int32))
        for seen in (np.bincount(cells, minlength=30), chain.moves(t, counts).split(counts, words, np.empty((0, 0)))):
            usual = expected > 5
            assert seen[~usual].sum() < 20
            p = stats.chisquare(seen[usual], expected[usual] * (seen[usual].sum() / expected[usual].sum())).pvalue
            assert p > 1e-4
        along = {int(y) - start for y in draws_of(here.step, response(here), t)[0].near[start]}
        assert along == ({-18, -12, -6, 0} if t == 0 else {-2, -1, 0, 1, 2, 3})


def test_who_needs_a_list_of_actions_is_told():
    here = game()
    chain = here.step.chain(response(here))
    for ask in (here.step.law, chain.by_choice, lambda: Step.excess(here.step, response(here), None, None)):
        with pytest.raises(InputError, match=r"\(EntropicStep\) choose any law of their next cell.*scheme='upwind'"):
            ask()
    with pytest.raises(InputError, match="has no finite list of actions"):
        here.step.policy_by_chances(np.ones((3, 1, 30)), np.ones((3, 30), dtype=bool))
    assert chain.occupation(np.ones((4, 30))).shape == (3, 0, 30)
