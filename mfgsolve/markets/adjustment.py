"""After a shock: the path of prices at which markets clear in every step, from the steady state back to it.

Newton's method with the Jacobian of the steady state (`jacobian`), so that its matrix is factored once; each *sweep* is
one backward and one forward pass over all steps.  A change that makes the excess larger is halved.  `relaxation` is the
slow road that widely copied codes take: the path moves by a share of the excess.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from mfgsolve.cautions import Caution, collect, say, unique
from mfgsolve.errors import InputError, real
from mfgsolve.grids import TimeGrid
from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.path_certificate import PathCertificate, certify_path
from mfgsolve.markets.paths import Conditions, Stepper
from mfgsolve.markets.price_paths import PricePath
from mfgsolve.markets.shock import Shock
from mfgsolve.markets.stationary import Stationary, stationary
from mfgsolve.solution import Status

__all__ = ["Adjustment", "Sweep", "adjust", "relaxation"]

MOST = 60  # sweeps
ROUND = 2e-14  # excess over wealth below which it is round-off
HALVINGS = 30  # of changes that are not possible
ROUGH = 1e-12  # and below which it is where it does not fall to the half
STUCK = 3  # sweeps without a smaller excess
RETURNED = 1e-2  # of its largest distance from rest, within which a path has returned


@dataclass(frozen=True)
class Sweep:
    """One sweep: the largest excess of wealth over time, and the largest change of an interest rate that Newton's
    method asks for; seconds so far."""

    number: int
    excess: float
    off: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Adjustment:
    """What households do after a shock, who has what when, and the prices.

    Attributes
    ----------
    steady : the steady state before and after
    met : prices and impatience in each step
    path : the unknown, see `price_paths`
    capital : of the firm (steps,), NaN without one
    plans : savings (steps, incomes, wealth)
    masses : shares of households (nodes, incomes, wealth)
    excess : of wealth where markets clear, of each element of ``path``
    certificate : regret and excess, and what both mean for the prices
    horizon_error : |r - r of the steady state| in the last step, about what a longer horizon would change
    step_error : estimated distance of interest rates to those of shorter steps; NaN is "not measured"
    sweeps : history
    """

    economy: Primitives
    steady: Stationary
    time: TimeGrid
    met: Conditions
    productivity: np.ndarray
    path: np.ndarray
    capital: np.ndarray
    plans: np.ndarray
    masses: np.ndarray
    excess: np.ndarray
    certificate: PathCertificate
    horizon_error: float
    step_error: float
    status: Status
    sweeps: tuple[Sweep, ...] = field(repr=False)
    seconds: float
    warnings: tuple[Caution, ...] = ()

    @property
    def steady_capital(self) -> float:
        """Of the firm at rest; NaN without one."""
        return float(self.capital[0])


Swept = tuple[np.ndarray, np.ndarray, np.ndarray]  # plans, masses, excess


class _Sweeps:
    """Backward and forward passes; each begins with the values of the last one."""

    def __init__(self, prices: PricePath, steady: Stationary):
        time = prices.time
        self.prices, self.steady = prices, steady
        self.stepper = Stepper(ContinuousChain(prices.economy.households), time.horizon / time.steps)
        self.points = prices.economy.households.wealth.points
        self.values: np.ndarray | None = None

    def __call__(self, path: np.ndarray) -> Swept:
        """Best plans on a path, their law, and the excess."""
        response = self.steady.response
        plans, self.values = self.stepper.best(self.prices.conditions(path), response.value, self.values)
        masses = self.stepper.law(plans, response.mass)
        return plans, masses, self.prices.excess(path, masses.sum(axis=1) @ self.points)


def adjust(
    economy: Primitives, shock: Shock, time: TimeGrid, *, tol: float = 1e-10, estimate: bool = True,
    max_sweeps: int = MOST, max_seconds: float | None = None, callback: Callable[[Sweep], Any] | None = None,
) -> Adjustment:  # fmt: skip
    """The transition of an economy from its steady state through a shock.

    Parameters
    ----------
    tol : of the regret, as a share of consumption, and of the prices, relative to the rate of impatience
    estimate : solve with steps twice as long, too, and the steady state on coarser points
    max_sweeps, max_seconds : budget
    callback : called after every sweep; a true value stops

    Raises
    ------
    InputError
        where there is no steady state, and where a shock leaves somebody unable to pay the interest at the first prices
    """
    tol = real(tol, "tol")
    if not (math.isfinite(tol) and tol > 0):
        raise InputError(f"tol is {tol:g}; a positive number is needed, say 1e-10")
    begun = clock.perf_counter()
    with collect() as said:
        steady = stationary(economy, estimate=estimate)
        prices = PricePath.after(shock, economy, steady.response, time)
        if not prices.is_possible(prices.rest):
            raise InputError(
                "at the prices of the steady state the shock leaves those who owe the most unable to pay the interest; "
                "take a smaller shock, or a higher borrowing limit"
            )
        rows: list[Sweep] = []
        sweeps, solve = _Sweeps(prices, steady), _direction(prices)
        path, (plans, masses, excess), ended = _cleared(sweeps, solve, rows, max_sweeps, max_seconds, callback, begun)
        off = _largest_rate(prices, path, solve(excess))
        certificate = certify_path(prices, sweeps.stepper, path, plans, masses, excess, off)
        if steady.status is not Status.CONVERGED:
            ended = steady.status
        elif ended is Status.STALLED and certificate.worst(economy.households.impatience) <= tol:
            ended = Status.CONVERGED
        step_error = math.nan
        if estimate and ended is Status.CONVERGED and time.steps % 2 == 0 and time.steps >= 4:
            step_error = _step_error(prices, steady, path)
        horizon_error = _returned(prices, path, masses)
    return Adjustment(
        economy, steady, time, prices.conditions(path), prices.productivity, path, prices.capital(path), plans, masses,
        excess, certificate, horizon_error, step_error, ended, tuple(rows), clock.perf_counter() - begun,
        unique([*steady.warnings, *said]),
    )  # fmt: skip


def _direction(prices: PricePath) -> Callable[[np.ndarray], np.ndarray]:
    """Excess -> the change of the path that Newton's method asks for."""
    factors = lu_factor(prices.jacobian)
    return lambda excess: np.asarray(-lu_solve(factors, excess))


def _largest_rate(prices: PricePath, path: np.ndarray, change: np.ndarray) -> float:
    """Largest change of an interest rate where a path changes."""
    if not prices.is_possible(path + change):
        return math.inf
    return float(np.abs(prices.conditions(path + change).r - prices.conditions(path).r).max())


def _cleared(
    sweeps: _Sweeps, solve: Callable[[np.ndarray], np.ndarray], rows: list[Sweep], most: int, budget: float | None,
    callback: Callable[[Sweep], Any] | None, begun: float, start: np.ndarray | None = None,
) -> tuple[np.ndarray, Swept, Status]:  # fmt: skip
    """The path of least excess that was found, what its sweep gave, and why the search ended: STALLED where no smaller
    excess was."""
    prices, least, worse, halved = sweeps.prices, math.inf, 0, 0
    path = prices.rest if start is None else start
    scale = float(prices.response.mass.sum(axis=0) @ np.abs(sweeps.points))
    best, swept, change = path, None, np.zeros_like(path)
    while True:
        trial = sweeps(path)
        size, wanted = float(np.abs(trial[2]).max()), solve(trial[2])
        rows.append(Sweep(len(rows), size, _largest_rate(prices, path, wanted), clock.perf_counter() - begun))
        if swept is None or size < least:
            worse = worse + 1 if size > least / 2 and least <= ROUGH * scale else 0
            best, swept, least, change = path, trial, size, wanted
        else:
            worse, change = worse + 1, change / 2
        if callback is not None and callback(rows[-1]):
            return best, swept, Status.STOPPED
        if least <= ROUND * scale or worse >= STUCK:
            return best, swept, Status.STALLED
        if budget is not None and rows[-1].seconds > budget:
            return best, swept, Status.TIME_LIMIT
        if len(rows) >= most:
            return best, swept, Status.ITERATION_LIMIT
        while not prices.is_possible(best + change):
            halved, change = halved + 1, change / 2
            if halved > HALVINGS:
                return best, swept, Status.STALLED
        path = best + change


def _step_error(prices: PricePath, steady: Stationary, path: np.ndarray) -> float:
    """Largest change of an interest rate where steps are twice as long: implicit steps are off by dt + ..., so that it
    is about the error of the shorter ones."""
    longer, every = prices.longer(), slice(1, None, 2) if prices.economy.is_explicit else slice(0, None, 2)
    begun, rows, start = clock.perf_counter(), list[Sweep](), path[every][: longer.rest.size]
    found, _, _ = _cleared(_Sweeps(longer, steady), _direction(longer), rows, MOST, None, None, begun, start)
    return float(np.abs(longer.conditions(found).r - prices.conditions(path).r[::2]).max())


def _returned(prices: PricePath, path: np.ndarray, masses: np.ndarray) -> float:
    """How far the interest rate is from rest at the horizon, where the steady state is taken to begin; and say so where
    path or law still have too large a share of their largest distance."""
    far = np.abs(path - prices.rest)
    moved = np.abs(masses - prices.response.mass).sum(axis=(1, 2))
    of_path, of_law = (float(d[-1] / d.max()) if d.max() > 1e-12 else 0.0 for d in (far, moved))
    what = "capital" if prices.economy.is_explicit else "the interest rate"
    if max(of_path, of_law) > RETURNED:
        say(
            "not-returned",
            f"At the horizon {prices.time.horizon:g} {what} is still at {100 * of_path:.3g} % of its largest distance "
            f"from the steady state, and the distribution of wealth at {100 * of_law:.3g} %: what comes later moves "
            f"prices, too; take a longer horizon, say {2 * prices.time.horizon:g}",
        )
    return float(abs(prices.conditions(path).r[-1] - prices.response.prices.r))


def relaxation(
    economy: Primitives, shock: Shock, time: TimeGrid, *, share: float = 0.2, sweeps: int = 100, tol: float = 1e-9
) -> tuple[np.ndarray, list[float]]:
    """The path of a transition with a firm by the slow road, and the excess after each sweep: K_k moves by a share of
    the excess.

    Raises
    ------
    InputError
        without a firm, where an excess says nothing of the size of the change
    """
    if not economy.is_explicit:
        raise InputError("relaxation needs a firm, whose capital moves by the excess of wealth; use `adjust`")
    steady = stationary(economy, estimate=False)
    prices = PricePath.after(shock, economy, steady.response, time)
    sweep, path, sizes = _Sweeps(prices, steady), prices.rest, []
    for _ in range(sweeps):
        _, _, excess = sweep(path)
        sizes.append(float(np.abs(excess).max()))
        if sizes[-1] <= tol:
            break
        path = path + share * excess
    return path, sizes
