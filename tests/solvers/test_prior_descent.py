"""Prior descent: its inner fixed point by hand, closed forms, other solvers, crowds that decide the transitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.problems import beach_bar, left_right, rock_paper_scissors, supply_demand, susceptible_infected
from mfgsolve.solvers import PriorDescent, suited
from mfgsolve.solvers.prior_descent import Mixing, _tethered

PLAIN = {"adapt": False, "memory": 1}  # as in the paper


def prior_descent(problem: mfg.Problem, **options: Any) -> mfg.Solution:
    return mfg.solve(problem, method="prior-descent", **{"check": "ignore", "max_iterations": 300, **options})


def crowd_decides(seed: int = 0, strength: float = 1.0) -> mfg.Problem:
    """Four states, three actions; where one gets to and what it costs depend on the crowd, at random."""
    rng = np.random.default_rng(seed)
    pull, rest = rng.normal(size=(3, 4, 4, 4)), rng.normal(size=(3, 4, 4))

    def transitions(t: float, mass: np.ndarray) -> np.ndarray:
        weight = np.exp(pull @ mass + rest)
        return np.asarray(weight / weight.sum(axis=2, keepdims=True))

    return mfg.Problem(
        grid=mfg.States(4), time=mfg.TimeGrid(4, 4), coupling=mfg.Interaction(strength * rng.normal(size=(4, 4))),
        dynamics=mfg.Tabular(transitions, cost=rng.normal(size=(3, 4))), initial=np.full(4, 0.25),
    )  # fmt: skip


# -- the iteration ---------------------------------------------------------------------------------------------------


def test_a_tethered_agent_weighs_its_prior_by_what_actions_cost():
    game, rng, eta = Game(beach_bar(temperature=0.3)), np.random.default_rng(1), 0.7
    prior = np.moveaxis(rng.dirichlet(np.ones(game.step.actions), (game.steps, game.cells)), 2, 1)
    crowd = game.flow(prior)
    price = game.price(crowd)
    policy = _tethered(game, eta, prior).respond(price, crowd=crowd).policy
    value = game.terminal_cost + price[-1, : game.cells] * game.weights[-1]
    for t in reversed(range(game.steps)):  # minimise <pi, q> + tau <pi, log pi> + eta <pi, log(pi / prior)>
        after = (game.step.transitions.matrix(t, game.cells) @ value).reshape(game.step.actions, game.cells)
        q = game.step.own_cost[min(t, len(game.step.own_cost) - 1)] + after
        weight = prior[t] ** (eta / (eta + 0.3)) * np.exp(-q / (game.dt * (eta + 0.3)))
        assert policy[t] == pytest.approx(weight / weight.sum(axis=0), rel=1e-9)
        value = game.dt * price[t, : game.cells] - game.dt * (eta + 0.3) * np.log(weight.sum(axis=0))


def test_the_first_priors_of_left_and_right_by_hand():
    """log(p / (1 - p)) = log(prior / (1 - prior)) - (p - 2 (1 - p)) / eta, solved by bisection."""
    share, eta = 0.5, 2.0
    for outer in (1, 2, 3):
        before, far = np.log(share / (1 - share)), 1e-12
        share = brentq(lambda p, b=before: np.log(p / (1 - p)) - b + (3 * p - 2) / eta, far, 1 - far, xtol=1e-15)
        found = prior_descent(left_right(), temperature=eta, max_iterations=outer, accuracy=1e-12, inner=500, **PLAIN)
        assert float(found.dataset["policy"][0, 0, 0]) == pytest.approx(share, abs=1e-9)


def test_mixing_solves_a_linear_fixed_point_that_iteration_flees():
    rng = np.random.default_rng(2)
    matrix, offset = 3 * rng.normal(size=(4, 4)), rng.normal(size=4)
    point, mixing = np.zeros(4), Mixing(6)
    for _ in range(7):
        point = mixing.next(point, matrix @ point + offset)
    assert point == pytest.approx(np.linalg.solve(np.eye(4) - matrix, offset), rel=1e-6)


def test_plain_iterations_do_not_settle_at_a_low_temperature_and_adapted_ones_do():
    plain = prior_descent(rock_paper_scissors(), temperature=0.05, max_iterations=50, **PLAIN)
    assert plain.exploitability > 1e-2
    assert prior_descent(rock_paper_scissors(), temperature=0.05, max_iterations=50).converged


# -- equilibria ------------------------------------------------------------------------------------------------------


def test_a_crowd_that_matters_little_needs_no_priors():
    solution = mfg.solve(crowd_decides(), method="prior-descent")
    assert solution.converged
    assert solution.iterations == 0


@pytest.mark.parametrize("options", [{}, {"temperature": 3.0, **PLAIN}])
def test_rock_paper_scissors(options):
    solution = prior_descent(rock_paper_scissors(), **options)
    assert solution.converged
    assert solution.dataset["density"].values[1, 1:] == pytest.approx(np.array([26, 20, 31]) / 77, abs=1e-8)
    assert solution.certificate.cost == pytest.approx(-6 / 11, abs=1e-8)


def test_left_right_has_two_thirds_on_the_left():
    solution = prior_descent(left_right())
    assert solution.converged
    assert solution.dataset["density"].values[1, 1] == pytest.approx(2 / 3, abs=1e-8)


def test_a_temperature_of_the_game_stays_in_it():
    problem = rock_paper_scissors(temperature=0.4)
    ours, newton = prior_descent(problem), mfg.solve(problem, method="newton")
    assert ours.converged
    assert newton.converged
    both = [solution.dataset["policy"].values for solution in (ours, newton)]
    assert both[0] == pytest.approx(both[1], abs=1e-4)  # exploitability is quadratic in the policy


def test_several_populations_agree_with_complementarity():
    problem = mfg.problems.build("predator-prey", {}, steps=4)
    ours, other = prior_descent(problem, max_iterations=2000), mfg.solve(problem, method="complementarity")
    assert ours.converged
    assert other.converged
    assert ours.certificate.cost == pytest.approx(other.certificate.cost, rel=1e-7)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_crowds_that_decide_costs_and_transitions(seed):
    problem = crowd_decides(seed, 10.0)
    assert suited(problem)[0] == "prior-descent"
    solution = mfg.solve(problem, max_iterations=300)
    assert solution.converged
    assert ((solution.dataset["policy"] > 1e-3) & (solution.dataset["policy"] < 1 - 1e-3)).any()  # no pure one
    again = mfg.exploitability(problem, solution)
    assert abs(again.relative_exploitability) <= 1e-10


@pytest.mark.slow
def test_a_game_that_is_not_solved_ends_with_the_best_policy():
    solution = mfg.solve(susceptible_infected(), method="prior-descent", check="ignore", patience=10, returns=1)
    history = solution.dataset["exploitability"].values
    assert solution.status is mfg.Status.STALLED
    assert solution.dataset.attrs["solver"] == "prior-descent"
    assert solution.exploitability == pytest.approx(history.min(), rel=1e-12)
    assert solution.exploitability < 0.15
    assert (np.diff(history) <= 0).all()
    assert mfg.exploitability(susceptible_infected(), solution).exploitability == solution.exploitability


# -- as a solver -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_goes_on_bit_for_bit(tmp_path):
    problem, path = beach_bar(), tmp_path / "checkpoint.nc"
    whole = prior_descent(problem, max_iterations=9)
    prior_descent(problem, max_iterations=4, checkpoint=path)
    resumed = mfg.resume(path, problem=problem, max_iterations=9, check="ignore")
    assert (resumed.dataset["policy"].values == whole.dataset["policy"].values).all()
    assert resumed.sweeps == whole.sweeps
    assert (resumed.dataset["exploitability"].values == whole.dataset["exploitability"].values).all()


def test_a_solution_is_a_start():
    problem = beach_bar()
    solved = prior_descent(problem, max_iterations=30)
    again = prior_descent(problem, start=solved, max_iterations=0)
    assert again.exploitability < prior_descent(problem, max_iterations=0).exploitability


def test_a_price_that_is_not_finite_ends_the_solve():
    broken = mfg.CustomCoupling(lambda t, c, rho: np.where(t > 1, np.nan, rho))
    problem = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(3, 3), dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]]),
        coupling=broken, initial=np.array([0.5, 0.5]),
    )  # fmt: skip
    assert prior_descent(problem).status is mfg.Status.NON_FINITE


def test_what_it_refuses():
    hard = left_right()
    hard = mfg.Problem(
        grid=hard.grid, time=hard.time, dynamics=hard.dynamics, initial=hard.initial,
        coupling=mfg.CrowdAversion() + mfg.Capacity(1.0),
    )  # fmt: skip
    for problem, reason in (
        (hard, "hard bounds"),
        (supply_demand(shape=(4, 4), steps=8, scheme="upwind"), "no finite list"),
    ):
        with pytest.raises(mfg.InputError, match=reason):
            prior_descent(problem)


@pytest.mark.parametrize(
    ("option", "value"),
    [("temperature", -1.0), ("temperature", np.inf), ("accuracy", 0.0), ("accuracy", 1.0), ("inner", 0), ("inner", 2.5),
     ("memory", 0), ("patience", 0), ("returns", -1), ("quick", -1)],
)  # fmt: skip
def test_options_out_of_range_are_told(option, value):
    with pytest.raises(mfg.InputError, match=f"{option} of prior descent is"):
        PriorDescent(**{option: value})
