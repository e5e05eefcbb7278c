"""Continuous time on points of wealth: the upwind scheme *is* a Markov decision problem.

With savings s = w z + r a - c a household at point i moves to the next point at the rate s+ / (a_{i+1} - a_i), and to
the one before at s- / (a_i - a_{i-1}); its income jumps as stated.  The value of a plan solves

    rho V = u(c) + Q_s V,    Q_s the generator of these jumps,

and the best plan maximises u(w z + r a - s) + (Q_s V)(a, z) over s.  On s > 0 that is concave, with c = (u')^-1 of the
forward slope of V, on s < 0 with the backward slope; else s = 0.  The best of the three is taken, so that nothing of
the scheme is beyond the game: regret on it is exact.  Nobody saves at the highest point, nor borrows at the lowest.

Howard's rule alternates both lines; all linear systems are banded, one block of incomes for each point of wealth.

Source: Achdou, Han, Lasry, Lions, Moll, Income and wealth distribution in macroeconomics, Review of Economic Studies
89 (2022), doi:10.1093/restud/rdab002.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg.lapack import dgbtrf as gbtrf
from scipy.linalg.lapack import dgbtrs as gbtrs

from mfgsolve.cautions import say
from mfgsolve.errors import InputError
from mfgsolve.markets.firm import Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.response import Reducible, Response

__all__ = ["ContinuousChain"]

MOST = 500  # improvements of a plan
SETTLED = 1e-14  # change of the value in an improvement, relative, below which it is round-off,
ROUGH = 1e-10  # and below which it is where it does not fall any more
FASTEST = 100.0  # consumption over what there is to spend; beyond it slopes of intermediate values are no slopes
LEAST = 1e-12  # of that, which is always consumed
SHIFT = 1e-13  # of the fastest rate: of the inverse iteration
ROUNDS = 50  # of it
SPENDING = 64  # steps of a period


class ContinuousChain:
    """Households in continuous time; plans are savings (incomes, wealth).

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> from mfgsolve.markets.chains import chain_of
    >>> income = mfg.Income([0.1, 0.2], rates=[1.2, 1.2])
    >>> households = mfg.Households(mfg.Wealth.uniform(-0.15, 5, 50), income, discount_rate=0.05)
    >>> response = chain_of(households).respond(mfg.markets.Prices(r=0.03))
    >>> bool(response.wealth(households) > 0)
    True
    """

    def __init__(self, households: Households):
        self.households = households

    # -- a plan ----------------------------------------------------------------------------------------------------

    def generator(self, saving: np.ndarray) -> np.ndarray:
        """Q_s as a banded matrix of SciPy's order, (2 incomes + 1, wealth * incomes); (a_i, z_j) is i incomes + j.

        Raises
        ------
        InputError
            for savings that leave the points of wealth
        """
        incomes, points = self.households.shape
        if (saving[:, 0] < 0).any() or (saving[:, -1] > 0).any():
            raise InputError("savings at the lowest wealth must not be negative, and at the highest not positive")
        up, down = np.zeros((2, incomes, points))
        up[:, :-1] = np.maximum(saving[:, :-1], 0.0) / self.households.wealth.distances
        down[:, 1:] = np.maximum(-saving[:, 1:], 0.0) / self.households.wealth.distances
        rates, band = self.households.income.matrix, np.zeros((2 * incomes + 1, incomes * points))
        upwards, downwards = up.T.ravel(), down.T.ravel()
        band[0, incomes:] = upwards[:-incomes]
        band[-1, :-incomes] = downwards[incomes:]
        band[incomes] = -(upwards + downwards)
        for i in range(incomes):
            for j in range(incomes):
                band[incomes + i - j, j::incomes] += rates[i, j]
        return band

    def consumption(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """w z + r a - s (incomes, wealth).

        Raises
        ------
        InputError
            where it is not positive
        """
        consumption = self.households.earnings(prices) - plan
        if not (consumption > 0).all():
            j, i = (int(k) for k in np.argwhere(~(consumption > 0))[0])
            raise InputError(
                f"the plan consumes {consumption[j, i]:.3g} at wealth {self.households.wealth.points[i]:.6g} and "
                f"income {self.households.income.levels[j]:g}, at r = {prices.r:g}; consumption must be positive"
            )
        return consumption

    def valued(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """V with rho V = u(c) + Q_s V (incomes, wealth)."""
        return self._discounted(plan, self.households.utility.of(self.consumption(plan, prices)))

    def _discounted(self, saving: np.ndarray, paid: np.ndarray) -> np.ndarray:
        """(rho - Q_s)^-1 paid, refined once: slopes of V are differences of large numbers, and decide what is best."""
        matrix, rho = -self.generator(saving), self.households.impatience
        matrix[self.households.income.count] += rho
        solve = factorised(matrix, self.households.income.count)
        value = self._unstacked(solve(paid.T.ravel()))
        return value + self._unstacked(solve((paid - (rho * value - self.drift(saving, value))).T.ravel()))

    def _unstacked(self, vector: np.ndarray) -> np.ndarray:
        return np.asarray(vector.reshape(self.households.shape[::-1]).T)

    def drift(self, saving: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Q_s V, all of it by differences of V (incomes, wealth)."""
        slope, rates = np.diff(value, axis=1) / self.households.wealth.distances, self.households.income.matrix
        result = np.einsum("jk,jki->ji", rates, value[None] - value[:, None])
        result[:, :-1] += np.maximum(saving[:, :-1], 0.0) * slope
        result[:, 1:] += np.minimum(saving[:, 1:], 0.0) * slope
        return result

    def law(self, plan: np.ndarray) -> np.ndarray:
        """m with m Q_s = 0 and sum 1, by inverse iteration.

        Raises
        ------
        Reducible
            where the plan has several closed sets of states, and therefore several laws
        """
        incomes, points = self.households.shape
        self._check_one_class(plan)
        matrix = transposed(-self.generator(plan), incomes)
        matrix[incomes] += SHIFT * matrix[incomes].max()
        solve, mass = factorised(matrix, incomes), np.full(incomes * points, 1.0 / (incomes * points))
        for _ in range(ROUNDS):
            before, mass = mass, solve(mass)
            mass /= mass.sum()
            if np.abs(mass - before).sum() <= 1e-15 * np.sqrt(mass.size):
                break
        return self._unstacked(mass)

    def law_error(self, plan: np.ndarray, mass: np.ndarray) -> float:
        """|1 - sum m| + sum |m Q_s| / (largest rate of leaving a state)."""
        incomes, points = self.households.shape
        band = transposed(self.generator(plan), incomes)
        flow, flat = np.zeros(incomes * points), mass.T.ravel()
        for offset in range(-incomes, incomes + 1):
            row = band[incomes - offset]
            if offset >= 0:
                flow[: flow.size - offset] += row[offset:] * flat[offset:]
            else:
                flow[-offset:] += row[: flow.size + offset] * flat[: flow.size + offset]
        return abs(1.0 - float(mass.sum())) + float(np.abs(flow).sum() / np.abs(band[incomes]).max())

    def _check_one_class(self, saving: np.ndarray) -> None:
        """One closed set of states: incomes all lead to each other, so that levels of wealth decide."""
        up, down = (saving[:, :-1] > 0).any(axis=0), (saving[:, 1:] < 0).any(axis=0)
        ends = np.flatnonzero(~(up & down))  # of sets of levels that lead to each other: the last level of each
        first, last = np.r_[0, ends + 1], np.r_[ends, saving.shape[1] - 1]
        left = np.r_[False, down][first] | np.r_[up, False][last]
        if (~left).sum() > 1:
            points = self.households.wealth.points
            sets = [f"{points[i]:g}..{points[k]:g}" for i, k in zip(first[~left], last[~left], strict=True)]
            raise Reducible(
                f"under this plan households never leave any of {len(sets)} ranges of wealth, "
                f"{', '.join(sets[:3])}{', ...' * (len(sets) > 3)}, so that it has several laws; give more "
                "points of wealth, a plan that moves, or incomes that do"
            )

    # -- the best plan ---------------------------------------------------------------------------------------------

    def improved(self, value: np.ndarray, prices: Prices) -> np.ndarray:
        """The savings that are best against a value (incomes, wealth)."""
        utility, earnings = self.households.utility, self.households.earnings(prices)
        rest = earnings > 0  # elsewhere income does not even pay the interest
        low, high = (
            float(utility.marginal(np.asarray(c))) for c in (self._most(earnings), LEAST * self._most(earnings))
        )
        slope = np.clip(np.diff(value, axis=1) / self.households.wealth.distances, low, high)
        spent = utility.consumption(slope)
        best = np.zeros_like(value)
        worth = np.where(rest, utility.of(np.where(rest, earnings, 1.0)), -np.inf)
        for here, sign in ((np.s_[:, :-1], 1.0), (np.s_[:, 1:], -1.0)):
            saving = earnings[here] - spent
            gained = np.where(sign * saving > 0, utility.of(spent) + saving * slope, -np.inf)
            better = gained > worth[here]
            best[here] = np.where(better, saving, best[here])
            worth[here] = np.where(better, gained, worth[here])
        return best

    def best(self, prices: Prices, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, int]:
        """The best plan, its value, and how often it was improved: Howard's rule from a value, or from that of
        consuming all earnings."""
        value = self._first(prices) if start is None else start
        saving, value, count, before = *self._step(value, prices), 1, np.inf
        while count < MOST:
            better, after = self._step(value, prices)
            change = _moved(value, after)
            saving, value, count = better, after, count + 1
            if change <= SETTLED or (change <= ROUGH and change >= before):
                break
            before = change
        return saving, value, count

    def respond(self, prices: Prices, start: np.ndarray | None = None) -> Response:
        """The best plan and its law.

        Raises
        ------
        InputError
            for prices at which there is no stationary law, see `Households.check`
        """
        self.households.check(prices)
        saving, value, count = self.best(prices, start)
        consumption = self.consumption(saving, prices)
        if consumption.max() >= self._most(self.households.earnings(prices)) * (1 - 1e-9):
            say(
                "consumption-capped",
                f"somebody consumes {consumption.max():.3g} per unit of time, the most that is let; slopes of the "
                "value are lost in round-off there: take other units, or fewer points of wealth",
            )
        return Response(prices, saving, saving, consumption, value, self.law(saving), count)

    def _step(self, value: np.ndarray, prices: Prices) -> tuple[np.ndarray, np.ndarray]:
        """The plan that is best against a value, and its own value."""
        saving = self.improved(value, prices)
        return saving, self.valued(saving, prices)

    def _most(self, earnings: np.ndarray) -> float:
        """The most that anybody may consume per unit of time, far above what is best."""
        wealth = self.households.wealth
        return FASTEST * float(np.abs(earnings).max() + self.households.impatience * (wealth.highest - wealth.limit))

    def _first(self, prices: Prices) -> np.ndarray:
        """Value of consuming all earnings, where there are any."""
        earnings = self.households.earnings(prices)
        least = prices.w * self.households.income.levels[0] + prices.r * self.households.wealth.limit
        return self.households.utility.of(np.maximum(earnings, least)) / self.households.impatience

    # -- over a while ----------------------------------------------------------------------------------------------

    def spent(self, response: Response, period: float) -> np.ndarray:
        """C(a, z), what is consumed within a period: dC/dt = c + Q_s C from 0 (Feynman and Kac).

        Implicit steps, extrapolated from n and 2 n of them.
        """
        few, many = (self._spent(response, period, steps) for steps in (SPENDING, 2 * SPENDING))
        return 2 * many - few

    def _spent(self, response: Response, period: float, steps: int) -> np.ndarray:
        incomes, points = self.households.shape
        dt = period / steps
        matrix = -dt * self.generator(response.plan)
        matrix[incomes] += 1.0
        paid, total = dt * response.consumption.T.ravel(), np.zeros(incomes * points)
        solve = factorised(matrix, incomes)
        for _ in range(steps):
            total = solve(total + paid)
        return self._unstacked(total)


def _moved(before: np.ndarray, after: np.ndarray) -> float:
    """The largest change of a value, relative to it, or to what it mostly is: near to the natural limit it explodes."""
    size = np.abs(after)
    return float((np.abs(after - before) / np.maximum(size, np.median(size))).max())


def factorised(band: np.ndarray, width: int) -> Callable[[np.ndarray], np.ndarray]:
    """What solves systems with a banded matrix of ``width`` bands on either side, in SciPy's order."""
    factors, pivots, _ = gbtrf(np.vstack([np.zeros((width, band.shape[1])), band]), width, width)
    return lambda right: np.asarray(gbtrs(factors, width, width, right, pivots)[0])


def transposed(band: np.ndarray, width: int) -> np.ndarray:
    """The transpose of a banded matrix of ``width`` bands on either side, in the same order of SciPy."""
    result, size = np.zeros_like(band), band.shape[1]
    for offset in range(-width, width + 1):  # entry (i, i + offset) stands at [width - offset, i + offset]
        row = band[width - offset]
        if offset >= 0:
            result[width + offset, : size - offset] = row[offset:]
        else:
            result[width + offset, -offset:] = row[: size + offset]
    return result
