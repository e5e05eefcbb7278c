"""Linear solves of Newton's step that end on the exploitability that they predict.

Stopped at a residual r of (I - K B) x = M - mb, Newton's step leads to a belief whose answer has, to first order, the
exploitability

    E(r) = <r, (A - 1) r> / 2,      A = I - K B,    <u, v> = sum u B v

half of what agents gain by answering the price that their own answer makes.  A solve is as exact as that asks for.
Far from the equilibrium conjugate gradients give E beside what they need anyway: A r = q - share q', and directions
are conjugate.  Near to it a method that minimises E itself over the same spaces needs a quarter fewer passes:

    s = A r, p = r, q = s, t = A q;     y = t - q,  alpha = <r, y> / <q, y>,  x += alpha p,  r -= alpha q,  s -= alpha t
                                        beta = -<s, y> / <q, y>,   p = r + beta p,  q = s + beta q,  t = A q

(a conjugate-direction method in the inner product of A - 1: the A p are orthogonal in it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mfgsolve.kernels import vectors
from mfgsolve.solvers.krylov import Linearisation, Vectors

__all__ = ["Aim", "Found", "least_exploitability", "predicted_gradient"]


class Aim(NamedTuple):
    """Where a solve ends: at ``share`` of the exploitability that is predicted without a step, or at ``floor``."""

    share: float
    floor: float

    def goal(self, first: float) -> float:
        return max(self.share * first, self.floor)


class Found(NamedTuple):
    """How often the operator was used, and the exploitability that is predicted for the full step."""

    uses: int
    predicted: float


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(array.shape[0], -1)


def predicted_gradient(system: Linearisation, work: Vectors, aim: Aim, limit: int) -> Found:
    """Conjugate gradients from zero; ``work.residual`` is M - mb on entry, and no more than work on exit."""
    assert system.scale is not None
    metric, residual, image = _flat(system.scale), _flat(work.residual), _flat(work.image)
    work.solution[:] = 0.0
    work.direction[:] = 0.0
    size = float(vectors.inner(metric, residual, residual))
    length, share, before, left, goal, uses = 0.0, 0.0, 0.0, 0.0, np.inf, 0
    while uses < limit and size > 0:
        # the pass first finishes the step before: solution += length direction, direction = residual + share direction
        curve = system.game.conjugate_step(system.policy, system.crowd, system.scale, work, length, share)
        left = 0.5 * (curve + share**2 * before - size)
        goal = aim.goal(left) if uses == 0 else goal
        length, uses = size / curve, uses + 1
        if left <= goal:
            break  # with one step more, which is there already
        now = float(vectors.descend(metric, residual, image, length))
        size, share, before = now, now / size, curve
    vectors.add(_flat(work.solution), _flat(work.direction), length)
    return Found(uses, left)


def least_exploitability(
    system: Linearisation, work: Vectors, spare: tuple[np.ndarray, np.ndarray], aim: Aim, limit: int
) -> Found:
    """The method that minimises E, from zero; ``work.image`` holds A r, ``spare`` A p and A A p."""
    assert system.scale is not None
    metric, (x, r, p, s), (q, t) = _flat(system.scale), map(_flat, work), map(_flat, spare)
    x[:] = 0.0
    apply = _operator(system)
    apply(work.residual, work.image)
    first = left = 0.5 * float(vectors.excess(metric, r, r, s)[0])
    goal, uses, share = aim.goal(first), 1, 0.0
    p[:] = 0.0
    q[:] = 0.0
    while uses < limit and left > 0:
        vectors.turn(p, r, share)
        vectors.turn(q, s, share)
        apply(*spare)
        uses += 1
        along, across = vectors.excess(metric, r, q, t)
        if not across > 0:  # round-off
            break
        twice, turned = vectors.advance(metric, x, r, s, p, q, t, along / across)
        left, share = 0.5 * float(twice), -turned / across
        if left <= goal:
            break
    return Found(uses, left)


def _operator(system: Linearisation) -> Callable[[np.ndarray, np.ndarray], None]:
    """A vector, into another array."""

    def apply(vector: np.ndarray, out: np.ndarray) -> None:
        system.game.curvature(system.policy, system.crowd, vector, system.scale, out)

    return apply
