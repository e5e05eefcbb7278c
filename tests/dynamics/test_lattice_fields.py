"""Moves whose costs, and jumps whose chances, differ from place to place and from time to time: the same as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.declaring import write_declared

MOVES = [(0, 0), (1, 0), (0, 1)]
N, STEPS = (3, 4), 5


def mud(t: float, c: Any) -> np.ndarray:
    return 0.1 + c.x * (1 + t)


def gust(t: float, c: Any) -> np.ndarray:
    return 0.3 * c.y * (1 - 0.1 * t)


COSTS = (0.0, mud, np.arange(12.0).reshape(N) / 20)
JUMPS = {(0, 0): lambda t, c: 1 - gust(t, c), (-1, 0): gust}


def room(dynamics: Any, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box(N, blocked=lambda c: (c.x > 0.5) & (c.x < 0.7) & (c.y < 0.3)),
        "time": mfg.TimeGrid(5.0, STEPS), "coupling": mfg.CrowdAversion(0.5), "normalise": True,
        "initial": lambda t, c: (c.x < 0.3) * 1.0, "terminal": lambda t, c: -3 * c.x * c.y, "dynamics": dynamics,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


def lattice(**parts: Any) -> mfg.LatticeMoves:
    return mfg.LatticeMoves(**({"moves": MOVES, "costs": COSTS, "jumps": JUMPS, "temperature": 0.1} | parts))


def by_hand(problem: mfg.Problem) -> mfg.Tabular:
    """The same as tables, entry by entry."""
    grid, times = problem.grid, problem.time.nodes[:-1]
    free, number = ~grid.mask, np.arange(12).reshape(N)

    def lands(cell: tuple[int, int], offset: tuple[int, int]) -> tuple[int, int]:
        x, y = min(max(cell[1] + offset[0], 0), N[1] - 1), min(max(cell[0] + offset[1], 0), N[0] - 1)
        return (y, x) if free[y, x] and free[cell] else cell

    transitions = []
    for t in times:
        chance = gust(t, grid.coordinates)
        step = []
        for offset in MOVES:
            table = np.zeros((12, 12))
            for cell in np.ndindex(N):
                moved = lands(cell, offset)
                blown = lands(moved, (-1, 0))
                share = chance[moved] if free[moved] else 0.0
                table[number[cell], number[moved]] += 1 - share
                table[number[cell], number[blown]] += share
            step.append(sparse.csr_array(table))
        transitions.append(step)
    costs = np.array([[np.zeros(N), mud(t, grid.coordinates), COSTS[2]] for t in times])
    return mfg.Tabular(transitions, cost=costs, temperature=0.1, actions=["stay", "x+", "y+"])


def test_it_is_the_game_of_its_tables() -> None:
    fields = room(lattice())
    tables = room(by_hand(fields))
    here, there = Game(fields), Game(tables)
    free = ~here.grid.mask.reshape(-1)
    np.testing.assert_allclose(here.step.own_cost[..., free], there.step.own_cost[..., free], atol=1e-15)
    for t in range(STEPS):
        ours, theirs = (game.step.transitions.matrix(t, 12).toarray() for game in (here, there))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)
    one, other = mfg.solve(fields, tol=1e-12), mfg.solve(tables, tol=1e-12)
    assert one.status.name == other.status.name == "CONVERGED"
    assert one.certificate.potential == pytest.approx(other.certificate.potential, abs=1e-11)
    np.testing.assert_allclose(one.dataset["density"], other.dataset["density"], rtol=0, atol=1e-8)
    run = mfg.simulate(one, agents=40, replicas=2, rng=1)
    assert run is not None


def test_what_rests_has_one_level_and_numbers_are_what_they_were() -> None:
    still = lattice(
        costs=(0.0, 0.1, COSTS[2]), jumps={(0, 0): lambda t, c: 1 - 0.2 * c.x, (0, -1): lambda t, c: 0.2 * c.x}
    )
    step = Game(room(still)).step
    assert step.own_cost.shape[0] == step.transitions.first.shape[0] == 1
    plain = lattice(costs=(0.0, 0.1, 0.2), jumps={(0, 0): 0.75, (-1, 0): 0.25})
    fields = lattice(costs=(0.0, lambda t, c: 0.1, 0.2), jumps={(0, 0): lambda t, c: 0.75, (-1, 0): np.full(N, 0.25)})
    grid = mfg.Grid.box(N)
    one, other = (Game(room(dynamics, grid=grid)).step for dynamics in (plain, fields))
    np.testing.assert_array_equal(one.own_cost * np.ones((STEPS, 1, 1)), other.own_cost * np.ones((STEPS, 1, 1)))
    np.testing.assert_array_equal(one.transitions.matrix(0, 12).toarray(), other.transitions.matrix(0, 12).toarray())
    assert fingerprint(room(lattice())) == fingerprint(room(lattice()))
    assert fingerprint(room(lattice(costs=0.1))) != fingerprint(room(lattice(costs=mud)))


def test_arrays_over_time_and_problem_files() -> None:
    problem = room(lattice(), grid=mfg.Grid.box(N))
    levels = np.array([mud(t, problem.coordinates) for t in problem.time.nodes[:-1]])
    again = room(lattice(costs=(0.0, levels, COSTS[2])), grid=mfg.Grid.box(N))
    assert fingerprint(again) == fingerprint(problem)
    still = room(lattice(costs=(0.0, mfg.Quadratic(1.0, (0.5, 0.5)), 0.1), jumps=None))
    assert fingerprint(problem_from_toml(write_declared(still, None)[0])) == fingerprint(still)
    text = """
        [grid]
        shape = [4]
        [time]
        horizon = 3.0
        steps = 3
        [dynamics]
        kind = "lattice"
        moves = [0, 1]
        costs = [0.0, {bump = {amplitude = 1.0, width = 0.2, centre = [0.5]}}]
        jumps = [{offset = 0, probability = [1.0, 0.5, 0.5, 1.0]}, {offset = -1, probability = [0.0, 0.5, 0.5, 0.0]}]
        temperature = 0.1
        [[coupling]]
        kind = "crowd-aversion"
        strength = 1.0
        [initial]
        density = 1.0
        """
    matrix = Game(problem_from_toml(text)).step.transitions.matrix(0, 4).toarray()
    np.testing.assert_array_equal(matrix[:4], [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"costs": (0.0, lambda t, c: np.log(c.x - 0.5), 0.0)}, "cost of the move 'x+' is nan at t = 0, cell (0, 0)"),
        ({"costs": (0.0, np.ones(5), 0.0)}, "cost of the move 'x+' gives ndarray of shape (5,)"),
        ({"costs": (mud, mud)}, "lattice has 3 moves and 2 costs"),
        ({"jumps": {(0, 0): 0.5, (1, 0): gust}}, "probabilities of the jumps sum to 0.55 at t = 0, cell (0, 0); they"),
        ({"jumps": {(0, 0): lambda t, c: 1 + gust(t, c), (1, 0): lambda t, c: -gust(t, c)}},
         "probability of the jump (1, 0) is -0.05 at t = 0, cell (0, 0); it must be zero or positive"),
        ({"jumps": {(0, 0): "often"}}, "probability of a jump is 'often'"),
    ],
)  # fmt: skip
def test_what_is_no_cost_or_chance_is_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        Game(room(lattice(**parts), grid=mfg.Grid.box(N)))
    assert sentence in str(refused.value)
