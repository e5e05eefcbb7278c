"""Path-following: sharp stationary games of every kind, in few steps, and again from a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stationary_games import TIMES, begun, chain, random_game, two_populations

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.solvers import PathFollowing, suited


def plane(time: mfg.Discounted | mfg.Ergodic, cells: int) -> mfg.Problem:
    grid = mfg.Grid.box((cells, cells), blocked=lambda c: (abs(c.x - 0.5) < 0.5 / cells) & (abs(c.y - 0.3) > 0.1))
    costs = [0.0, 0.02, 0.02, 0.02, 0.02]
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    dynamics = mfg.LatticeMoves(moves, costs, viscosity=0.1 / cells**2, noise="explicit")
    hills = mfg.RunningCost(lambda t, c: np.sin(3 * c.x) * np.cos(2 * c.y))
    start = {"initial": lambda t, c: np.exp(-20 * ((c.x - 0.2) ** 2 + (c.y - 0.2) ** 2)), "normalise": True}
    return mfg.Problem(grid, time, dynamics, mfg.CrowdAversion(0.5) + hills, **(start if time.needs_initial else {}))


@pytest.mark.parametrize("kind", TIMES)
def test_a_plane_with_a_wall(kind: str) -> None:
    problem = plane(TIMES[kind], 12)
    solution = mfg.solve(problem, tol=1e-10)
    assert solution.dataset.attrs["stages"] == "path-following"
    assert solution.iterations <= 30
    assert abs(mfg.exploitability(problem, solution).relative_exploitability) < 1e-9


@pytest.mark.parametrize("kind", ["invariant", "renewal"])
def test_the_same_equilibrium_as_another_road(kind: str) -> None:
    sharp = mfg.solve(chain(kind), tol=1e-12)
    other = mfg.solve(chain(kind), method="prior-descent", tol=1e-9)
    np.testing.assert_allclose(sharp.density, other.density, atol=1e-5)


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("seed", range(3))
def test_random_games(kind: str, seed: int) -> None:
    problem = random_game(kind, np.random.default_rng(seed), 6)
    solution = mfg.solve(problem, method="path-following", tol=1e-12)
    assert solution.iterations <= 30
    assert solution.relative_exploitability > -1e-13


def test_couplings_on_choices_and_prices() -> None:
    place = np.arange(5)
    chances = [0.9 * np.eye(5)[np.clip(place + move, 0, 4)] + 0.02 for move in (-1, 0, 1)]
    cost = np.stack([(place - 1.0) ** 2 + c for c in (0.3, 0.0, 0.3)])
    price = mfg.Price(mfg.QuadraticPotential(weight=2.0, centre=0.1), amounts=[-1.0, 0.0, 1.0])
    for coupling in (mfg.CrowdAversion(3.0, on="occupation"), mfg.CrowdAversion(2.0) + price):
        problem = mfg.Problem(mfg.States(5), mfg.Ergodic(), mfg.Tabular(chances, cost=cost), coupling)
        solution = mfg.solve(problem, method="path-following", tol=1e-11)
        assert abs(mfg.exploitability(problem, solution).relative_exploitability) < 1e-10
    occupied = solution.density.values * solution.policy.values
    assert float(solution.dataset["aggregate_amount"][0]) == pytest.approx((occupied[2] - occupied[0]).sum(), abs=1e-12)


def test_which_solver_comes_first() -> None:
    assert suited(chain("ergodic"))[:2] == ["path-following", "newton"]
    assert suited(chain("ergodic", temperature=0.1))[0] == "newton"
    assert "frank-wolfe" in suited(chain("renewal"))
    assert "frank-wolfe" not in suited(chain("invariant"))  # which has no potential
    with pytest.raises(mfg.InputError, match="it has no final time"):
        mfg.solve(chain("ergodic"), method="interior-point")
    with pytest.raises(mfg.InputError, match="it has a final time"):
        mfg.solve(mfg.problems.left_right(), method="path-following")


@pytest.mark.parametrize("kind", TIMES)
def test_a_checkpoint_goes_on_bit_for_bit(kind: str, tmp_path: Path) -> None:
    whole = mfg.solve(chain(kind), tol=1e-12)
    mfg.solve(chain(kind), tol=1e-12, max_iterations=3, checkpoint=tmp_path / "c.nc", check="ignore")
    again = mfg.resume(tmp_path / "c.nc")
    np.testing.assert_array_equal(again.density.values, whole.density.values)
    np.testing.assert_array_equal(again.dataset.exploitability, whole.dataset.exploitability)


def test_a_start_is_used() -> None:
    near = mfg.solve(chain("ergodic", crowd=39.0), tol=1e-10)
    solution = mfg.solve(chain("ergodic"), start=near, tol=1e-10)
    assert solution.relative_exploitability <= 1e-10
    dynamics, start = chain("ergodic").dynamics, np.full(7, 1 / 7)
    finite = mfg.Problem(mfg.States(7), mfg.TimeGrid(3.0, 3), dynamics, mfg.CrowdAversion(1.0), start)
    with pytest.raises(mfg.InputError, match="start is of a game without a final time"):
        mfg.solve(finite, start=near)


@pytest.mark.slow
def test_thousands_of_states() -> None:
    problem = plane(TIMES["renewal"], 48)
    solution = mfg.solve(problem, tol=1e-9)
    assert solution.iterations <= 40
    assert problem.grid.size == 2304


def test_populations_start_with_their_own_mass() -> None:
    problem = two_populations(TIMES["renewal"])
    state = PathFollowing().init(make_game(problem.levelled()), 1e-10)
    mass = state.choices.table_of(state.chosen).sum(axis=0).reshape(2, 5)
    np.testing.assert_allclose(mass.sum(axis=1), 1.0)
    assert begun(TIMES["ergodic"], 1.0) == {}


@pytest.mark.parametrize("population", ["invariant", "renewal"])
def test_choices_that_are_exact_in_one_step(population: str) -> None:
    """A single action: its excess is 0, and so would be the product that the next step is measured by."""
    time = mfg.Discounted(factor=1 - 1e-6, population=population)
    dynamics = mfg.Tabular([np.roll(np.eye(3), 1, axis=1)], cost=np.array([[0.1, -0.2, 0.4]]))
    problem = mfg.Problem(mfg.States(3), time, dynamics, mfg.CrowdAversion(2.0), **begun(time, np.full(3, 1 / 3)))
    solution = mfg.solve(problem, method="path-following", max_iterations=4, tol=1e-15, check="ignore")
    assert abs(solution.relative_exploitability) < 1e-9
    np.testing.assert_allclose(solution.density, 1 / 3, atol=1e-12)
