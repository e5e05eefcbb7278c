"""The conditions of an equilibrium as sparse matrices, beside the kernels of the game."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.solvers.equations import Equations


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


def test_a_direction_meets_every_linear_equation() -> None:
    """w dz + z dw is what was asked, the flow leaks no more, and dz is the change of what choices cost."""
    game = Game(mfg.problems.rock_paper_scissors())
    equations, rng = Equations(game), np.random.default_rng(1)
    w, z = rng.uniform(0.1, 1.0, (2, equations.choices))
    value, products = rng.normal(size=equations.rows), rng.normal(size=equations.choices)
    point = equations.linearised(w, z, value)
    dw, dz, dv = point.solve(products)
    np.testing.assert_allclose(w * dz + z * dw, products, atol=1e-12)
    np.testing.assert_allclose(equations.balance @ (w + dw), equations.start, atol=1e-12)
    small = 1e-6
    (_, more), (_, less) = (equations.crowd_and_cost(w + sign * small * dw) for sign in (1, -1))
    cost = equations.crowd_and_cost(w)[1] + (more - less) / (2 * small)
    np.testing.assert_allclose(z + dz, cost + equations.ahead @ (value + dv), atol=1e-7)
