"""Finite games: the curvature K of a game at a best response, and a pass of conjugate gradients on it, one kernel each.

Small games are solved in microseconds a sweep, and a call of a kernel costs one or two: here the two sweeps of the
linearised game, and the vectors that a pass reads and writes, are done in one call.  Legend as in
`mfgsolve.kernels.finite`; ``direction``, ``result``, ``scale`` are (levels, states), ``change`` (steps, actions,
states) is work space.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.finite import (
    tangent_backward,
    tangent_backward_parallel,  # noqa: F401  these take the place of the others where threads share the states
    tangent_forward,
    tangent_forward_parallel,  # noqa: F401
)
from mfgsolve.kernels.vectors import add, inner, turn


def _curvature(direction, weighted, policy, mass, tau, table, change, result, identity):
    """result = identity direction - K weighted, K = d mass / d cost of being in a state, where nothing else changes."""
    steps, actions, states = policy.shape
    nothing, value = np.zeros((1, actions, states)), np.empty(direction.shape)
    value[steps] = weighted[steps]
    tangent_backward(nothing, weighted, policy, table, value, change)
    result[0] = 0.0
    tangent_forward(policy, mass, tau, table, change, result)
    for t in range(steps + 1):
        for x in range(states):
            result[t, x] = identity * direction[t, x] - result[t, x]


curvature, curvature_parallel = jit(_curvature), jit(_curvature, parallel=True)


def _conjugate_step(policy, mass, tau, table, change, scale, solution, residual, direction, image, length, share):
    """solution += length direction, direction = residual + share direction, image = (I - K scale) direction.

    Returns sum scale direction image.
    """
    add(solution, direction, length)
    turn(direction, residual, share)
    weighted = scale * direction
    curvature(direction, weighted, policy, mass, tau, table, change, image, 1.0)
    return inner(scale, direction, image)


conjugate_step, conjugate_step_parallel = jit(_conjugate_step), jit(_conjugate_step, parallel=True)
