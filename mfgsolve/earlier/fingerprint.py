"""Which game is this, as 0.4.0 told it?  The digest that its checkpoints hold.

    sha256 of  repr((axes or states, times, temperature or dynamics)),  walls, m_0, g,  f of the crowd that rests at
    three nodes,  and of a finite game  its transitions (those at the start where the crowd decides them), own costs
    and allowed actions

In 0.4.0 the nodes of time were k dt, not horizon k / steps, and differ by round-off from today's: what depends on time
is sampled where it was then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.games import Game, make_game
from mfgsolve.grids import Axis, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.spaces import Populations, Space, States
from mfgsolve.steps import Noise
from mfgsolve.steps.identity import GOLDEN, sampled_factors

__all__ = ["fingerprint"]


class _Nodes(TimeGrid):
    """The times of 0.4.0."""

    @property
    def nodes(self) -> np.ndarray:
        return np.arange(self.steps + 1) * self.dt


def fingerprint(problem: Problem) -> str:
    """Digest of a game as 0.4.0 made it; of a game that it could not state, one that it never made."""
    time = problem.time
    game = make_game(replace(problem, time=_Nodes(time.horizon, time.steps, time.unit)))
    digest = hashlib.sha256(_stated(problem).encode())
    for array in _arrays(game):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _stated(problem: Problem) -> str:
    """What was told by its words, as Python wrote it then.

    0.4.0 told diffusions by a repr and finite games by their tables: here, and nowhere else outside games, dynamics and
    steps, it is asked which kind there is.
    """
    time, dynamics = problem.time, problem.all_dynamics[0]
    more = f", discount={time.discount!r}" if time.discount else ""  # of which it knew nothing
    moments = f"TimeGrid(horizon={time.horizon!r}, steps={time.steps!r}, unit={time.unit!r}{more})"
    parts = [_space(problem.grid), moments]
    if isinstance(dynamics, ControlledDiffusion):
        scheme = "" if dynamics.scheme == "upwind" else f", scheme={dynamics.scheme!r}, reach={dynamics.reach!r}"
        parts.append(
            f"ControlledDiffusion(viscosity={dynamics.viscosity!r}, control_cost={dynamics.control_cost!r}, "
            f"noise={dynamics.noise!r}{scheme})"
        )
    else:
        parts.append(repr(problem.temperature))
    return f"({', '.join(parts)})"


def _space(space: Space) -> str:
    if isinstance(space, Grid):
        axes = [_axis(axis) for axis in space.axes]
        return f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"
    if isinstance(space, Populations):
        return f"('populations', {space.names!r}, {_space(space.space)})"
    assert isinstance(space, States)
    return repr(("states", space.states))


def _axis(axis: Axis) -> str:
    names = ("name", "cells", "start", "stop", "boundary", "unit")
    return f"Axis({', '.join(f'{name}={getattr(axis, name)!r}' for name in names)})"


def _arrays(game: Game) -> Iterator[Any]:
    price = game.price(game.resting_crowd(game.empty_crowd()))
    yield from (game.grid.mask, game.initial_mass, game.terminal_cost, price[[0, game.steps // 3, -1]])
    mass, factors = np.arange(1, game.cells + 1) * GOLDEN % 1.0, game.step.factors
    others = [factor for factor in factors if not isinstance(factor, Noise)]
    yield from sampled_factors(game.step, others, [mass])  # 0.4.0 had none
    if game.step.has_tables:
        yield from (*game.step.transitions, game.step.own_cost, game.step.allowed)
