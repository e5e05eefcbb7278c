"""Newton's step where the crowd decides the transitions, too: the Jacobian of the answer, put together step by step.

The belief mb sets the price and the transitions P_t(mb_t) that agents plan with; the flow M of their policy then moves
by P_t(M_t).  Transitions and prices of a time depend on the crowd of that time alone, so that their derivatives need
one pass of differences for every *state*, not one for every state and time; all else is linear and known:

    dq_t = dl_t + dP_t(mb_t) V_{t+1} + P_t dV_{t+1},    dpi = -pi (dq - <pi, dq>) / tau
    dm_{t+1} = P_t(M_t)' (dpi M_t + pi dm_t) + dP_t(M_t)' w_t,    w = pi M
"""

from __future__ import annotations

import numpy as np

from mfgsolve.games import Game

__all__ = ["coupled_step", "jacobian", "passes"]

WIDTH = 1e-7  # of a difference in the mass of a state


def passes(game: Game) -> int:
    """Sweeps that one Jacobian costs."""
    return game.cells + 1


def coupled_step(game: Game, policy: np.ndarray, believed: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Newton step on M(mb) - mb = 0 at a belief, from the policy ``policy`` that answers it and its crowd M.

    Zero where no step can be computed.
    """
    matrix = jacobian(game, policy, believed, crowd)
    np.negative(matrix, out=matrix)
    matrix.reshape(-1)[:: matrix.shape[0] + 1] += 1.0
    residual = (crowd - believed).reshape(-1)
    if not (np.isfinite(matrix).all() and np.isfinite(residual).all()):
        return np.zeros_like(believed)
    try:
        step = np.linalg.solve(matrix, residual)
    except np.linalg.LinAlgError:  # where equilibria branch
        step = np.linalg.lstsq(matrix, residual)[0]
    return np.asarray(step).reshape(believed.shape)


def jacobian(game: Game, policy: np.ndarray, believed: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """d M / d mb, ((T+1) width, (T+1) width)."""
    turns = _turns(game, policy, believed)
    return _moved(game, policy, crowd, turns).reshape(-1, turns.shape[-1])


def _turns(game: Game, policy: np.ndarray, believed: np.ndarray) -> np.ndarray:
    """d pi (T, actions, states, unknowns): how the policy turns with the belief, backward in time."""
    steps, states, width = game.steps, game.cells, game.width
    value = np.nan_to_num(game.values(game.price(believed), believed).reshape(steps + 1, states))
    price = _price_slopes(game, believed)
    out, moved = np.empty((*policy.shape, (steps + 1) * width)), np.zeros((states, (steps + 1) * width))
    moved[:, steps * width :] = price[steps][:states]
    for t in range(steps - 1, -1, -1):
        mine = slice(t * width, (t + 1) * width)
        after = game.step.diffuse(value[t + 1], False) if game.step.has_noise else value[t + 1]
        if game.step.has_noise:
            moved = _diffused(game, moved, False)
        matrix = game.step.transitions_at(t, believed[t, :states]).matrix(0, states)
        change = (matrix @ moved).reshape(*policy.shape[1:], -1)
        change[..., mine.start : mine.start + states] += _differences(
            game, t, believed[t, :states], lambda other, after=after: other @ after
        ).reshape(*policy.shape[1:], -1)
        change[..., mine] += _choice_slopes(game, t, price[t])
        mean = np.einsum("as,asn->sn", policy[t], change)
        out[t] = -policy[t][..., None] * (change - mean) / game.step.entropy_cost[t]
        moved = mean
        moved[:, mine] += price[t][:states]
    return out


def _moved(game: Game, policy: np.ndarray, crowd: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """d M (T+1, width, unknowns), forward in time, from how the policy turns."""
    steps, states, count = game.steps, game.cells, turns.shape[-1]
    out = np.zeros((steps + 1, game.width, count))
    for t in range(steps):
        mass, here = crowd[t, :states], out[t, :states]
        flux = turns[t] * mass[:, None] + policy[t][..., None] * here
        out[t] = _seen(game, t, here, flux)
        matrix, choices = game.step.transitions_at(t, mass).matrix(0, states), (policy[t] * mass).reshape(-1)
        after = matrix.T @ flux.reshape(-1, count)
        after += _differences(game, t, mass, lambda other, choices=choices: other.T @ choices) @ here
        out[t + 1, :states] = _diffused(game, after, True) if game.step.has_noise else after
    return out


def _differences(game: Game, t: int, mass: np.ndarray, image: object) -> np.ndarray:
    """d image(P_t(mass)) / d mass, a column for every state; ``image`` takes a matrix (actions * states, states)."""
    assert callable(image)
    here, columns = image(game.step.transitions_at(t, mass).matrix(0, game.cells)), []
    for k in range(game.cells):
        width = -WIDTH if mass[k] > 0.5 else WIDTH  # no share above 1
        other = mass.copy()
        other[k] += width
        columns.append((image(game.step.transitions_at(t, other).matrix(0, game.cells)) - here) / width)
    return np.stack(columns, axis=-1)


def _price_slopes(game: Game, believed: np.ndarray) -> np.ndarray:
    """d (weighted price) / d crowd of every time, (T+1, width, width); by differences where no derivative is known."""
    out = np.empty((game.steps + 1, game.width, game.width))
    known = all(coupling.is_differentiable for coupling in game.problem.couplings)
    for k in range(game.width):
        change = np.zeros_like(believed)
        change[:, k] = 1.0
        if known:
            out[:, :, k] = game.price_change(believed, change)
        else:
            gap = game.price(believed + WIDTH * change) - game.price(believed)
            out[:, :, k] = game.weights[:, None] * gap / WIDTH
    return out


def _choice_slopes(game: Game, t: int, slopes: np.ndarray) -> np.ndarray:
    """What choices cost more where the crowd of time t changes, (actions, states, width)."""
    out, k = np.zeros((game.step.actions, game.cells, game.width)), 0
    for block in game.blocks:
        if block.on == "occupation":
            out += slopes[block.columns].reshape(out.shape)
        elif block.on == "aggregate":
            alpha = game.amounts[k]
            out += alpha[min(t, alpha.shape[0] - 1)][..., None] * slopes[block.columns]
            k += 1
    return out


def _seen(game: Game, t: int, mass: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """A level of the crowd (width, unknowns) from changes of mass and of choices."""
    out, k = np.empty((game.width, mass.shape[1])), 0
    out[: game.cells] = mass
    for block in game.blocks:
        if block.on == "occupation":
            out[block.columns] = flux.reshape(-1, mass.shape[1])
        elif block.on == "aggregate":
            alpha = game.amounts[k]
            out[block.columns] = np.einsum("as,asn->n", alpha[min(t, alpha.shape[0] - 1)], flux)
            k += 1
    return out


def _diffused(game: Game, columns: np.ndarray, transpose: bool) -> np.ndarray:
    """N, or N', of every column (states, unknowns)."""
    return np.stack([game.step.diffuse(np.ascontiguousarray(c), transpose) for c in columns.T], axis=1)
