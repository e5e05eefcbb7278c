"""The equilibrium as an implicit function: the belief that comes true, and the adjoint of its equation.

With G(m) the flow of the best response to the price of m, an equilibrium solves m = G(m).  Where responses are smooth
G' = K B, with the operators of Newton's method: K = d crowd / d price, B = d price / d crowd, both symmetric in a game
with a potential.  What parameters change of J(m) follows from one solution of (I - B K) lambda = J_m.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from mfgsolve.errors import InputError
from mfgsolve.games import Game
from mfgsolve.solvers.blas import single_thread
from mfgsolve.solvers.krylov import Linearisation, minimal_residual
from mfgsolve.watch import look

__all__ = ["adjoint_of", "answer", "check_smooth", "paid", "true_belief"]

EXACT = 1e-13  # relative residual of the linear solve
TRUE = 1e-12  # by how much a belief may miss what comes true, relative
POLISHES = 6  # Newton steps to get there
BASIS = 60  # vectors of a linear solve, and how often it starts again
AGAIN = 10


def check_smooth(game: Game) -> None:
    """Refuse a game whose equilibrium has no derivative by this theorem."""
    reasons = (
        (not game.is_smooth, "its best responses jump; state it at a temperature"),
        (game.is_hard, "hard bounds hold, and who is bound changes"),
        (game.is_coupled, "the crowd changes the transitions themselves"),
        (not game.is_differentiable, "its coupling has no derivative"),
        (not game.is_potential, "its coupling has no potential, so that derivatives by price are not symmetric"),
    )
    for holds, reason in reasons:
        if holds:
            raise InputError(f"sensitivities of {game.stated.name} are not known: {reason}")


def answer(game: Game, crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Policy, crowd and mean value of the best response to a belief."""
    response = game.respond(game.price(crowd))
    return response.policy, game.flow(response.policy), response.mean_value


def true_belief(game: Game, crowd: np.ndarray) -> np.ndarray:
    """The belief that comes true, by Newton steps from a plan: its error is the root of the exploitability."""
    believed = crowd.copy()
    for _ in range(POLISHES):
        policy, came, _ = answer(game, believed)
        gap = came - believed
        if float(np.abs(gap).sum()) <= TRUE * float(np.abs(believed).sum()):
            break
        system = Linearisation(game, policy, came, believed, None)
        with single_thread():  # vectors of a few thousand numbers
            step, _ = minimal_residual(system, gap, 1e-10, BASIS)
        believed = game.clip(believed + step)
    return believed


def paid(game: Game, price: np.ndarray, crowd: np.ndarray) -> float:
    """sum_t weight_t <f_t, m_t>."""
    each = (game.flat(price) * game.flat(crowd)).sum(axis=1)
    return float((game.weights * each).sum())


def adjoint_of(game: Game, crowd: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, float, int]:
    """lambda with (I - B K) lambda = J_m; the relative residual; uses of the operator."""
    if not gradient.any():
        return np.zeros_like(gradient), 0.0, 0
    policy, came, _ = answer(game, crowd)
    shape, uses = gradient.shape, 0

    def matvec(vector: np.ndarray) -> np.ndarray:
        nonlocal uses
        uses += 1
        look()
        levels = np.ascontiguousarray(vector).reshape(shape)
        moved = game.curvature(policy, came, levels, None, None, identity=0.0)  # -K lambda
        return np.asarray((levels + game.price_change(crowd, moved)).reshape(-1))

    size = gradient.size
    operator = LinearOperator((size, size), matvec=matvec, dtype=float)  # type: ignore[call-arg]
    right = gradient.reshape(-1)
    with single_thread():
        found, _ = gmres(operator, right, rtol=EXACT, atol=0.0, restart=min(BASIS, size), maxiter=AGAIN)
    left = float(np.linalg.norm(right - matvec(found)) / np.linalg.norm(right))
    return found.reshape(shape), left, uses
