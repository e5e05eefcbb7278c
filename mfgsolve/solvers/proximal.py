"""What Chambolle-Pock and ADMM share: a finite potential game as a convex programme, and its proximal step.

At temperature 0 the equilibria of a potential game whose couplings act cell by cell are the solutions of

    min  <c, u> + sum_j G_j((E u)_j)    over u >= 0 with B u = b,        u = (w_0, ..., w_{T-1}, m_T)

with B the flow constraints, x = E u all that couplings see (masses, occupations, aggregates), and G_j the weighted
potential of one of them, +inf outside its hard bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from mfgsolve.certificates import Certificate, certify
from mfgsolve.games import Game
from mfgsolve.steps.table_policies import TablePolicy

__all__ = ["Answer", "Programme", "noise_inverse", "prox"]

Function = Callable[[np.ndarray], np.ndarray]

ROUND = 4 * np.finfo(float).eps


def prox(
    target: np.ndarray, step: np.ndarray, cost: Function, slope: Function, lower: np.ndarray, upper: np.ndarray,
    guess: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """argmin over lower <= x <= upper of  step G(x) + (x - target)^2 / 2,  entry by entry, for convex G.

    Newton's method on the increasing function x + step G'(x) - target, kept inside a bracket of its root: since its
    slope is at least 1, the root lies between any x and x minus the residual there.  Where a Newton step leaves the
    bracket, an end that was not tried yet is, and after that the middle.

    Parameters
    ----------
    target, step, lower, upper, guess : arrays of one shape; bounds may be infinite
    cost, slope : G' and G'' of such an array; called within the bounds only
    """
    x = np.clip(guess, lower, upper)
    residual = x + step * cost(x) - target
    low, high = (np.clip(pick(x, x - residual), lower, upper) for pick in (np.minimum, np.maximum))
    low_tried, high_tried = np.zeros(x.shape, dtype=bool), np.zeros(x.shape, dtype=bool)
    for _ in range(200):  # bisection alone needs fewer
        exact = np.abs(residual) <= ROUND * (np.abs(x) + np.abs(target))
        pressed = ((x <= lower) & (residual >= 0)) | ((x >= upper) & (residual <= 0))
        done = exact | pressed | (high - low <= ROUND * np.abs(x))
        if done.all():
            break
        low_tried, high_tried = low_tried | (residual < 0), high_tried | (residual > 0)
        low, high = np.where(residual < 0, x, low), np.where(residual > 0, x, high)
        newton, middle = x - residual / (1.0 + step * slope(x)), 0.5 * (low + high)
        newton = np.where(newton <= low, np.where(low_tried, middle, low), newton)
        newton = np.where(newton >= high, np.where(high_tried, middle, high), newton)
        x = np.where(done, x, newton)  # a root that is found is left alone: round-off would make the search bisect
        residual = x + step * cost(x) - target
    return x


def _face_rates(rate: Any, axis: int, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates through these faces from the cell before to the one after, and the other way."""
    if not isinstance(rate, np.ndarray):
        return (np.full(int(face.sum()), rate),) * 2
    place = np.indices(face.shape)[axis][face]
    return rate[0, place], rate[1, (place + 1) % face.shape[axis]]


def noise_inverse(game: Game) -> sparse.csr_array:
    """Sparse L with L N' = I for the implicit noise N of all populations: I - nu dt Lap, one factor for each axis."""
    total: Any = sparse.lil_array(sparse.eye_array(game.cells))
    for part, shape, scheme in game.step.noises:
        index, free = np.arange(part.stop - part.start).reshape(shape), np.broadcast_to(scheme.open > 0, shape)
        product: Any = sparse.eye_array(index.size, format="csr")
        for axis in range(3):  # N' is diffusion along x, then y, then z
            here, there = index, np.roll(index, -1, axis)
            face = free & np.roll(free, -1, axis)
            if not scheme.periodic[axis]:
                face = face & (np.arange(shape[axis]) < shape[axis] - 1).reshape(
                    [-1 if k == axis else 1 for k in range(3)]
                )
            i, j, onward, back = here[face], there[face], *_face_rates(scheme.rate[axis], axis, face)
            entries = np.concatenate([onward, back, -back, -onward]), (np.r_[i, j, i, j], np.r_[i, j, j, i])
            laplacian = sparse.coo_array(entries, shape=(index.size, index.size))
            product = (sparse.eye_array(index.size) + laplacian) @ product
        total[part, part] = product
    for inverse in (factor.inverse() for factor in game.step.factors):
        total = total if inverse is None else inverse @ total
    return sparse.csr_array(total)


@dataclass(frozen=True)
class Answer:
    """A certified iterate."""

    policy: TablePolicy
    crowd: np.ndarray
    multiplier: np.ndarray | None
    certificate: Certificate


class Programme:
    """Matrices and functions of the convex programme of a game; see the module.

    Attributes
    ----------
    flow, source : B (levels * states, unknowns) and b; blocked cells and choices that are not allowed are left out
    cost : c
    observe : E, each row scaled to largest entry 1
    lower, upper : bounds on x = E u
    """

    def __init__(self, game: Game):
        self.game = game
        steps, states, actions, width = game.steps, game.cells, game.step.actions, game.width
        choices, free = actions * states, ~game.grid.mask.reshape(-1)
        self._kept = np.flatnonzero(np.concatenate([np.tile((game.step.allowed & free).reshape(-1), steps), free]))
        matrices = [game.step.transitions.matrix(t, states) for t in range(steps)]
        self.flow, self.source = self._constraints(matrices, free)
        own = np.broadcast_to(game.step.own_cost, (steps, actions, states)).reshape(-1)
        self.cost = np.concatenate([own, game.terminal_cost])[self._kept]
        seen = self._seen(free)
        self.seen = np.flatnonzero(seen)
        observe = sparse.block_diag([*(self._level(t) for t in range(steps)), self._last_level()], format="csr")
        observe = observe[self.seen][:, self._kept]
        self.unit = np.asarray(abs(observe).max(axis=1).todense()).reshape(-1) if self.seen.size else np.zeros(0)
        self.unit[self.unit == 0] = 1.0  # an aggregate of nothing
        self.observe = sparse.csr_array(sparse.diags_array(1.0 / self.unit) @ observe)
        self._weights = np.repeat(game.weights, width)[self.seen]
        self._crowd = game.resting_crowd(game.empty_crowd())
        self._shape = (steps, choices)
        self._bounds()

    # -- matrices ----------------------------------------------------------------------------------------------

    def _leave(self) -> sparse.csr_array:
        """Mass from occupation, sum over actions."""
        game = self.game
        return sparse.csr_array(sparse.kron(np.ones((1, game.step.actions)), sparse.eye_array(game.cells)))

    def _constraints(self, matrices: list[sparse.csr_array], free: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
        """sum_a w_0 = m_0;  L sum_a w_t = P' w_{t-1};  L m_T = P' w_{T-1}, with L the inverse of implicit noise."""
        game, leave = self.game, self._leave()
        inverse = noise_inverse(game)
        out = sparse.block_diag([leave, *([inverse @ leave] * (game.steps - 1)), inverse], format="csr")
        into = sparse.block_diag([matrix.T for matrix in matrices], format="coo")
        shifted = sparse.coo_array((into.data, (into.row + game.cells, into.col)), shape=out.shape)
        rows = np.flatnonzero(np.tile(free, game.steps + 1))
        source = np.concatenate([game.initial_mass, np.zeros(game.steps * game.cells)])[rows]
        return sparse.csr_array((out - shifted.tocsr())[rows][:, self._kept]), source

    def _level(self, t: int) -> sparse.csr_array:
        """The crowd of level t from the occupation, in the order of `Game` levels."""
        game, parts, k = self.game, [self._leave()], 0
        for block in game.blocks:
            if block.on == "occupation":
                parts.append(sparse.eye_array(game.step.actions * game.cells, format="csr"))
            elif block.on == "aggregate":
                alpha = game.amounts[k][min(t, game.amounts[k].shape[0] - 1)]
                parts.append(sparse.csr_array(alpha.reshape(1, -1)))
                k += 1
        return sparse.csr_array(sparse.vstack(parts, format="csr"))

    def _last_level(self) -> sparse.csr_array:
        return sparse.csr_array(sparse.eye_array(self.game.width, self.game.cells))

    def _seen(self, free: np.ndarray) -> np.ndarray:
        """Which entries of the crowd some coupling acts on; the masses of level 0 are given."""
        game = self.game
        seen = np.zeros((game.steps + 1, game.width), dtype=bool)
        for block in game.blocks:
            if block.on == "state":
                seen[1:-1, block.columns] = free
            else:
                seen[:-1, block.columns] = (game.step.allowed & free).reshape(-1) if block.on == "occupation" else True
        if game.terminal_block is not None:
            seen[-1, : game.cells] = free
        return seen

    def _bounds(self) -> None:
        game = self.game
        lower, upper = np.zeros((game.steps + 1, game.width)), np.full((game.steps + 1, game.width), np.inf)
        lower[:, game.width - len(game.prices) :] = -np.inf  # aggregates may have either sign
        for block, levels, low, high in game.bounds():
            size = (levels.stop - levels.start, -1)
            within = (levels, block.columns)
            lower[within] = np.maximum(lower[within], (low * block.volumes).reshape(size))
            upper[within] = np.minimum(upper[within], (high * block.volumes).reshape(size))
        lower, upper = lower.reshape(-1)[self.seen], upper.reshape(-1)[self.seen]
        self.lower, self.upper = lower / self.unit, upper / self.unit
        self._hard_below = self.seen % game.width >= game.width - len(game.prices)  # masses are >= 0 as it is

    # -- functions ---------------------------------------------------------------------------------------------

    def _believe(self, x: np.ndarray) -> np.ndarray:
        self._crowd.reshape(-1)[self.seen] = x * self.unit
        return self._crowd

    def marginal(self, x: np.ndarray) -> np.ndarray:
        """G'(x)."""
        price = self.game.price(self._believe(x))
        return np.asarray(price.reshape(-1)[self.seen] * self._weights * self.unit)

    def slope(self, x: np.ndarray) -> np.ndarray:
        """G''(x)."""
        slope = self.game.slope(self._believe(x))
        assert slope is not None  # solvers refuse couplings that are not local
        return np.asarray(slope.reshape(-1)[self.seen] * self.unit**2)

    def prox(self, target: np.ndarray, step: np.ndarray, guess: np.ndarray) -> np.ndarray:
        return prox(target, step, self.marginal, self.slope, self.lower, self.upper, guess)

    # -- from the game and back --------------------------------------------------------------------------------

    def unknowns(self, policy: np.ndarray, crowd: np.ndarray) -> np.ndarray:
        """u of a policy (T, actions, states) and its crowd."""
        masses = crowd[:, : self.game.cells]
        occupation = policy * masses[:-1, None]
        return np.asarray(np.concatenate([occupation.reshape(-1), masses[-1]])[self._kept])

    def multipliers(self, price: np.ndarray) -> np.ndarray:
        """y of the flow constraints where agents answer a price (levels of the game): -V, -N V with implicit noise."""
        game = self.game
        value = -game.values(price).reshape(game.steps + 1, game.cells)
        value[:, game.grid.mask.reshape(-1)] = 0.0
        if game.step.has_noise:
            value[1:] = [game.step.diffuse(level, False) for level in value[1:]]
        return np.asarray(value[:, ~game.grid.mask.reshape(-1)].reshape(-1))

    def price_of(self, marginal: np.ndarray) -> np.ndarray:
        """Levels of a price, per unit time, from derivatives with respect to x."""
        price = np.zeros_like(self._crowd)
        price.reshape(-1)[self.seen] = marginal / (self.unit * self._weights)
        return price

    def certified(self, u: np.ndarray, x: np.ndarray, price: np.ndarray) -> Answer:
        """The policy w / m of an iterate with its own exact flow; the price beyond G'(x) at a bound is its multiplier.

        Where the iterate has nobody, the policy is the best response to its price.
        """
        game = self.game
        full = np.zeros(self._shape[0] * self._shape[1] + game.cells)
        full[self._kept] = u
        occupation = full[: -game.cells].reshape(game.steps, game.step.actions, game.cells)
        mass = occupation.sum(axis=1, keepdims=True)
        response = game.respond(self.price_of(price)).policy
        policy = np.where(mass > 0, occupation / np.where(mass > 0, mass, 1.0), response)
        bound = (x >= self.upper) | ((x <= self.lower) & self._hard_below)
        multiplier = self.price_of(np.where(bound, price - self.marginal(x), 0.0))
        crowd = game.flow(policy)
        table = TablePolicy(policy)
        hard = multiplier if game.is_hard else None
        return Answer(table, crowd, hard, certify(game, table, crowd, multiplier=hard))
