"""Discrete time on points of wealth: what a household saves is a point itself, a sharp Markov decision problem.

At prices (r, w) a household with wealth a_i and income z_j that goes on with a_k consumes w z_j + (1 + r) a_i - a_k,
which must be positive; then its income moves by its probabilities.  A plan says with what chances it goes on with
which wealth, and the best one is sure:

    V(a_i, z_j) = max_k  u(w z_j + (1 + r) a_i - a_k) + beta sum_l P(j, l) V(a_k, z_l).

Howard's rule alternates the choice and the value of the plan; the law of a plan is m' = m, by a sparse system.
Finitely many plans are sure, so that what households hold jumps where the best plan changes (see `mixing`).

Source: Aiyagari, Uninsured idiosyncratic risk and aggregate saving, Quarterly Journal of Economics 109 (1994),
doi:10.2307/2118417; Puterman, Markov Decision Processes (1994).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from mfgsolve.errors import InputError
from mfgsolve.inputs.memory import affordable
from mfgsolve.markets.firm import Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.response import Reducible, Response

__all__ = ["DiscreteChain"]

MOST = 1000  # improvements of a plan
CERTAIN = 1e-12  # that chances may miss their sum by
GAIN = 1e-15  # relative to the value, that makes another choice better, and not round-off


class DiscreteChain:
    """Households in discrete time; plans are chances of the next wealth (incomes, wealth, next wealth).

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.markets.chains import chain_of
    >>> income = mfg.Income([0.1, 1.0], probabilities=[[0.9, 0.1], [0.1, 0.9]])
    >>> households = mfg.Households(mfg.Wealth.uniform(0, 20, 60), income, mfg.CRRA(1), discount_factor=0.96)
    >>> response = chain_of(households).respond(mfg.markets.Prices(r=0.03))
    >>> response.plan.shape, bool(response.wealth(households) > 0)
    ((2, 60, 60), True)
    """

    def __init__(self, households: Households):
        self.households = households
        incomes, points = households.shape
        affordable(incomes * points * points, 48, f"choices among {points} points of wealth for each state")

    # -- a plan ----------------------------------------------------------------------------------------------------

    def _moves(self, plan: np.ndarray) -> sparse.csr_array:
        """Chances from state to state (states, states), of state (j, i) at j wealth + i.

        Raises
        ------
        InputError
            for a plan whose chances do not sum to 1
        """
        incomes, points = self.households.shape
        plan = np.asarray(plan, dtype=float)
        if plan.shape != (incomes, points, points):
            raise InputError(
                f"the plan has shape {plan.shape}; chances of the next wealth are needed, {(incomes, points, points)}"
            )
        if not ((plan >= 0).all() and (np.abs(plan.sum(axis=2) - 1) <= CERTAIN).all()):
            raise InputError("chances of a plan must not be negative, and sum to 1 over the next wealth in every state")
        j, i, k = np.nonzero(plan)
        rows = j * points + i
        chances = plan[j, i, k][:, None] * self.households.income.matrix[j]
        columns = np.arange(incomes) * points + k[:, None]
        shape = (incomes * points, incomes * points)
        entries = (chances.ravel(), (np.repeat(rows, incomes), columns.ravel()))
        moves = sparse.csr_array(entries, shape=shape)
        moves.eliminate_zeros()
        return moves

    def _spending(self, prices: Prices) -> np.ndarray:
        """What is consumed with each next wealth (incomes, wealth, next wealth); not all of it is positive."""
        earned = self.households.earnings(prices) + self.households.wealth.points
        return np.asarray(earned[:, :, None] - self.households.wealth.points)

    def _felt(self, prices: Prices) -> np.ndarray:
        """Utility of it, -inf where nothing would be left to consume."""
        spending = self._spending(prices)
        return np.where(spending > 0, self.households.utility.of(np.where(spending > 0, spending, 1.0)), -np.inf)

    def _paid(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """Expected utility of a plan in each state."""
        spending = self._spending(prices)
        bad = (plan > 0) & ~(spending > 0)
        if bad.any():
            j, i, k = (int(n) for n in np.argwhere(bad)[0])
            raise InputError(
                f"the plan consumes {spending[j, i, k]:.3g} at wealth {self.households.wealth.points[i]:.6g} and "
                f"income {self.households.income.levels[j]:g}, at r = {prices.r:g}; consumption must be positive"
            )
        return np.asarray((plan * np.where(plan > 0, self._felt(prices), 0.0)).sum(axis=2))

    def consumption(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """Mean of what is consumed (incomes, wealth).

        Raises
        ------
        InputError
            where it might not be positive
        """
        self._paid(plan, prices)
        return np.asarray((plan * self._spending(prices)).sum(axis=2))

    def valued(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """V = u + beta P V (incomes, wealth)."""
        paid = self._paid(plan, prices)
        return self._discounted(self._moves(plan), paid.ravel()).reshape(paid.shape)

    def _discounted(self, moves: sparse.csr_array, paid: np.ndarray) -> np.ndarray:
        assert self.households.discount_factor is not None
        matrix = sparse.eye_array(paid.size, format="csr") - self.households.discount_factor * moves
        return np.asarray(spsolve(sparse.csc_array(matrix), paid))

    def law(self, plan: np.ndarray) -> np.ndarray:
        """m with m P = m and sum 1 (incomes, wealth).

        Raises
        ------
        Reducible
            where the plan has several closed sets of states, and therefore several laws
        """
        moves = self._moves(plan)
        inside = self._closed(moves)
        within = moves[inside][:, inside]
        matrix = sparse.csc_array(sparse.eye_array(inside.size) - within).T.tolil()
        matrix[0] = 1.0  # one of the equations follows from the others
        right = np.zeros(inside.size)
        right[0] = 1.0
        mass: np.ndarray = np.zeros(moves.shape[0])
        mass[inside] = np.maximum(spsolve(sparse.csc_array(matrix), right), 0.0)
        for _ in range(2):  # round-off of the solve is spread by the chain itself
            mass = mass @ moves
        return np.asarray((mass / mass.sum()).reshape(self.households.shape))

    def _closed(self, moves: sparse.csr_array) -> np.ndarray:
        """States of the one set that is never left."""
        count, part = connected_components(moves, connection="strong")
        start, end = moves.nonzero()
        left = np.zeros(count, dtype=bool)
        left[part[start][part[start] != part[end]]] = True
        closed = np.flatnonzero(~left)
        if closed.size > 1:
            points = self.households.wealth.points
            sets = [points[np.flatnonzero(part == c) % points.size] for c in closed[:3]]
            told = ", ".join(f"{s.min():g}..{s.max():g}" for s in sets)
            raise Reducible(
                f"under this plan households never leave any of {closed.size} ranges of wealth, {told}"
                f"{', ...' * (closed.size > 3)}, so that it has several laws; take more points of wealth, or incomes "
                "that move them"
            )
        return np.flatnonzero(part == closed[0])

    def law_error(self, plan: np.ndarray, mass: np.ndarray) -> float:
        """|1 - sum m| + sum |m P - m|."""
        flat = mass.ravel()
        return abs(1.0 - float(flat.sum())) + float(np.abs(flat @ self._moves(plan) - flat).sum())

    # -- the best plan ---------------------------------------------------------------------------------------------

    def choices(self, value: np.ndarray, prices: Prices) -> np.ndarray:
        """What each next wealth is worth (incomes, wealth, next wealth), before a value; -inf where there is no way."""
        expected = self.households.income.matrix @ value
        assert self.households.discount_factor is not None
        return np.asarray(self._felt(prices) + self.households.discount_factor * expected[:, None, :])

    def best(self, prices: Prices, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, int]:
        """The best plan, its value, and how often it was improved: Howard's rule from a value, or from that of keeping
        what one has.  A choice is left for one that is better by more than round-off alone."""
        value = self._first(prices) if start is None else start
        felt, (incomes, points) = self._felt(prices), self.households.shape
        assert self.households.discount_factor is not None
        chosen, count = None, 0
        while count < MOST:
            count += 1
            worth = felt + self.households.discount_factor * (self.households.income.matrix @ value)[:, None, :]
            better = worth.argmax(axis=2)
            if chosen is not None:
                kept = np.take_along_axis(worth, chosen[:, :, None], axis=2)[:, :, 0]
                better = np.where(worth.max(axis=2) - kept > GAIN * np.abs(value).max(), better, chosen)
                if (better == chosen).all():
                    break
            chosen = better
            plan = np.zeros((incomes, points, points))
            np.put_along_axis(plan, chosen[:, :, None], 1.0, axis=2)
            paid = np.take_along_axis(felt, chosen[:, :, None], axis=2).ravel()
            value = self._discounted(self._moves(plan), paid).reshape(incomes, points)
        return plan, value, count

    def _first(self, prices: Prices) -> np.ndarray:
        """Value of keeping what one has, where that leaves something to consume."""
        earnings = self.households.earnings(prices)
        least = prices.w * self.households.income.levels[0] + prices.r * self.households.wealth.limit
        assert self.households.discount_factor is not None
        return self.households.utility.of(np.maximum(earnings, least)) / (1 - self.households.discount_factor)

    def respond(self, prices: Prices, start: np.ndarray | None = None) -> Response:
        """The best plan and its law.

        Raises
        ------
        InputError
            for prices at which there is no stationary law, see `Households.check`
        """
        self.households.check(prices)
        plan, value, count = self.best(prices, start)
        return self.response(plan, value, prices, count)

    def response(self, plan: np.ndarray, value: np.ndarray, prices: Prices, count: int) -> Response:
        """What a plan does."""
        consumption = self.consumption(plan, prices)
        saving = self.households.earnings(prices) - consumption
        return Response(prices, plan, saving, consumption, value, self.law(plan), count)

    # -- over a while ----------------------------------------------------------------------------------------------

    def spent(self, response: Response, period: float) -> np.ndarray:
        """C(a, z), what is consumed within a whole number of periods, expected."""
        steps = round(period)
        if steps < 1 or steps != period:
            raise InputError(f"period is {period:g}; in discrete time a whole number of periods is needed, at least 1")
        moves, paid = self._moves(response.plan), response.consumption.ravel()
        total = np.zeros_like(paid)
        for _ in range(steps):
            total = paid + moves @ total
        return total.reshape(response.consumption.shape)
