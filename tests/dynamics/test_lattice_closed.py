"""Cells that close and open: nobody enters, who is inside may go; the same as tables made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.dynamics.lattice_matrices import closed_cells
from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.identity import fingerprint
from mfgsolve.problemfile import problem_from_toml
from mfgsolve.problemfile.declaring import write_declared

N, STEPS = 6, 7


def gate(t: float, c: Any) -> np.ndarray:
    """A wall of one cell that goes from cell 3 to cell 2, and is gone from t = 4 on."""
    return (abs(c.x * N - 0.5 - (3 if t < 2 else 2)) < 0.1) & (t < 4)


def corridor(dynamics: Any, **parts: Any) -> mfg.Problem:
    stated: dict[str, Any] = {
        "grid": mfg.Grid.box((N,)), "time": mfg.TimeGrid(7.0, STEPS), "coupling": mfg.CrowdAversion(0.2),
        "initial": lambda t, c: (c.x < 0.5) * 1.0, "terminal": lambda t, c: -4.0 * c.x, "normalise": True,
        "dynamics": dynamics,
    }  # fmt: skip
    return mfg.Problem(**(stated | parts))


def lattice(**parts: Any) -> mfg.LatticeMoves:
    jumps = {0: 0.8, 1: 0.2}
    return mfg.LatticeMoves(**({"moves": [0, 1, -1], "costs": (0.0, 0.1, 0.1), "jumps": jumps, "temperature": 0.1,
                                "closed": gate} | parts))  # fmt: skip


def by_hand() -> mfg.Tabular:
    transitions = []
    for t in range(STEPS):
        shut = {3} if t < 2 else {2} if t < 4 else set()
        step = []
        for move in (0, 1, -1):
            table = np.zeros((N, N))
            for i in range(N):
                there = min(max(i + move, 0), N - 1)
                there = i if there in shut and there != i else there
                blown = min(there + 1, N - 1)
                blown = there if blown in shut and blown != there else blown
                table[i, there] += 0.8
                table[i, blown] += 0.2
            step.append(table)
        transitions.append(step)
    return mfg.Tabular(transitions, cost=[0.0, 0.1, 0.1], temperature=0.1)


def test_it_is_the_game_of_its_tables_and_nobody_passes_while_it_is_closed() -> None:
    problem = corridor(lattice())
    here, there = Game(problem), Game(corridor(by_hand()))
    for t in range(STEPS):
        ours, theirs = (game.step.transitions.matrix(t, N).toarray() for game in (here, there))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)
    one, other = mfg.solve(problem, tol=1e-11), mfg.solve(corridor(by_hand()), tol=1e-11)
    assert one.status.name == "CONVERGED"
    assert one.certificate.potential == pytest.approx(other.certificate.potential, abs=1e-10)
    mass = one.dataset["density"].values / N
    assert mass[1:3, 3:].max() == 0.0, "behind the wall"
    assert mass[3, 2] > 0, "who is overtaken by the wall is still there, or has gone on"
    assert mass[-1, 4:].sum() > 0.5
    agents = mfg.simulate(one, agents=30, replicas=2, rng=3)
    assert agents is not None


def test_arrays_functions_and_files_state_the_same() -> None:
    problem = corridor(lattice())
    levels = np.array([gate(t, problem.coordinates) for t in problem.time.nodes[:-1]])
    assert fingerprint(corridor(lattice(closed=levels))) == fingerprint(problem)
    assert fingerprint(corridor(lattice(closed=0.0))) != fingerprint(problem)
    still = corridor(lattice(closed=mfg.Box((0.4,), (0.6,))))
    assert fingerprint(problem_from_toml(write_declared(still, None)[0])) == fingerprint(still)
    assert Game(still).step.transitions.first.shape[0] == 1


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"closed": lambda t, c: c.x}, "closed cells are 0.0833333 at t = 0, cell (0,); 1 (closed) or 0 (open) is"),
        ({"closed": np.zeros(5)}, "closed cells gives ndarray of shape (5,)"),
        ({"closed": "door"}, "closed cells of a lattice is 'door'"),
        ({"walls": "forbid"}, "the lattice has closed cells and walls = 'forbid', which knows none of them"),
        ({"viscosity": 0.1}, "the lattice has closed cells and a viscosity"),
        ({"drift": 0.1}, "the lattice has closed cells and a drift"),
    ],
)
def test_what_does_not_go_together_is_refused(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        Game(corridor(lattice(**parts)))
    assert sentence in str(refused.value)


def test_truth_values_with_names_go_by_them() -> None:
    grid, time = mfg.Grid.box((2, 3)), mfg.TimeGrid(1.0, 2)
    shut = np.array([[False, True, False], [False, False, True]])
    named = xr.DataArray(shut.T, dims=("x", "y"))
    by_step = xr.concat([named, ~named], "time").transpose("y", "time", "x")
    for stated, wanted in ((named, [shut]), (lambda t, c: named, [shut]), (by_step, [shut, ~shut])):
        placed = mfg.LatticeMoves([(0, 0), (1, 0)], closed=stated).on(grid, time)
        assert closed_cells(placed.closed, grid, time, "").tolist() == np.array(wanted).tolist()
    with pytest.raises(InputError, match="closed cells of a lattice has masked entries"):
        mfg.LatticeMoves([(0, 0), (1, 0)], closed=np.ma.masked_array(shut, shut))
