"""An economy as it is stated and solved, and its equilibrium as it is told, kept and read.

    mfg.Economy(households, mfg.Market(price="r", clears="wealth", supply=0))                   # Huggett
    mfg.Economy(households, mfg.Market(), firm=mfg.Firm(mfg.CobbDouglas(share=1/3)))            # Aiyagari

The *relative exploitability* of an equilibrium, which ``tol`` refers to, is the larger of what a household gains by
another plan, as a share of consumption, and how far the price is off, over the rate of impatience; both parts stand
among the numbers (`mfgsolve.markets.certificate`).  There is no potential: prices enter what a household can do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mfgsolve.errors import InputError, shown
from mfgsolve.markets.certificate import MarketCertificate
from mfgsolve.markets.clearing import Trial
from mfgsolve.markets.datasets import aggregates, arrays
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.refinement import GridError
from mfgsolve.markets.stationary import Stationary, stationary
from mfgsolve.solution.datasets import Measure
from mfgsolve.statements import Answer, Statement

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Economy", "Equilibrium", "told_as"]

PROOF_UNITS = {"regret": "utility / time", "excess": "wealth", "slope": "wealth time", "price_error": "1 / time"}
COLUMNS = ("density", "mass", "consumption", "saving", "value", "marginal_propensity")


@dataclass(frozen=True, eq=False, repr=False)
class Equilibrium(Answer):
    """What households do, who has what, and the price at which the market clears; all of it in ``dataset``, whose
    variables are those of `mfgsolve.markets.datasets.TOLD`."""

    kind: ClassVar[str] = "economy"
    told: ClassVar[Mapping[str, str]] = {
        "price": "interest rate r", "price_error": "r is off by", "discretisation_price": "... the continuum by about",
        "discretisation_extrapolated_price": "r extrapolated to the continuum",
        "discretisation_extrapolated_price_error": "... off by about", "wage": "wage w", "capital": "capital",
        "output": "output", "mean_wealth": "mean wealth", "mean_consumption": "mean consumption",
        "regret": "regret given the price", "relative_regret": "... share of consumption", "excess": "excess of wealth",
        "gini_wealth": "Gini of wealth", "gini_consumption": "Gini of consumption", "gini_earnings": "Gini of earnings",
        "mean_marginal_propensity": "mean propensity to consume", "mass_at_limit": "at the borrowing limit",
        "mass_at_top": "at the highest wealth", "mixing_share": "of the indifferent, as at higher prices",
    }  # fmt: skip
    small: ClassVar[frozenset[str]] = frozenset({
        "exploitability", "price_error", "regret", "relative_regret", "excess", "mass_at_top", "discretisation_price",
        "discretisation_extrapolated_price_error",
    })  # fmt: skip

    @property
    def price(self) -> float:
        """Interest rate r, per unit of time."""
        return self.numbers["price"]

    @property
    def wage(self) -> float:
        return self.numbers["wage"]

    @property
    def certificate(self) -> MarketCertificate:
        """Regret, excess, and what both mean for the price."""
        return MarketCertificate.read(self.dataset.attrs)

    @property
    def discretisation(self) -> GridError:
        """Estimated distance of the price to the continuum."""
        return GridError.read(self.dataset.attrs)

    @property
    def sentence(self) -> str:
        """Why the solve ended, the price, how far it is from the continuum, and every warning."""
        proof, said = self.certificate, [caution.sentence for caution in self.warnings]
        found = (
            f"r = {self.price:.12g}, off by about {proof.price_error:.0e} on its own points; a household gains at most "
            f"{proof.relative_regret:.0e} of its consumption by another plan."
        )
        mixing = [text] if (text := str(self.dataset.attrs.get("mixing", ""))) else []
        return " ".join([self.ended, found, *mixing, self.discretisation.sentence, *said])

    def summary(self) -> dict[str, Any]:
        """The numbers that the command prints as JSON."""
        prices = [float(r) for r in self.dataset["clearing_price"].values]
        return super().summary() | {"clearing_prices": prices, "discretisation": self.discretisation.facts}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values of the small table that the command prints, of what there is."""
        return [row for row in super().rows() if row[1] != "not measured"]

    def about(self) -> list[tuple[str, str]]:
        sizes = self.dataset.sizes
        firm = "none" if math.isnan(self.numbers["capital"]) else "one, prices explicit in capital"
        return [("incomes x wealth", f"{sizes['income']} x {sizes['wealth']}"), ("firm", firm)]

    def table(self) -> pd.DataFrame:
        """A row for every state: income, wealth, density, mass, consumption, saving, value, propensity."""
        frame: pd.DataFrame = self.dataset[list(COLUMNS)].to_dataframe().reset_index()
        return frame


@dataclass(frozen=True, eq=False)
class Economy(Primitives, Statement[Equilibrium]):
    """Households and what they trade.

    Parameters
    ----------
    households : `Households`
    market : `Market`
    firm : a `Firm`, which holds capital that households own; None for an endowment economy, in which w = 1 and
        incomes are as stated
    name, source, parameters : as answers and files tell them

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> economy = mfg.Economy(
    ...     mfg.Households(
    ...         mfg.Wealth.uniform(-0.15, 5, points=500),
    ...         mfg.Income([0.1, 0.2], rates=[1.2, 1.2]),
    ...         mfg.CRRA(2),
    ...         discount_rate=0.05,
    ...     ),
    ...     mfg.Market(price="r", clears="wealth", supply=0),
    ... )
    >>> answer = mfg.solve(economy)
    >>> round(answer.price, 12), round(answer.discretisation.extrapolated_price, 4)
    (0.031916582659, 0.036)
    """

    name: str = "economy"
    source: str = ""
    parameters: Mapping[str, Any] | None = None
    kind: ClassVar[str] = "economy"
    noun: ClassVar[str] = "an economy"
    answer: ClassVar[type[Answer]] = Equilibrium

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.name, str):
            raise InputError(f"name of the economy is {shown(self.name)}; a text is needed")

    def solve_with(  # type: ignore[override]
        self, *, tol: float = 1e-10, estimate: bool = True, max_seconds: float | None = None,
        callback: Callable[[Measure], Any] | None = None,
    ) -> Equilibrium:  # fmt: skip
        """The stationary equilibrium.

        Parameters
        ----------
        tol : of the relative exploitability, see the module
        estimate : solve on coarser points, too, to tell the distance to the continuum
        max_seconds : budget; None is no limit
        callback : called with a `Measure` after every price that is tried; a true value stops
        """
        states = self.households.income.count * self.households.wealth.count

        def watch(trial: Trial) -> Any:
            return callback is not None and callback(_measure(trial, self, states))

        return told_as(self, stationary(self, tol=tol, estimate=estimate, max_seconds=max_seconds, callback=watch), tol)


def told_as(economy: Economy, result: Stationary, tol: float) -> Equilibrium:
    """What was computed, labelled."""
    proof, states = result.certificate, result.response.mass.size
    rows = [_measure(trial, economy, states) for trial in result.trials]
    regret = proof.regret if math.isnan(proof.exploitability) else proof.exploitability
    worst, last = proof.worst(economy.households.impatience), result.trials[-1]
    rows[-1] = Measure(
        last.number, float(last.improvements), regret, worst, math.nan, math.nan, states, True, result.seconds
    )
    share = math.nan if result.mixture is None else result.mixture.share
    numbers = {"mixing_share": (share, "1")} | {
        name: (value, PROOF_UNITS.get(name, "1"))
        for name, value in asdict(proof).items()
        if name not in ("exploitability", "relative_exploitability")
    }
    more = {"own_exploitability": proof.exploitability, "own_relative_exploitability": proof.relative_exploitability}
    return Equilibrium.of(
        economy, arrays(result), rows, status=result.status, tol=tol, numbers=numbers | aggregates(result),
        cautions=result.warnings, cost_units="utility / time", time=economy.households.time,
        stated=json.dumps(economy.stated), **more, **result.discretisation.attributes,
        **({} if result.mixture is None else {"mixing": result.mixture.sentence}),
    )  # fmt: skip


def _measure(trial: Trial, economy: Economy, states: int) -> Measure:
    """What a price that was tried measures: by how much it is off; the plan is the best at that price."""
    off = trial.off / economy.households.impatience
    return Measure(
        trial.number, float(trial.improvements), math.nan, off, math.nan, math.nan, states, True, trial.seconds
    )
