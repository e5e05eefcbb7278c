"""The linear equations of path-following, against the equations that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from stationary_games import TIMES, random_game, two_populations

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.problems import bench_mfg_chain
from mfgsolve.solvers.path_equations import Choices, Linearised, Point


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("several", [False, True])
def test_a_direction_solves_all_three_equations(kind: str, several: bool) -> None:
    rng = np.random.default_rng(3)
    problem = two_populations(TIMES[kind]) if several else random_game(kind, rng, 4)
    game = make_game(problem)
    choices = Choices(game)
    w, z = rng.uniform(0.01, 1.0, choices.count), rng.uniform(0.01, 1.0, choices.count) ** 3
    z[::3] += 1.0
    gain = rng.normal(size=choices.populations) if choices.is_ergodic else np.zeros(choices.populations)
    point = Point(w, z, rng.normal(size=choices.states), gain)
    system = Linearised(choices, point)
    assert system.taken.size
    assert system.rest.size
    products = rng.normal(size=choices.count)
    move = system.direction(products)
    np.testing.assert_allclose(z * move.chosen + w * move.slack, products, atol=1e-9)

    crowd, step = choices.crowd(w), 1e-6
    bent = (choices.cost(choices.crowd(w + step * move.chosen)) - choices.cost(crowd)) / step
    owner = choices.owner[choices.state]
    wanted = bent + choices.onto @ move.value - move.gain[owner] - move.slack + system.lack
    np.testing.assert_allclose(wanted, 0.0, atol=1e-4)
    left = choices.born - choices.back @ (w + move.chosen)
    if choices.keeps < 1.0:
        np.testing.assert_allclose(left, 0.0, atol=1e-9)
    else:  # one equation of each law follows from the others and the mass
        np.testing.assert_allclose(np.sort(np.abs(left))[: -choices.populations], 0.0, atol=1e-9)
        mass = np.bincount(choices.owner, choices.gather @ (w + move.chosen))
        np.testing.assert_allclose(mass, 1.0, atol=1e-9)


def test_lack_and_leak_vanish_at_the_equilibrium() -> None:
    problem = bench_mfg_chain(game="renewal")
    solution = mfg.solve(problem, tol=1e-13)
    choices = Choices(make_game(problem))
    w = (solution.policy.values * solution.density.values)[choices.live]
    value = solution.value.values
    system = Linearised(choices, Point(w, np.full(w.size, 1e-9), value, np.zeros(1)))
    np.testing.assert_allclose(system.leak, 0.0, atol=1e-12)
    assert system.lack.min() > -1e-8
    assert abs(w @ system.lack) < 1e-8
