"""Sharp games without a potential: closed forms, the interior point where there is one, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.games import Game
from mfgsolve.solvers import Complementarity, suited
from mfgsolve.solvers.complementarity import Equations


def test_rock_paper_scissors_has_its_closed_form() -> None:
    solution = mfg.solve(problems.rock_paper_scissors())
    assert solution.converged
    np.testing.assert_allclose(solution.dataset["density"][1, 1:], np.array([26, 20, 31]) / 77, atol=1e-9)
    assert -float(solution.dataset["value"][0, 0]) == pytest.approx(6 / 11, abs=1e-8)  # shared value 0.545454545455


def test_left_right_has_its_closed_form() -> None:
    solution = mfg.solve(problems.left_right(), method="complementarity")
    np.testing.assert_allclose(solution.dataset["density"][1], [0, 2 / 3, 1 / 3], atol=1e-9)
    assert -float(solution.dataset["value"][0, 0]) == pytest.approx(-2 / 3, abs=1e-9)


def test_predators_chase_prey_to_nine_digits_and_more() -> None:
    solution = mfg.solve(problems.predator_prey(), tol=1e-10)
    assert solution.dataset.attrs["solver"] == "complementarity"
    assert solution.converged
    assert solution.relative_exploitability <= 1e-10
    assert np.isnan(solution.potential)


@pytest.mark.parametrize("name", ["beach-bar", "crowd-modelling", "braess"])
def test_agrees_with_the_interior_point_where_there_is_a_potential(name: str) -> None:
    problem = problems.build(name, **({"shape": (8,), "steps": 6} if name != "braess" else {}))
    one, other = (mfg.solve(problem, method=method, tol=1e-10) for method in ("complementarity", "interior-point"))
    assert one.potential == pytest.approx(other.potential, rel=1e-9)
    if name != "braess":  # strictly crowd-averse: one equilibrium
        np.testing.assert_allclose(one.dataset["density"], other.dataset["density"], atol=1e-5)


def test_equations_are_the_game() -> None:
    """z and the flow from the sparse matrices, beside the kernels: implicit noise, blocked cells, choices."""
    problem = mfg.Problem(
        grid=mfg.Grid.box((3, 4), blocked=lambda c: (c.x > 0.7) & (c.y > 0.6)),
        time=mfg.TimeGrid(1.0, 3),
        dynamics=mfg.LatticeMoves(((0, 0), (1, 0), (0, -1)), (0.0, 0.3, 0.2), viscosity=0.05, walls="forbid"),
        coupling=mfg.CrowdAversion(0.5) + mfg.CrowdAversion(0.2, on="occupation"),
        initial=1.0,
        terminal=lambda t, c: c.x,
        terminal_coupling=mfg.CrowdAversion(0.1),
        normalise=True,
    )
    game = Game(problem)
    equations = Equations(game)
    policy = game.step.uniform()
    crowd = game.flow(policy)
    w = (policy * crowd[:-1, None, : game.cells]).reshape(game.steps, -1)[equations.live]
    np.testing.assert_allclose(equations.balance @ w, equations.start, atol=1e-14)
    seen, cost = equations.crowd_and_cost(w)
    np.testing.assert_allclose(seen, crowd, atol=1e-14)
    value, q = game.evaluate(policy, game.price(crowd))
    excess = cost + equations.ahead @ value[:-1][equations.reach]
    state = value[:-1] - game.weights[:-1, None] * game.price(crowd)[:-1, : game.cells]
    expected = (q - state[:, None]).reshape(game.steps, -1)[equations.live]
    np.testing.assert_allclose(excess, expected, atol=1e-12)


def test_slope_of_a_coupling_between_cells_is_its_matrix() -> None:
    matrix = np.array([[0.0, 1.0], [-1.0, 0.5]])
    problem = mfg.Problem(
        mfg.States(2), mfg.TimeGrid(2, 2), mfg.Tabular([np.eye(2), np.eye(2)[::-1]]), mfg.Interaction(matrix),
        np.array([0.3, 0.7]),
    )  # fmt: skip
    equations = Equations(Game(problem))
    crowd = equations.game.flow(equations.game.step.uniform())
    dense = equations.slope(crowd).toarray()
    np.testing.assert_allclose(dense[:2, :2], matrix)
    np.testing.assert_allclose(dense[2:4, 2:4], matrix)
    assert (dense[4:] == 0).all()


def test_resumes_bit_for_bit(tmp_path) -> None:
    problem, file = problems.predator_prey(size=3, steps=4), tmp_path / "half.nc"
    whole = mfg.solve(problem, method="complementarity")
    mfg.solve(problem, method="complementarity", max_iterations=2, checkpoint=file, check="ignore")
    again = mfg.resume(file)
    assert again.relative_exploitability == whole.relative_exploitability
    np.testing.assert_array_equal(again.dataset["policy"], whole.dataset["policy"])


def test_says_what_it_cannot_do() -> None:
    for problem, why in (
        (problems.rock_paper_scissors(temperature=0.1), "smooth"),
        (problems.susceptible_infected(), "depend on the crowd"),
        (problems.bonnans_lavigne_pfeiffer_1(), "hard bounds"),
        (problems.cole_hopf(shape=(8,), steps=8), "speeds"),
    ):
        with pytest.raises(mfg.InputError, match=why):
            mfg.solve(problem, method="complementarity")


def test_is_what_a_sharp_game_without_a_potential_gets() -> None:
    assert suited(problems.rock_paper_scissors())[0] == "complementarity"
    assert suited(problems.left_right())[0] == "interior-point"
    assert Complementarity().warmth > 0
