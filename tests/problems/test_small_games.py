"""Small games: closed forms of left-right, rock-paper-scissors and the epidemic."""

from __future__ import annotations

import numpy as np
import pytest
from sharp_games import reward, sharp, uniform

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.games import Game


@pytest.mark.parametrize(("left", "right"), [(1.0, 2.0), (3.0, 0.5)])
def test_left_right(left: float, right: float) -> None:
    solution = sharp(problems.left_right(left=left, right=right))
    shares = solution.dataset["density"].values[1]
    np.testing.assert_allclose(shares, [0, right / (left + right), left / (left + right)], atol=1e-10)
    assert reward(solution) == pytest.approx(-left * right / (left + right), abs=1e-10)


def test_rock_paper_scissors() -> None:
    problem = problems.rock_paper_scissors()
    policy = uniform(problem)
    policy[0, :, 0] = np.array([26, 20, 31]) / 77
    certificate = mfg.exploitability(problem, policy)
    assert abs(certificate.exploitability) < 1e-15
    assert certificate.cost == pytest.approx(-0.545454545455, abs=1e-11)
    assert not problem.is_potential
    assert not problem.is_monotone
    solution = mfg.solve(problem, method="newton", tol=1e-6, check="ignore")
    assert reward(solution) == pytest.approx(6 / 11, abs=1e-5)


def test_susceptible_infected_follows_its_epidemic() -> None:
    problem = problems.susceptible_infected(steps=20)
    game = Game(problem)
    policy = np.zeros((20, 2, 2))
    policy[:, 0], policy[:, 1] = 0.75, 0.25
    sick = [0.6]
    for _ in range(20):
        sick.append(0.7 * sick[-1] + 0.75 * 0.81 * sick[-1] * (1 - sick[-1]))
    np.testing.assert_allclose(game.flow(policy)[:, 1], sick, atol=1e-15)
    cost = sum(sick[:-1]) + 20 * 0.25 * 0.5
    assert mfg.exploitability(problem, policy).cost == pytest.approx(cost, abs=1e-12)


def test_nobody_keeps_the_distance_where_nothing_is_caught() -> None:
    solution = mfg.solve(problems.susceptible_infected(infection=0.0), method="fictitious-play", check="raise")
    assert -reward(solution) == pytest.approx(0.6 * (1 - 0.7**51) / 0.3, abs=1e-12)
