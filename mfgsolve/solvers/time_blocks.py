"""Newton systems of flow problems: symmetric positive definite, block-tridiagonal in time, solved exactly or by CG.

The unknowns are changes x_{t+1} = (dV_{t+1}, q_t) of the values and of the (scaled) prices, t = 0..T-1.  With weights
theta_t(a, s) of the choices, D_t = sum_a theta_t, the mean transition Pi_t = sum_a theta_t P_t / D_t and weights J_t of
the states (J_0 = 0), the matrix is that of the quadratic form

    sum_t <J_t, (E' dV_t - Pi_t x_{t+1})^2> + sum_t,a <theta_t, (P_t x_{t+1} - Pi_t x_{t+1})^2> + sum_t |q_t|^2

where E is the inverse of the noise operator (E m_{t+1} = P_t' w_t) and every price acts as one more successor, reached
with "probability" alpha_t(a, s).  The middle term is a variance: computed as such it loses no digits when one action
takes all the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from mfgsolve.games import FiniteGame
from mfgsolve.solvers.proximal import noise_inverse

__all__ = ["CholeskyBlocks", "ConjugateGradients", "FlowMaps", "NewtonMatrix"]


class FlowMaps:
    """The linear maps of a finite game, step by step: expectation, its transpose, and the noise."""

    def __init__(self, game: FiniteGame):
        self.game, self.steps, self.states, self.actions = game, game.steps, game.states, game.actions
        self.prices = len(game.prices)
        self.inverse_noise = noise_inverse(game) if game.has_noise else None
        self._tables = [game.transitions.matrix(t, game.states) for t in range(game.transitions.first.shape[0])]

    @property
    def width(self) -> int:
        """Unknowns of one step."""
        return self.states + self.prices

    def table(self, t: int) -> sparse.csr_array:
        """P_t (actions * states, states)."""
        return self._tables[min(t, len(self._tables) - 1)]

    def amounts(self, t: int) -> np.ndarray:
        """alpha_t (prices, actions, states)."""
        found = [alpha[min(t, alpha.shape[0] - 1)] for alpha in self.game.amounts]
        return np.stack(found) if found else np.zeros((0, self.actions, self.states))

    def expect(self, t: int, value: np.ndarray, price: np.ndarray | None = None) -> np.ndarray:
        """P_t V + sum alpha p, (actions, states)."""
        out = (self.table(t) @ value).reshape(self.actions, self.states)
        if price is not None and self.prices:
            out += np.tensordot(price, self.amounts(t), 1)
        return np.asarray(out)

    def gather(self, t: int, choices: np.ndarray) -> np.ndarray:
        """P_t' w, (states,)."""
        return np.asarray(self.table(t).T @ choices.reshape(-1))

    def add_up(self, t: int, choices: np.ndarray) -> np.ndarray:
        """<alpha, w> of every price."""
        return np.tensordot(self.amounts(t), choices, 2)

    def sharpen(self, mass: np.ndarray) -> np.ndarray:
        """E m: the mass before the noise."""
        return mass if self.inverse_noise is None else self.inverse_noise @ mass

    def lift(self, value: np.ndarray) -> np.ndarray:
        """E' V."""
        return value if self.inverse_noise is None else self.inverse_noise.T @ value


@dataclass
class NewtonMatrix:
    """The matrix of the module's form at given weights; unknowns outside ``reach`` have identity rows."""

    maps: FlowMaps
    theta: np.ndarray  # (T, actions, states)
    total: np.ndarray  # D (T+1, states), 1 where theta is 0
    weight: np.ndarray  # J (T+1, states)
    stretch: np.ndarray  # (T, prices): every alpha is multiplied by it
    reach: np.ndarray  # boolean (T+1, states)

    def spread(self, t: int, x: np.ndarray) -> np.ndarray:
        """P_t x_{t+1} with the prices, (actions, states)."""
        n = self.maps.states
        return self.maps.expect(t, x[t, :n], self.stretch[t] * x[t, n:])

    def mean(self, t: int, choices: np.ndarray) -> np.ndarray:
        """sum_a theta y / D, (states,)."""
        return np.asarray(np.einsum("as,as->s", self.theta[t], choices) / self.total[t])

    def collect(self, t: int, choices: np.ndarray, out: np.ndarray) -> None:
        """out[t] += P_t' w, on states within reach and on prices."""
        n = self.maps.states
        out[t, :n] += np.where(self.reach[t + 1], self.maps.gather(t, choices), 0.0)
        if self.maps.prices:
            out[t, n:] += self.stretch[t] * self.maps.add_up(t, choices)

    def sharpen(self, t: int, mass: np.ndarray, out: np.ndarray) -> None:
        """out[t-1] += E m on states within reach; t >= 1."""
        out[t - 1, : self.maps.states] += np.where(self.reach[t], self.maps.sharpen(mass), 0.0)

    def lift(self, t: int, x: np.ndarray) -> np.ndarray:
        """E' dV_t, nothing at t = 0."""
        return self.maps.lift(x[t - 1, : self.maps.states]) if t else np.zeros(self.maps.states)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Matrix times x (T, width): one pass over all steps."""
        maps, n = self.maps, self.maps.states
        out = np.zeros_like(x)
        for t in range(maps.steps):
            choices = self.spread(t, x)
            mean = self.mean(t, choices)
            rest = self.weight[t] * (self.lift(t, x) - mean)
            choices -= mean + rest / self.total[t]
            choices *= self.theta[t]
            self.collect(t, choices, out)
            if t:
                self.sharpen(t, rest, out)
            out[t, n:] += x[t, n:]
        self.sharpen(maps.steps, self.weight[-1] * self.lift(maps.steps, x), out)
        out[:, :n] += np.where(self.reach[1:], 0.0, x[:, :n])
        return out

    def diagonal(self) -> np.ndarray:
        """Diagonal of the matrix, (T, width); with noise or prices an estimate good enough to precondition."""
        maps, n = self.maps, self.maps.states
        out = np.ones((maps.steps, maps.width))
        sharp = None if maps.inverse_noise is None else maps.inverse_noise.multiply(maps.inverse_noise)
        for t in range(maps.steps):
            table = maps.table(t)
            square = sparse.csr_array((table.data**2, table.indices, table.indptr), shape=table.shape)
            rows = square.T @ self.theta[t].reshape(-1)
            share = sparse.csr_array(
                (table.data * np.repeat(self.theta[t].reshape(-1), np.diff(table.indptr)), table.indices, table.indptr),
                shape=table.shape,
            )
            mean = sum(share[a * n : (a + 1) * n] for a in range(maps.actions))
            mean = mean.multiply(mean)  # (D Pi)^2 by state and successor
            rows -= mean.T @ ((1.0 - self.weight[t] / self.total[t]) / self.total[t])
            ahead = self.weight[t + 1] if sharp is None else sharp @ self.weight[t + 1]
            out[t, :n] = np.where(self.reach[t + 1], np.maximum(rows, 0.0) + ahead, 1.0)
        return out


@dataclass
class Neighbourhoods:
    """Every state's successors under all its actions, padded to one length, and the chances of each action there."""

    successors: np.ndarray  # (states, length)
    chances: np.ndarray  # (states, actions, length)

    @classmethod
    def of(cls, table: sparse.csr_array, states: int, actions: int) -> Neighbourhoods:
        entries = table.tocoo()
        state, action = entries.row % states, entries.row // states
        keys, place = np.unique(state.astype(np.int64) * states + entries.col, return_inverse=True)
        owner = keys // states
        slot = np.arange(keys.size) - np.searchsorted(owner, np.arange(states))[owner]
        length = int(slot.max()) + 1
        successors, chances = np.zeros((states, length), dtype=np.int64), np.zeros((states, actions, length))
        successors[owner, slot] = keys % states
        chances[state, action, slot[place]] = entries.data
        return cls(successors, chances)


@dataclass
class CholeskyBlocks:
    """Block elimination forward in time, dense blocks, couplings between steps kept sparse.

    X_1 = A_1,  X_{k+1} = A_{k+1} - B_k' X_k^-1 B_k: one Cholesky factor and one inverse per step, T n^3 operations,
    T n^2 numbers to keep.
    """

    maps: FlowMaps
    _spaces: list[Neighbourhoods] = field(default_factory=list)
    _factors: list[np.ndarray] = field(default_factory=list)
    _couplings: list[sparse.csr_array] = field(default_factory=list)

    def factor(self, matrix: NewtonMatrix) -> None:
        """Raises numpy.linalg.LinAlgError where round-off has made the matrix indefinite."""
        maps, n = self.maps, self.maps.states
        self.matrix = matrix
        self.kept = [
            np.concatenate([np.flatnonzero(matrix.reach[t + 1]), np.arange(n, maps.width)]) for t in range(maps.steps)
        ]
        self._factors, self._couplings = [], []
        inverse, behind = None, None
        for t in range(maps.steps):
            block, coupling = self._step(t)
            if inverse is not None and behind is not None:
                block -= behind.T @ np.ascontiguousarray((behind.T @ inverse).T)
            # symmetric, so that its transpose is the same matrix in the order of LAPACK
            factor, fault = lapack.dpotrf(block.T, lower=1, clean=0, overwrite_a=1)
            if fault:
                raise np.linalg.LinAlgError(f"block {t} of the Newton matrix is not positive definite")
            self._factors.append(factor)
            if t + 1 < maps.steps:
                self._couplings.append(coupling)
                behind = coupling
                inverse = _symmetric(lapack.dpotri(factor, lower=1)[0].T)

    def _step(self, t: int) -> tuple[np.ndarray, sparse.csr_array]:
        """Diagonal block of x_{t+1}, and the block that couples it with x_{t+2}."""
        maps, matrix, kept = self.maps, self.matrix, self.kept[t]
        place = np.zeros(maps.width, dtype=np.int64)
        place[kept] = np.arange(kept.size)
        successors, chances = self._local(t)
        theta = matrix.theta[t].T
        mean = np.einsum("sa,sal->sl", theta, chances) / matrix.total[t][:, None]
        away = (chances - mean[:, None]) * np.sqrt(theta)[:, :, None]
        local = away.transpose(0, 2, 1) @ away
        local += (matrix.weight[t][:, None] * mean)[:, :, None] * mean[:, None, :]
        rows = place[successors]
        where = rows[:, :, None] * kept.size + rows[:, None, :]
        block: np.ndarray = np.bincount(where.reshape(-1), local.reshape(-1), minlength=kept.size**2).reshape(
            kept.size, kept.size
        )
        prices = np.arange(kept.size - maps.prices, kept.size)
        block[prices, prices] += 1.0
        ahead = self._noise(t) * matrix.weight[t + 1]  # E J, rows within reach
        if maps.inverse_noise is None:
            square = sparse.csr_array(ahead)
        else:
            square = sparse.csr_array(ahead @ maps.inverse_noise.T)[:, kept[: kept.size - maps.prices]]
        square = square.tocoo()
        if maps.inverse_noise is None:
            block[square.row, place[square.col]] += square.data
        else:
            block[square.row, square.col] += square.data
        coupling = None
        if t + 1 < maps.steps:
            coupling = -(ahead @ self._mean(t + 1)[:, self.kept[t + 1]])
            if maps.prices:
                coupling = sparse.vstack([coupling, sparse.csr_array((maps.prices, coupling.shape[1]))])
            coupling = sparse.csr_array(coupling)
        return block, coupling

    def _noise(self, t: int) -> sparse.csr_array:
        """Rows of E within reach."""
        n = self.maps.states
        noise = sparse.eye_array(n, format="csr") if self.maps.inverse_noise is None else self.maps.inverse_noise
        return sparse.csr_array(noise[self.kept[t][: self.kept[t].size - self.maps.prices]])

    def _local(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Neighbourhoods of a step, prices included, without successors beyond reach."""
        maps, n = self.maps, self.maps.states
        if not self._spaces:
            self._spaces = [Neighbourhoods.of(table, n, maps.actions) for table in maps._tables]
        here = self._spaces[min(t, len(self._spaces) - 1)]
        successors = here.successors
        chances = here.chances * self.matrix.reach[t + 1][successors][:, None, :]
        if maps.prices:
            pays = (self.matrix.stretch[t][:, None, None] * maps.amounts(t)).transpose(2, 1, 0)
            columns = np.broadcast_to(np.arange(n, maps.width), (n, maps.prices))
            successors, chances = np.concatenate([successors, columns], 1), np.concatenate([chances, pays], 2)
        return successors, chances

    def _mean(self, t: int) -> sparse.csr_array:
        """Pi_t (states, width)."""
        successors, chances = self._local(t)
        mean = np.einsum("as,sal->sl", self.matrix.theta[t], chances) / self.matrix.total[t][:, None]
        start = np.arange(self.maps.states + 1) * successors.shape[1]
        return sparse.csr_array((mean.ravel(), successors.ravel(), start), shape=(self.maps.states, self.maps.width))

    def solve(self, right: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """x (T, width)."""
        steps = self.maps.steps
        y: list[np.ndarray] = []
        for t in range(steps):
            part = right[t, self.kept[t]]
            if t:
                part = part - self._couplings[t - 1].T @ y[-1]
            y.append(lapack.dpotrs(self._factors[t], part, lower=1)[0])
        out = np.zeros_like(right)
        out[-1, self.kept[-1]] = after = y[-1]
        for t in range(steps - 2, -1, -1):
            after = y[t] - lapack.dpotrs(self._factors[t], self._couplings[t] @ after, lower=1)[0]
            out[t, self.kept[t]] = after
        return out


def _symmetric(upper: np.ndarray, panel: int = 64) -> np.ndarray:
    """Fill the part below the diagonal, in place, panel by panel."""
    for k in range(0, upper.shape[0], panel):
        stop = min(k + panel, upper.shape[0])
        upper[stop:, k:stop] = upper[k:stop, stop:].T
        corner = upper[k:stop, k:stop]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
    return upper


@dataclass
class ConjugateGradients:
    """Preconditioned conjugate gradients, for what the blocks of `CholeskyBlocks` cannot hold.

    The accuracy is relative to the preconditioned residual at x = 0.
    """

    maps: FlowMaps
    accuracy: float = 1e-3
    limit: int = 100
    products: int = 0

    def factor(self, matrix: NewtonMatrix) -> None:
        """Nothing is factored but the diagonal."""
        self.matrix, self.diagonal = matrix, matrix.diagonal()

    def solve(self, right: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
        """x (T, width), from ``guess`` where one is given."""
        x = np.zeros_like(right) if guess is None else guess.copy()
        residual = right.copy() if guess is None else right - self.matrix.apply(x)
        scaled = residual / self.diagonal
        direction, size = scaled.copy(), float(np.vdot(residual, scaled))
        goal = self.accuracy**2 * float(np.vdot(right, right / self.diagonal))
        for _ in range(self.limit):
            if size <= goal:
                break
            image = self.matrix.apply(direction)
            self.products += 1
            length = size / float(np.vdot(direction, image))
            x += length * direction
            residual -= length * image
            np.divide(residual, self.diagonal, out=scaled)
            size, before = float(np.vdot(residual, scaled)), size
            direction *= size / before
            direction += scaled
        return x
