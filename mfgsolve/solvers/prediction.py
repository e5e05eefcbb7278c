"""Linear solves of Newton's step that end on the exploitability that they predict.

Stopped at a residual r of (I - K B) x = M - mb, Newton's step leads to a belief whose answer has, to first order, the
exploitability

    E(r) = <r, (A - 1) r> / 2,      A = I - K B,    <u, v> = sum u B v

half of what agents gain by answering the price that their own answer makes.  A solve is as exact as that asks for.
The first pass, A r of r = M - mb, says how far the belief is now, whatever was predicted of it before.  Far from the
equilibrium conjugate gradients go on from there; they give E beside what they need anyway, for A r = q - share q' with
q = A p, and directions are conjugate.  Near to it a method that minimises E itself over the same spaces needs a quarter
fewer passes:

    s = A r, p = r, q = s, t = A q;     y = t - q,  alpha = <r, y> / <q, y>,  x += alpha p,  r -= alpha q,  s -= alpha t
                                        beta = -<s, y> / <q, y>,   p = r + beta p,  q = s + beta q,  t = A q

(a conjugate-direction method in the inner product of A - 1: the A p are orthogonal in it).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mfgsolve.kernels import vectors
from mfgsolve.solvers.krylov import Linearisation, Vectors
from mfgsolve.solvers.newton_state import NewtonState

__all__ = ["Aim", "Found", "near_enough", "predicted_solve", "solve_as_foreseen", "thickest"]

SHARE, ROOT = 0.03, 0.3  # of the relative exploitability, and of its root, that a solve leaves
MARGIN = 0.8  # share of the tolerance that it aims at
GAP = 0.1  # of the goal of a level, a duality gap that is as good
NEAR = 1e-4  # relative exploitability from which the prediction itself is minimised


class Aim(NamedTuple):
    """Where a solve ends: when E is a ``share`` of what it was, or ``floor``; below ``near`` E itself is minimised."""

    share: float
    floor: float
    near: float


class Found(NamedTuple):
    """How often the operator was used, and the exploitability that is predicted for the full step."""

    uses: int
    predicted: float


def near_enough(state: NewtonState) -> bool:
    """Whether the dual says that a level before the last is solved well enough.  Where the slope of the coupling has no
    bound, the exploitability of a crowd that is wrong where hardly anybody is may be large all the same."""
    now, rough = state.certificate, state.levels.rough
    return rough is not None and state.is_steep and now.duality_gap <= GAP * rough * now.scale


def thickest(state: NewtonState, work: np.ndarray) -> np.ndarray:
    """Where the coupling is linearised: at the belief; or, where its slope has no bound, at the larger of belief and
    answer: the slope at a place that was believed to be empty says nothing of the crowd that comes there."""
    return np.maximum(state.believed, state.crowd, out=work) if state.is_steep else state.believed


def predicted_solve(
    state: NewtonState, system: Linearisation, given: tuple[np.ndarray, np.ndarray], tol: float, limit: int
) -> Found:
    """The solve that a state asks for, with arrays of its pool; ``given`` are the solution and M - mb, ``tol`` the
    relative exploitability that is wanted in the end."""
    pool, scale = state.pool, state.certificate.scale
    direction = pool.take()
    image, moved = pool.lend(state.price)

    def aim(first: float) -> Aim:
        share = min(SHARE, ROOT * math.sqrt(max(first / scale, 0.0)))
        return Aim(share, MARGIN * tol * scale, NEAR * scale)

    spare = moved, state.price  # which nobody reads any more
    found = solve_as_foreseen(system, Vectors(*given, direction, image), spare, aim, limit)
    pool.give(direction)
    return found


def solve_as_foreseen(
    system: Linearisation, work: Vectors, spare: tuple[np.ndarray, np.ndarray], aim: Callable[[float], Aim], limit: int
) -> Found:
    """Solve from zero; ``work.residual`` is M - mb on entry, and no more than work on exit.

    ``aim`` is asked with E of no step at all; ``spare`` is overwritten where E itself is minimised.
    """
    assert system.scale is not None
    work.solution[:] = 0.0
    work.direction[:] = 0.0
    metric, residual = _flat(system.scale), _flat(work.residual)
    size = float(vectors.inner(metric, residual, residual))
    if not size > 0:
        return Found(0, 0.0)
    curve = system.game.conjugate_step(system.policy, system.crowd, system.scale, work, 0.0, 0.0)
    first = 0.5 * (curve - size)
    wanted = aim(first)
    goal = max(wanted.share * first, wanted.floor)
    if first > wanted.near:
        return _conjugate_gradient(system, work, (size, curve), goal, limit)
    return _least_exploitability(system, work, spare, first, goal, limit)


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(array.shape[0], -1)


def _conjugate_gradient(
    system: Linearisation, work: Vectors, sizes: tuple[float, float], goal: float, limit: int
) -> Found:
    """From the first direction p = r and its image; ``sizes`` are <r, r> and <p, A p>."""
    assert system.scale is not None
    metric, residual, image = _flat(system.scale), _flat(work.residual), _flat(work.image)
    (size, curve), share, before, uses = sizes, 0.0, 0.0, 1
    while True:
        left, length = 0.5 * (curve + share**2 * before - size), size / curve
        if uses >= limit or left <= goal:
            break  # with one step more, which is there already
        now = float(vectors.descend(metric, residual, image, length))
        size, share, before = now, now / size, curve
        if not size > 0:
            break
        # the pass first finishes the step before: solution += length direction, direction = residual + share direction
        curve = system.game.conjugate_step(system.policy, system.crowd, system.scale, work, length, share)
        uses += 1
    vectors.add(_flat(work.solution), _flat(work.direction), length)
    return Found(uses, left)


def _least_exploitability(
    system: Linearisation, work: Vectors, spare: tuple[np.ndarray, np.ndarray], left: float, goal: float, limit: int
) -> Found:
    """The method that minimises E, from p = r and s = A r in ``work``; ``spare`` holds q = A p and A q."""
    assert system.scale is not None
    metric, (x, r, p, s), (q, t) = _flat(system.scale), map(_flat, work), map(_flat, spare)
    q[:] = s
    uses, share = 1, 0.0
    while uses < limit and left > 0:
        if uses > 1:
            vectors.turn(p, r, share)
            vectors.turn(q, s, share)
        system.game.curvature(system.policy, system.crowd, spare[0], system.scale, spare[1])
        uses += 1
        along, across = vectors.excess(metric, r, q, t)
        if not across > 0:  # round-off
            break
        twice, turned = vectors.advance(metric, x, r, s, p, q, t, along / across)
        left, share = 0.5 * float(twice), -turned / across
        if left <= goal:
            break
    return Found(uses, left)
