"""What tests of named games ask of them: the reward at equilibrium, the uniform policy, a sharp solve."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import Game


def reward(solution) -> float:
    """V = -<m_0, V_0>, what agents earn at equilibrium."""
    value = np.nan_to_num(solution.dataset["value"].values[0])  # NaN in walls
    return -float((solution.problem.initial_mass() * value).sum())


def uniform(problem) -> np.ndarray:
    """The policy that takes every allowed action alike, as users state it."""
    game = Game(problem)
    return game.step.uniform().reshape(game.steps, game.step.actions, *problem.grid.shape)


def sharp(problem, tol: float = 1e-11):
    """The solution at temperature 0."""
    return mfg.solve(problem, method="interior-point", tol=tol, check="raise")
