"""Choices of a diffusion by name, and back from their chances to speeds."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import make_game


def step_on(grid: mfg.Grid):
    start = np.where(grid.mask, 0.0, 1.0)
    problem = mfg.Problem(grid=grid, time=mfg.TimeGrid(1.0, 40),
                          dynamics=mfg.ControlledDiffusion(0.01, scheme="upwind"),
                          coupling=mfg.CrowdAversion(1.0), initial=start, normalise=True)  # fmt: skip
    return make_game(problem).step


def test_choices_of_a_diffusion_are_named_and_open_where_no_wall_is():
    blocked = np.zeros((3, 4), dtype=bool)
    blocked[1, 2] = True
    step = step_on(mfg.Grid.box((3, 4), blocked=blocked))
    assert step.action_names == ["stay", "x+", "x-", "y+", "y-"]
    assert step.actions == 0  # solvers see no finite list
    assert (step.open_choices[:, 0] == (step.allowed & ~blocked.reshape(-1))).all()
    assert not step.open_choices[:, 0, 6].any()


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
