"""A first point in the middle for `complementarity`, and directions that stay near the path through it.

Products of an occupation w and its reduced cost z fall together along  w z = mu barrier,  where the barrier of a choice
follows the largest mass that can be in its state, as in `interior_point`: cells that only a tail of the crowd can reach
neither vanish from the path nor hold it up.  In a crowd-averse game the path leads to an equilibrium from here, however
many there are (several populations of which only the total counts have a continuum).

Every step is one length for w, z and the values, since costs that depend on the crowd tie them.  Predictor, corrector
and Gondzio's centrality corrections, of which the longest step is taken.

Sources: Mehrotra, doi:10.1137/0802028; Gondzio, doi:10.1007/BF00249643; Colombo and Gondzio,
doi:10.1007/s10589-007-9106-0 (corrections that are weighted).
"""

from __future__ import annotations

import numpy as np

from mfgsolve.solvers.equations import Equations, Linearised
from mfgsolve.solvers.interior_point import TAIL, largest_mass
from mfgsolve.solvers.newton_systems import FlowMaps

__all__ = ["barrier", "centred_point", "direct", "longest"]

BACK = 0.995  # share of the way to the boundary
LONG = 0.9  # length of a step that needs no correction
IDLE = 3  # corrections in a row without a longer step, after which no more are made
LEAST = 0.1  # smallest share of a correction

Step = tuple[np.ndarray, ...]  # dw, dz, dV


def barrier(equations: Equations) -> np.ndarray:
    """Weights of the live choices, which sum to the mass of every population at every time."""
    game = equations.game
    most = np.where(equations.reach, largest_mass(FlowMaps(game))[:-1], 0.0) ** TAIL * equations.reach
    parts = most.reshape(game.steps, game.grid.populations, -1)
    parts *= np.asarray(game.grid.masses)[:, None] / parts.sum(axis=2, keepdims=True)
    choices = np.maximum(game.step.allowed.sum(axis=0), 1)
    table = np.repeat((most / choices)[:, None], game.step.actions, axis=1)
    return np.asarray(table.reshape(game.steps, -1)[equations.live])


def centred_point(equations: Equations, weights: np.ndarray) -> Step:
    """w = the barrier, the values V of best responses less the spread of all costs, and z = what they leave."""
    _, cost = equations.crowd_and_cost(weights)
    rise = float(max(np.ptp(cost), np.ptp(equations.own))) or 1.0
    value, excess = np.zeros(equations.rows), np.empty(equations.choices)
    for t in range(equations.game.steps - 1, -1, -1):
        part = equations.at(t)
        here = equations.here[part]
        ahead = cost[part] + equations.ahead[part] @ value  # of this time's values nothing is known yet
        best = np.full(equations.rows, np.inf)
        np.minimum.at(best, here, ahead)
        rows = np.unique(here)
        value[rows] = best[rows] - rise
        excess[part] = ahead - value[here]
    return weights.copy(), excess, value


def direct(newton: Linearised, weights: np.ndarray, corrections: int) -> tuple[Step, float]:
    """Direction and length of the longest step of all that were tried."""
    w, z = newton.w, newton.z
    mu, products = float(w @ z) / float(weights.sum()), -w * z
    ahead = newton.solve(products)
    length = longest(w, z, ahead)
    left = float((w + length * ahead[0]) @ (z + length * ahead[1])) / float(weights.sum())
    aim = mu * min(1.0, max(left, 0.0) / mu) ** 3 * weights
    wanted = products + aim - ahead[0] * ahead[1]
    step, length, share = _blend(w, z, ahead, newton.solve(wanted), length**2)
    products = products + share * (wanted - products)
    best, idle = (step, length), 0
    for _ in range(corrections):
        if length > LONG or idle == IDLE:
            break
        far = min(1.0, 1.1 * length + 0.3)
        there = (w + far * step[0]) * (z + far * step[1])
        wanted = products + np.maximum(np.clip(there, 0.1 * aim, 10 * aim) - there, -10 * aim)
        step, length, share = _blend(w, z, step, newton.solve(wanted), max(length**2, LEAST))
        products = products + share * (wanted - products)
        idle = 0 if length > best[1] + 0.01 else idle + 1
        if length > best[1]:
            best = step, length
    return best[0], min(1.0, BACK * best[1])


def _blend(w: np.ndarray, z: np.ndarray, start: Step, end: Step, least: float) -> tuple[Step, float, float]:
    """The point between two directions that allows the longest step, the length of that, and its share."""
    result: tuple[Step, float, float] = (start, longest(w, z, start), 0.0)
    for share in np.linspace(1.0, least, 9).tolist():
        step = tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
        length = longest(w, z, step)
        if length > result[1] or (share == 1.0 and length == result[1]):
            result = step, length, share
    return result


def longest(w: np.ndarray, z: np.ndarray, step: Step) -> float:
    """Longest step up to 1 that keeps w and z positive."""
    length = 1.0
    for value, change in ((w, step[0]), (z, step[1])):
        down = change < 0
        if down.any():
            length = min(length, float((value[down] / -change[down]).min()))
    return length
