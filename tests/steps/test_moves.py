"""Choices of an agent of a diffusion: cell by cell, by brute force."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps.moves import move_allowed, move_distances, move_transitions

HOLE = np.zeros((3, 4), dtype=bool)
HOLE[1, 2] = True


def step_on(grid: mfg.Grid):
    start = np.where(grid.mask, 0.0, 1.0)
    problem = mfg.Problem(grid=grid, time=mfg.TimeGrid(1.0, 40), dynamics=mfg.ControlledDiffusion(0.01),
                          coupling=mfg.CrowdAversion(1.0), initial=start, normalise=True)  # fmt: skip
    return make_game(problem).step


@pytest.mark.parametrize("boundary", ["reflecting", "periodic", ("periodic", "reflecting")])
@pytest.mark.parametrize("blocked", [None, HOLE])
def test_moves_lead_to_neighbours_and_stop_at_walls(boundary, blocked):
    grid = mfg.Grid.box((3, 4), boundary=boundary, blocked=blocked)
    step = step_on(grid)
    table, allowed = move_transitions(step.mesh), move_allowed(step.mesh, grid.mask)
    targets = table.successor.reshape(5, 12)
    assert step.action_names == ["stay", "x+", "x-", "y+", "y-"]
    assert (np.diff(table.first[0]) == 1).all()
    assert (table.chance == 1).all()
    for y in range(3):
        for x in range(4):
            for a, (j, i) in enumerate([(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]):
                there = ((y + j) % 3, (x + i) % 4)
                over = (y + j, x + i) != there
                axis = grid.axes[0 if j else 1]
                inside = not (over and not axis.periodic) and not grid.mask[y, x] and not grid.mask[there]
                assert allowed[a, 4 * y + x] == (a == 0 or inside)
                if allowed[a, 4 * y + x]:
                    assert targets[a, 4 * y + x] == 4 * there[0] + there[1]
    assert (step.open_choices[:, 0] == (allowed & ~grid.mask.reshape(-1))).all()
    assert step.actions == 0  # solvers see no finite list


def test_distances_are_those_of_centres():
    axis = mfg.Axis.from_edges("x", [0.0, 0.2, 0.8, 1.0], "periodic")
    away = move_distances(step_on(mfg.Grid((axis,))).mesh)
    np.testing.assert_allclose(away, [[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])


def test_speeds_and_chances_are_inverses():
    step, rng = step_on(mfg.Grid.box((3, 4), boundary="periodic")), np.random.default_rng(0)
    speeds = rng.uniform(0, 0.3, size=(40, 4, 3, 4))
    policy = step.policy_from(speeds)
    chances = step.chain(policy).choices.transpose(0, 2, 1)
    visited = np.ones((40, 12), dtype=bool)
    visited[:, 5] = False
    back = step.policy_by_chances(chances, visited).speeds.reshape(40, 4, 12)
    np.testing.assert_allclose(back[:, :, visited[0]], speeds.reshape(40, 4, 12)[:, :, visited[0]], rtol=1e-14)
    assert (back[:, :, 5] == 0).all()
