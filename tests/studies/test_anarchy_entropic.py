"""The social optimum where laws are paid for by entropy."""

import numpy as np
import pytest
from entropic_games import line

import mfgsolve as mfg
from mfgsolve.games import make_game


@pytest.fixture(scope="module")
def found():
    return mfg.price_of_anarchy(line(), method="newton", tol=1e-10, check="ignore")


def test_the_optimum_costs_less_than_the_equilibrium_and_is_bounded(found):
    assert found.guarantee == "bound"
    assert found.difference > 1e-3
    assert found.ratio == pytest.approx(found.equilibrium_cost / found.optimal_cost)
    own = mfg.exploitability(line(), found.optimum)  # what its plan costs an agent of the game itself
    assert own.cost == pytest.approx(found.optimal_cost, rel=1e-12)
    assert own.relative_exploitability > 1e-4  # it is no equilibrium


def test_no_other_plan_costs_all_of_them_less(found):
    """Policies around it: the total has no slope there, and grows with the square of the distance."""
    problem, field = line(), found.optimum.dataset["value_ahead"].values
    game = make_game(problem)
    shape = np.random.default_rng(8).normal(size=field.shape)

    def total(size):
        policy = game.step.policy_from(field + size * shape)
        crowd = game.follow(policy)
        paid = game.crowd_totals(game.price(crowd), crowd).cost + game.terminal_total(crowd)
        return game.cost(policy, crowd).cost + paid

    least = total(0.0)
    rises = [total(size) - least for size in (-0.02, -0.01, 0.01, 0.02)]
    assert least == pytest.approx(found.optimal_cost, rel=1e-12)
    assert min(rises) > 1e-6
    assert rises[0] == pytest.approx(4 * rises[1], rel=0.1)
    assert rises[3] == pytest.approx(4 * rises[2], rel=0.1)


@pytest.mark.parametrize("method", ["frank-wolfe", "fictitious-play"])
def test_other_solvers_find_the_same_optimum(found, method):
    other = mfg.solve(line(), method=method, objective="social", tol=1e-9)
    assert other.potential == pytest.approx(found.optimal_cost, abs=1e-9)
    assert other.dataset.attrs["optimum"] == "bound"
