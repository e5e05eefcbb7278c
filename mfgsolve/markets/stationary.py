"""The stationary equilibrium of an economy: prices found, the plan certified, the grid measured.

    result = stationary(primitives)
    result.price, result.response, result.certificate, result.discretisation

This is what computes; `mfgsolve.markets.equilibrium` states economies and labels what comes out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mfgsolve.cautions import Caution, collect, say
from mfgsolve.errors import InputError, real
from mfgsolve.markets.certificate import MarketCertificate, certify
from mfgsolve.markets.clearing import Excess, Scan, Trial, roots, scan
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.mixing import Mixture, mixed
from mfgsolve.markets.refinement import GridError, grid_error
from mfgsolve.markets.response import Response
from mfgsolve.solution import Status

__all__ = ["Stationary", "stationary"]

STEP = 1e-4  # of the rate of impatience, between the prices that tell the slope of the excess
CHOICES = "there is none, points of wealth are what households choose from"
CROWDED = 1e-8  # share of households at the highest wealth above which the points end too early


@dataclass(frozen=True, eq=False)
class Stationary:
    """What households do, who has what, and the price at which the market clears.

    Attributes
    ----------
    economy : as it was stated
    response : plan, value and law at the price, arrays (incomes, wealth)
    certificate : regret, excess and what both mean for the price
    discretisation : estimated distance of the price to the continuum
    seen : the scan of prices that came first
    found : every price that clears the market, in increasing order; the answer is of the first
    trials : prices that were tried on the economy's own points
    seconds : of the whole solve
    warnings : what makes the answer less than it looks
    mixture : who mixes, where no sure plan clears the market (discrete time); None where nobody does
    """

    economy: Primitives
    response: Response
    certificate: MarketCertificate
    discretisation: GridError
    seen: Scan = field(repr=False)
    found: tuple[float, ...]
    status: Status
    trials: tuple[Trial, ...] = field(repr=False)
    seconds: float
    warnings: tuple[Caution, ...] = ()
    mixture: Mixture | None = None

    @property
    def price(self) -> float:
        """Interest rate r, per unit of time."""
        return float(self.response.prices.r)


class _Stopped(Exception):
    """Somebody, or the clock, asked to stop."""

    def __init__(self, status: Status):
        super().__init__(status.value)
        self.status = status


def stationary(
    economy: Primitives, *, tol: float = 1e-10, estimate: bool = True, max_seconds: float | None = None,
    callback: Callable[[Trial], Any] | None = None,
) -> Stationary:  # fmt: skip
    """The stationary equilibrium of an economy.

    Parameters
    ----------
    tol : of the regret, as a share of consumption, and of the price, relative to the rate of impatience
    estimate : solve on coarser points, too, to tell the distance to the continuum
    max_seconds : budget; None is no limit
    callback : called after every price that is tried; a true value stops

    Raises
    ------
    InputError
        where no price clears the market, and for prices at which households have no law
    """
    _check(tol, max_seconds)
    begun = time.perf_counter()

    def watch(trial: Trial) -> None:
        if callback is not None and callback(trial):
            raise _Stopped(Status.STOPPED)
        if max_seconds is not None and time.perf_counter() - begun > max_seconds:
            raise _Stopped(Status.TIME_LIMIT)

    with collect() as said:
        seen = scan(economy)
        excess, ended = Excess(economy, watch=watch), Status.STALLED
        try:
            found = tuple(_best(excess, ends) for ends in roots(excess, seen))
        except _Stopped as stop:
            ended, found = stop.status, (min(excess.trials, key=lambda trial: abs(trial.excess)).price,)
        excess.watch = None
        excess(found[0])
        response, mixture = excess.response, None
        if (
            ended is Status.STALLED and economy.households.time == "discrete"
        ):  # a sure plan clears the market only by luck
            mixture = mixed(economy, found[0])
        if mixture is not None:
            response, found = mixture.response, (mixture.response.prices.r, *found[1:])
        certificate = certify(economy, response.plan, found[0], _slope(excess, found[0]))
        if certificate.worst(economy.households.impatience) <= tol:
            ended = Status.CONVERGED
        _doubt(economy, response, found)
        distance = GridError(obtained=CHOICES) if economy.households.time == "discrete" else GridError()
        if distance.obtained != CHOICES and estimate and ended is Status.CONVERGED:
            distance = grid_error(economy, found[0], lambda other: _price(other, found[0], seen))
    return Stationary(
        economy, response, certificate, distance, seen, found, ended, tuple(excess.trials),
        time.perf_counter() - begun, tuple(said), mixture,
    )  # fmt: skip


def _check(tol: float, max_seconds: float | None) -> None:
    tol = real(tol, "tol")
    if not (math.isfinite(tol) and tol > 0):
        raise InputError(f"tol is {tol:g}; a positive number is needed, say 1e-10")
    if max_seconds is not None and not real(max_seconds, "max_seconds") > 0:
        raise InputError(f"max_seconds is {max_seconds:g}; a positive number is needed, or None")


def _best(excess: Excess, ends: tuple[float, float]) -> float:
    """Of both ends of what encloses a zero the one with the smaller excess."""
    return min(dict.fromkeys(ends), key=lambda r: abs(excess(r)))


def _slope(excess: Excess, r: float) -> float:
    """E'(r), by a central difference."""
    economy, step = excess.economy, STEP * excess.economy.households.impatience
    above, below = (excess.respond(q).wealth(economy.households) - economy.demand(q) for q in (r + step, r - step))
    return (above - below) / (2 * step)


def _price(economy: Primitives, near: float, seen: Scan) -> float:
    """The price on other points that is nearest to one."""
    excess = Excess(economy)
    return min((_best(excess, ends) for ends in roots(excess, seen)), key=lambda r: abs(r - near))


def _doubt(economy: Primitives, response: Response, found: tuple[float, ...]) -> None:
    """Say what makes the answer less than it looks."""
    if len(found) > 1:
        say(
            "several-equilibria",
            f"{len(found)} prices clear the market, r = {', '.join(f'{r:.9g}' for r in found)}, and the answer is that "
            "of the first; give the market a bracket=(low, high) around another",
        )
    top, points = float(response.mass[:, -1].sum()), economy.households.wealth
    if top > CROWDED:
        say(
            "wealth-at-the-top",
            f"{top:.2g} of all households sit at the highest wealth, {points.highest:g}, and would save more: the "
            f"points of wealth end too early; take a higher one, say {2 * points.highest - points.limit:g}",
        )
