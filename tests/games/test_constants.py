"""A constant added to all costs of a time step changes neither the iterates nor where a solve stops."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.games.constants import Constants

SHIFTS = [1e9, -3e7]


def beach(shift: float = 0.0, **changes) -> mfg.Problem:
    stay, left, right = np.eye(5), np.eye(5, k=-1), np.eye(5, k=1)
    left[0, 0] = right[4, 4] = 1
    own = np.array([[0.0] * 5, [0.1] * 5, [0.1] * 5])
    stated = {
        "grid": mfg.States(5),
        "time": mfg.TimeGrid(6.0, 6),
        "dynamics": mfg.Tabular([stay, left, right], cost=own),
        "coupling": mfg.LogCongestion(1.0) + mfg.RunningCost(lambda t, c: abs(c.state - 2.0) + shift),
        "initial": np.full(5, 0.2),
    }
    return mfg.Problem(**stated | changes)


def room(coupling, terminal=0.0) -> mfg.Problem:
    return mfg.Problem(
        mfg.Grid.box((24,)), mfg.TimeGrid(1.0, 96), mfg.ControlledDiffusion(0.02, 1.0, scheme="upwind"), coupling, 1.0,
        terminal=terminal,
    )  # fmt: skip


def history(solution: mfg.Solution) -> np.ndarray:
    return solution.dataset["exploitability"].values


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("method", [None, "fictitious-play", "newton", "prior-descent", "mirror-descent"])
def test_running_costs_of_a_finite_game(shift, method):
    options = {"method": method, "tol": 1e-9 if method is None else 1e-3, "max_iterations": 200, "check": "ignore"}
    plain, moved = mfg.solve(beach(), **options), mfg.solve(beach(shift), **options)
    assert moved.iterations == plain.iterations
    assert moved.status is plain.status
    np.testing.assert_allclose(moved.relative_exploitability, plain.relative_exploitability, rtol=1e-2, atol=1e-10)
    np.testing.assert_allclose(moved.dataset["density"], plain.dataset["density"], atol=1e-5)
    assert moved.certificate.cost == pytest.approx(plain.certificate.cost + 6 * shift, rel=1e-14)
    assert moved.potential == pytest.approx(plain.potential + 6 * shift, rel=1e-14)


def test_a_constant_of_its_own_is_seen_to_the_last_digit():
    """Stated apart from the costs, a constant does not even cost digits: the same numbers, bit for bit."""
    plain = mfg.solve(beach())
    moved = mfg.solve(beach(coupling=beach().coupling + mfg.RunningCost(1e9)))
    np.testing.assert_array_equal(history(plain), history(moved))
    assert moved.converged
    assert moved.certificate.scale == plain.certificate.scale
    late = moved.dataset["value"] - plain.dataset["value"]
    np.testing.assert_allclose(late, 1e9 * np.arange(6, -1, -1)[:, None] * np.ones(5), rtol=1e-12)
    np.testing.assert_allclose(moved.dataset["coupling_cost"], plain.dataset["coupling_cost"] + 1e9, rtol=1e-14)


def test_not_converged_at_a_plan_that_is_none():
    """The plan after one iteration is none, whatever everybody pays besides."""
    options = {"method": "fictitious-play", "max_iterations": 3, "check": "ignore"}
    found = mfg.solve(beach(coupling=beach().coupling + mfg.RunningCost(1e9)), **options)
    assert not found.converged
    assert found.relative_exploitability > 1e-3


@pytest.mark.parametrize("where", ["own", "terminal", "in time"])
def test_own_terminal_and_moving_constants(where):
    own = np.array([[0.0] * 5, [0.1] * 5, [0.1] * 5])
    dynamics = beach().dynamics
    if where == "own":
        moved, paid = beach(dynamics=mfg.Tabular(dynamics.transitions, cost=own + 1e6)), 6e6
    elif where == "terminal":
        moved, paid = beach(terminal=1e6), 1e6
    else:
        moved = beach(coupling=beach().coupling + mfg.RunningCost(lambda t, c: 1e6 * (1 + t)))
        paid = 1e6 * sum(range(1, 7))
    plain, found = mfg.solve(beach(), tol=1e-9), mfg.solve(moved, tol=1e-9)
    assert found.iterations == plain.iterations
    np.testing.assert_allclose(found.dataset["density"], plain.dataset["density"], atol=1e-7)
    assert found.certificate.cost == pytest.approx(plain.certificate.cost + paid, rel=1e-13)
    assert found.certificate.scale == pytest.approx(plain.certificate.scale, rel=1e-6)
    start = found.dataset["value"][0] - plain.dataset["value"][0]
    np.testing.assert_allclose(start, paid, rtol=1e-9)


def test_choices_and_populations():
    """A constant on choices, and one for each population."""

    def game(shift):
        return mfg.Problem(
            mfg.Populations(["a", "b"], mfg.States(3)), mfg.TimeGrid(3.0, 3),
            [mfg.Tabular([np.eye(3), np.roll(np.eye(3), 1, 1)], cost=[[0.0] * 3, [0.1] * 3], temperature=0.1)] * 2,
            mfg.CrowdAversion(1.0) + mfg.CrowdAversion(0.3, on="occupation")
            + mfg.RunningCost(lambda t, c: c.action + shift * (1 + c.population), on="occupation"),
            initial=np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]),
        )  # fmt: skip

    plain, moved = mfg.solve(game(0.0)), mfg.solve(game(1e6), tol=1e-9)
    assert moved.converged
    np.testing.assert_allclose(moved.dataset["density"], plain.dataset["density"], atol=1e-7)
    assert moved.certificate.cost == pytest.approx(plain.certificate.cost + 9e6, rel=1e-12)
    late = moved.dataset["choice_cost"] - plain.dataset["choice_cost"]
    np.testing.assert_allclose(late, 1e6 * np.array([1, 2])[:, None] * np.ones((3, 2, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(moved.dataset["value"][0] - plain.dataset["value"][0], [[3e6] * 3, [6e6] * 3], rtol=1e-9)


@pytest.mark.parametrize("method", ["newton", "frank-wolfe"])
def test_a_diffusion(method):
    well = mfg.RunningCost(lambda t, c: (c.x - 0.7) ** 2)
    plain = mfg.solve(room(mfg.CrowdAversion(0.1) + well), method=method, tol=1e-9)
    moved = mfg.solve(room(mfg.CrowdAversion(0.1) + well + mfg.RunningCost(1e9)), method=method, tol=1e-9)
    np.testing.assert_array_equal(history(plain), history(moved))
    assert moved.certificate.crowd_cost == pytest.approx(plain.certificate.crowd_cost + 1e9, rel=1e-14)
    ended = mfg.solve(room(mfg.CrowdAversion(0.1) + well, terminal=1e6), method=method, tol=1e-9)
    np.testing.assert_array_equal(history(plain), history(ended))
    assert ended.certificate.terminal_cost == pytest.approx(1e6)


def test_a_policy_that_a_user_brings_is_judged_alike():
    uniform = np.full((6, 3, 5), 1 / 3)
    plain = mfg.exploitability(beach(), uniform)
    moved = mfg.exploitability(beach(coupling=beach().coupling + mfg.RunningCost(1e9)), uniform)
    assert moved.relative_exploitability == pytest.approx(plain.relative_exploitability, rel=1e-12)
    assert plain.relative_exploitability > 0.1


def test_scale_by_hand():
    """Own, coupling and terminal costs less their least values, summed in plain NumPy."""
    problem = beach(terminal=np.array([3.0, 1.0, 2.0, 4.0, 1.5]))
    policy = np.full((6, 3, 5), 1 / 3)
    found, game = mfg.exploitability(problem, policy), make_game(problem)
    mass, total = np.full(5, 0.2), 0.0
    own = np.array([[0.0] * 5, [0.1] * 5, [0.1] * 5])
    matrices = np.array([np.asarray(p) for p in problem.dynamics.transitions])
    for _ in range(6):
        cost = np.log(mass) + abs(np.arange(5) - 2.0)
        total += (own * policy[0] * mass).sum() + ((cost - cost.min()) * mass).sum()
        mass = np.einsum("ax,axy,x->y", policy[0], matrices, mass)
    total += ((game.terminal_cost - 1.0) * mass).sum()
    assert found.scale == pytest.approx(total, rel=1e-12)


def test_where_everybody_pays_the_least_the_scale_is_what_is_paid():
    """Two states alike, half the crowd in each: nothing is above the least, and round-off decides nothing."""
    game = mfg.Problem(
        mfg.States(2), mfg.TimeGrid(4.0, 4), mfg.Tabular([np.eye(2), np.eye(2)[::-1]]), mfg.CrowdAversion(3.0),
        initial=np.array([0.5, 0.5]),
    )  # fmt: skip
    solution = mfg.solve(game)
    assert solution.converged
    assert solution.certificate.scale == pytest.approx(6.0)


def test_crowd_effect_by_hand():
    """<|f(m) - f(w m)|, m>: of the linear aversion, of the logarithm, nothing of a constant."""
    two = (mfg.States(2), mfg.TimeGrid(40.0, 80), mfg.Tabular([np.eye(2), np.eye(2)[::-1]]))
    coupling = mfg.CrowdAversion(3.0) + mfg.LogCongestion(2.0) + mfg.RunningCost(7.0)
    game = make_game(mfg.Problem(*two, coupling, np.array([0.25, 0.75]), terminal_coupling=mfg.CrowdAversion(8.0)))
    stays = game.flow(np.repeat(np.array([[1.0, 1.0], [0.0, 0.0]])[None], 80, axis=0))
    w, m = np.array([1.6180339887498949, 1.2360679774997898]) / 2, np.array([0.25, 0.75])
    running = np.abs(3 * m * (1 - w) - 2 * np.log(w))
    assert game.crowd_effect(stays) == pytest.approx(40 * (running * m).sum() + (8 * m * np.abs(1 - w) * m).sum())
    assert game.crowd_effect(stays, np.full_like(stays, np.nan)) == game.crowd_effect(stays)


def test_a_game_whose_costs_vanish_at_its_equilibrium():
    """Rock, paper and scissors from an even start: all costs are 0 there, and near it no cost is large."""
    cycle = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    go = [np.tile(row, (3, 1)) for row in np.eye(3)]
    game = mfg.Problem(
        mfg.States(3), mfg.TimeGrid(3.0, 3), mfg.Tabular(go, temperature=0.5), mfg.Interaction(cycle),
        np.array([0.5, 0.3, 0.2]),
    )  # fmt: skip
    for method in (None, "prior-descent", "mirror-descent"):
        solution = mfg.solve(game, method=method, tol=1e-9, check="ignore")
        assert solution.converged
        np.testing.assert_allclose(solution.dataset["density"][-1], 1 / 3, atol=1e-6)


def test_a_hidden_constant_moves_no_yardstick():
    """A constant inside a user's own coupling cannot be taken out, and costs digits; it must not pass for a scale."""
    coupling = mfg.CustomCoupling(lambda t, c, rho: rho + 1e9, derivative=lambda t, c, rho: 1 + 0 * rho)
    hidden = beach(coupling=coupling + mfg.RunningCost(lambda t, c: abs(c.state - 2.0)))
    found = mfg.solve(hidden, method="fictitious-play", max_iterations=3, check="ignore")
    assert not found.converged
    assert found.relative_exploitability > 1e-3


# -- the values themselves ---------------------------------------------------------------------------------------------


def test_what_was_taken_out_is_paid_from_each_node_on():
    """Two populations, steps of 1/2, a terminal coupling: own costs a step, crowd costs by weight, the end once."""
    nothing, apart = (Constants.none(np.array([0.5, 0.5, 1.0]), (1.0, 1.0)) for _ in range(2))
    assert (nothing.total, nothing.running_total) == (0.0, 0.0)
    apart.own[:] = [[1.0, 10.0], [2.0, 20.0]]
    apart.state[:, 0], apart.choice[:2, 1] = [4.0, 6.0, 8.0], [2.0, 2.0]
    apart.terminal[:] = [100.0, 200.0]
    late, second, first = [100 + 8, 200], [2 + 0.5 * 6, 20 + 0.5 * 2], [1 + 0.5 * 4, 10 + 0.5 * 2]
    np.testing.assert_array_equal(apart.ahead(), np.cumsum([late, second, first], axis=0)[::-1])
    assert apart.running_total == 0.5 * (4 + 6) + 8 + 0.5 * (2 + 2)
    assert apart.total == apart.ahead()[0].sum()


def test_a_levelled_game_takes_the_least_out_and_puts_it_back():
    problem = beach(7.0, terminal=lambda t, c: 3.0 + c.state)
    game, plain = make_game(problem.levelled()), make_game(problem)
    np.testing.assert_array_equal(game.constants.state[:-1], 7.0)
    assert (game.constants.own.tolist(), game.constants.terminal.tolist()) == ([[0.0]] * 6, [3.0])
    assert game.terminal_cost.min() == 0.0
    crowd = plain.flow(plain.step.uniform())
    np.testing.assert_allclose(game.full_price(crowd), plain.price(crowd), rtol=1e-14)
    np.testing.assert_allclose(game.price(crowd)[:-1], plain.price(crowd)[:-1] - 7.0, atol=1e-14)
    assert game.constants.total == 6 * 7.0 + 3.0
