"""A trust region for Newton's method in stiff crowd-averse games: no step trusts a price further than it proves true.

Where the crowd costs much, the belief is a poor unknown: a hundredth of the mass moves the price by more than agents
would ever pay.  Newton's step for the price gamma, held back by a damping d,

    (1/B + d - K) dgamma = M - mb,      K = d mass / d price,  B = weight f'(mb),

maximises the quadratic model of the concave dual less d |dgamma|^2 / 2 (Levenberg and Marquardt).  In the belief that
is the system of a softer coupling,

    (I - K B_d) x = M - mb,   B_d = B / (1 + d B),      mb <- max(mb + x / (1 + d B), 0)

no harder to solve than the one without damping, and defined where B = 0.  (A coupling that is not local is damped by
one factor, B_d = B / (1 + d b) with b the size of B.)  The damping follows how much of the predicted gain the dual
makes; where the prediction drowns in round-off, the exploitability decides.

Sources: Levenberg, doi:10.1090/qam/10666; Marquardt, doi:10.1137/0111030; Nielsen, report IMM-REP-1999-05 of the
Technical University of Denmark (how the damping follows).
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import numpy as np

from mfgsolve.solvers.krylov import Linearisation, Vectors, conjugate_gradient
from mfgsolve.solvers.newton_state import NewtonState, adopt, certificate, flow, respond

__all__ = ["PATIENCE", "STUBBORN", "trust_step"]

PATIENCE = 400  # most iterations of one linear solve: a stiff coupling has that many large eigenvalues
STUBBORN = 12  # steps in a row without progress after which a level has stalled
FIRST, LEAST = 1e-3, 1e-6  # damping times the largest slope: after the first failure, and below which there is none
ACCEPTED = 1e-3  # least share of the predicted gain
TINY, ROUND = 1e-300, 1e-15


class _Step(NamedTuple):
    """Where a trial goes, and what the dual gains there by the quadratic model."""

    belief: np.ndarray
    gain: float
    slope: float  # the largest of the coupling


def trust_step(state: NewtonState, tol: float) -> bool:
    """One linear solve and one trial, taken where the dual rises; ``state`` must be a copy that may be changed.

    Returns whether it was taken; the damping is adapted either way.
    """
    step = _proposal(state, tol)
    trial = copy.copy(state)
    trial.believed, trial.price = step.belief, state.pool.take()
    trial.buffer = state.pool.take_policy(trial.price)
    respond(trial)
    trial.crowd = state.pool.take()
    quality, old = _quality(state, trial, step.gain), (state.believed, state.price, state.buffer, state.crowd)
    state.sweeps = trial.sweeps
    if not quality > ACCEPTED:  # a dual that is not a number, too
        state.pool.release(trial.believed, trial.price, trial.buffer, trial.crowd)
        state.damping = max(state.damping * state.growth, FIRST / max(step.slope, TINY))
        state.growth *= 2.0
        return False
    adopt(state, trial)
    state.spent = old
    state.damping *= max(0.2, 1.0 - (2.0 * min(quality, 1.0) - 1.0) ** 3)
    state.growth = 2.0
    if state.damping * step.slope < LEAST:
        state.damping = 0.0
    return True


def _proposal(state: NewtonState, tol: float) -> _Step:
    """Solve the damped system."""
    game, pool = state.game, state.pool
    residual, solution, slope = pool.take(), pool.take(), pool.take()
    work = [pool.take() for _ in range(2)]
    np.subtract(state.crowd, state.believed, out=residual)
    scale = game.slope(state.believed, slope)
    largest = float(scale.max()) if scale is not None else _size(state, residual, slope)
    soft, factor = _softened(scale, state.damping), 1.0 if scale is not None else 1.0 / (1.0 + state.damping * largest)
    system = Linearisation(game, state.policy, state.crowd, state.believed, soft, factor)
    vectors = Vectors(solution, residual, work[0], work[1])
    spare = [] if scale is not None else [slope, pool.take()]
    uses = conjugate_gradient(system, vectors, tol, PATIENCE, spare)
    state.sweeps += uses * state.sweep
    if soft is not None:
        solution *= np.subtract(1.0, state.damping * soft, out=work[0])  # x / (1 + d B) = (1 - d B_d) x
    else:
        solution *= factor
    solution += state.believed
    belief = game.clip(solution)
    np.subtract(state.crowd, state.believed, out=residual)
    moved, change = np.subtract(belief, state.believed, out=work[0]), work[1]
    if soft is not None:
        np.multiply(moved, soft, out=change)
        change /= np.maximum(1.0 - state.damping * soft, ROUND)  # B = B_d / (1 - d B_d)
        length = float(np.vdot(change, change))
    else:
        game.price_change(state.believed, moved, change)
        length = largest * float(np.vdot(change, moved))
    gain = 0.5 * (float(np.vdot(residual, change)) + state.damping * length)
    pool.give(residual, slope, *work, *spare[1:])
    return _Step(belief, gain, largest)


def _softened(scale: np.ndarray | None, damping: float) -> np.ndarray | None:
    """B / (1 + d B), in a new array where ``scale`` may be a view of something else."""
    if scale is None or damping == 0.0:
        return scale
    return np.divide(scale, 1.0 + damping * scale, out=scale)


def _size(state: NewtonState, residual: np.ndarray, out: np.ndarray) -> float:
    """The size of B on the residual: |B r| / |r|."""
    weighed = state.game.price_change(state.believed, residual, out)
    length = float(np.linalg.norm(residual))
    return float(np.linalg.norm(weighed)) / length if length > 0 else 0.0


def _quality(state: NewtonState, trial: NewtonState, gain: float) -> float:
    """Gain of the dual as a share of the predicted one; +-1 by the exploitability where round-off hides it.

    Where the answer is no, nothing was flown; where it is yes, the crowd of the trial is.
    """
    if not math.isfinite(trial.dual) or not math.isfinite(gain):
        return -1.0
    if abs(gain) > max(state.round_off, trial.round_off):
        quality = (trial.dual - state.dual) / gain
        if quality > ACCEPTED:
            flow(trial)
        return quality
    flow(trial)
    return 1.0 if certificate(trial).exploitability < state.certificate.exploitability else -1.0
