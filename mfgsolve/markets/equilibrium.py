"""The equilibrium of an economy: solved, certified, measured against the continuum."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfgsolve.cautions import Caution, collect, say
from mfgsolve.errors import InputError, real, shown
from mfgsolve.inputs.attributes import Suggesting
from mfgsolve.markets.certificate import MarketCertificate, certify
from mfgsolve.markets.clearing import Excess, Scan, roots, scan
from mfgsolve.markets.datasets import aggregates, build_dataset
from mfgsolve.markets.economy import Economy
from mfgsolve.markets.refinement import GridError, grid_error
from mfgsolve.markets.response import Response

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Equilibrium", "solve_economy"]

STEP = 1e-4  # of the rate of impatience, between the prices that tell the slope of the excess
CROWDED = 1e-8  # share of households at the highest wealth above which the points end too early
STATUSES = {
    "converged": "Regret and price are within the tolerance.",
    "stalled": "The price is enclosed to round-off, and the tolerance is not met: excess demand jumps there.",
}


@dataclass(frozen=True, eq=False)
class Equilibrium(Suggesting):
    """What households do, who has what, and the price at which the market clears.

    Attributes
    ----------
    economy : as it was stated
    response : plan, value and law at the price, arrays (incomes, wealth)
    certificate : regret, excess and what both mean for the price, see `mfgsolve.markets.certificate`
    discretisation : estimated distance of the price to the continuum, a `GridError`
    prices_found : every price that clears the market, in increasing order; the answer is of the first
    status : "converged" or "stalled"
    warnings : what makes the answer less than it looks
    """

    economy: Economy = field(repr=False)
    response: Response = field(repr=False)
    certificate: MarketCertificate
    discretisation: GridError
    seen: Scan = field(repr=False)
    prices_found: tuple[float, ...]
    status: str
    tol: float
    evaluations: int
    improvements: int
    seconds: float
    warnings: tuple[Caution, ...] = ()

    @property
    def name(self) -> str:
        return self.economy.name

    @property
    def price(self) -> float:
        """Interest rate r, per unit of time."""
        return float(self.response.prices.r)

    @property
    def wage(self) -> float:
        return float(self.response.prices.w)

    @property
    def converged(self) -> bool:
        return self.status == "converged"

    @cached_property
    def aggregates(self) -> dict[str, float]:
        """Means, capital, output, Gini coefficients, by name."""
        return aggregates(self.economy, self.response)

    @cached_property
    def dataset(self) -> xr.Dataset:
        """Everything, labelled: see `mfgsolve.markets.datasets.TOLD`."""
        attributes = {
            **self.aggregates, "status": self.status, "tol": self.tol, "prices_found": list(self.prices_found),
            "evaluations": self.evaluations, "improvements": self.improvements, "seconds": self.seconds,
        }  # fmt: skip
        return build_dataset(
            self.economy, self.response, self.certificate, self.discretisation, self.seen, self.warnings, attributes
        )

    @property
    def sentence(self) -> str:
        """Why the solve ended, the price, how far it is from the continuum, and every warning."""
        proof = self.certificate
        return " ".join([
            STATUSES[self.status],
            f"r = {self.price:.12g}, off by about {proof.price_error:.0e} on its own points; a household gains at most "
            f"{proof.relative_regret:.0e} of its consumption by another plan.",
            self.discretisation.sentence,
            *(caution.sentence for caution in self.warnings),
        ])  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """The numbers that the command prints as JSON; None for what was not measured."""
        numbers = asdict(self.certificate) | self.aggregates
        plain = {name: None if math.isnan(value) else value for name, value in numbers.items()}
        work = {"evaluations": self.evaluations, "improvements": self.improvements, "seconds": self.seconds}
        more = {"prices_found": list(self.prices_found), "discretisation": self.discretisation.facts}
        return {"status": self.status} | plain | work | more | {"warnings": [asdict(c) for c in self.warnings]}

    def save(self, path: str | Path) -> Path:
        """Write NetCDF; an earlier file stays whole if writing fails."""
        from mfgsolve.files import write_dataset

        return write_dataset(self.dataset, path)

    def __repr__(self) -> str:
        doubts = f", with warnings ({', '.join(caution.code for caution in self.warnings)})" if self.warnings else ""
        return (
            f"<Equilibrium of {self.name}: {self.status}, r = {self.price:.9g}{doubts}, relative regret "
            f"{self.certificate.relative_regret:.0e}, price off by {self.certificate.price_error:.0e}>"
        )


def solve_economy(economy: Economy, *, tol: float = 1e-10, estimate: bool = True) -> Equilibrium:
    """The stationary equilibrium of an economy.

    Parameters
    ----------
    economy : households, a market, perhaps a firm
    tol : of the regret, as a share of consumption, and of the price, relative to the rate of impatience
    estimate : solve on coarser points, too, to tell the distance to the continuum

    Raises
    ------
    InputError
        where no price clears the market, and for prices at which households have no law
    """
    if not isinstance(economy, Economy):
        raise InputError(f"solve_economy got {shown(economy)}; an mfg.Economy is needed")
    tol = real(tol, "tol")
    if not (math.isfinite(tol) and tol > 0):
        raise InputError(f"tol is {tol:g}; a positive number is needed, say 1e-10")
    begun = time.perf_counter()
    with collect() as said:
        seen = scan(economy)
        excess = Excess(economy)
        enclosed = roots(excess, seen)
        found = tuple(_best(excess, ends) for ends in enclosed)
        response = excess.respond(found[0])
        certificate = certify(economy, response.plan, found[0], _slope(excess, found[0]))
        close = certificate.relative_regret <= tol and certificate.price_error <= tol * economy.households.impatience
        _doubt(economy, response, found)
        distance = (
            grid_error(economy, found[0], lambda other: _price(other, found[0], seen)) if estimate else GridError()
        )
    return Equilibrium(
        economy, response, certificate, distance, seen, found, "converged" if close else "stalled", tol,
        excess.evaluations, excess.improvements, time.perf_counter() - begun, tuple(said),
    )  # fmt: skip


def _best(excess: Excess, ends: tuple[float, float]) -> float:
    """Of both ends of what encloses a zero the one with the smaller excess."""
    return min(dict.fromkeys(ends), key=lambda r: abs(excess(r)))


def _slope(excess: Excess, r: float) -> float:
    """E'(r), by a central difference."""
    step = STEP * excess.economy.households.impatience
    return (excess(r + step) - excess(r - step)) / (2 * step)


def _price(economy: Economy, near: float, seen: Scan) -> float:
    """The price on other points that is nearest to one."""
    excess = Excess(economy)
    return min((_best(excess, ends) for ends in roots(excess, seen)), key=lambda r: abs(r - near))


def _doubt(economy: Economy, response: Response, found: tuple[float, ...]) -> None:
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
