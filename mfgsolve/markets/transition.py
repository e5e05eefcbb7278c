"""A transition as it is stated and solved, and its answer as it is told, kept and read.

    mfg.solve(mfg.Transition(economy, mfg.Shock(productivity=-0.03, recovery=0.2), mfg.TimeGrid(200, 400)))

The *relative exploitability*, which ``tol`` refers to, is the larger of what a household gains by another plan over
time, as a share of consumption, and how far an interest rate is off at most, over the rate of impatience.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mfgsolve.errors import InputError, shown, whole
from mfgsolve.grids import TimeGrid
from mfgsolve.markets.adjustment import MOST, Adjustment, Sweep, adjust
from mfgsolve.markets.economy import Primitives
from mfgsolve.markets.path_certificate import PathCertificate
from mfgsolve.markets.path_datasets import SERIES, arrays, resting
from mfgsolve.markets.shock import Shock
from mfgsolve.solution.datasets import Measure
from mfgsolve.statements import Answer, Statement

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Transition", "TransitionPath"]

PROOF_UNITS = {"regret": "utility", "excess": "wealth", "price_error": "1 / time"}


@dataclass(frozen=True, eq=False, repr=False)
class TransitionPath(Answer):
    """Prices, plans and who has what after a shock; all of it in ``dataset``, whose variables are those of
    `mfgsolve.markets.path_datasets.TOLD`."""

    kind: ClassVar[str] = "transition"
    told: ClassVar[Mapping[str, str]] = {
        "excess": "excess of wealth, at most", "relative_excess": "... over mean wealth",
        "price_error": "r is off by, at most", "step_error": "... shorter steps by about",
        "horizon_error": "... a longer horizon by about",
        "discretisation_price": "... the continuum by about, at rest", "resting_price": "interest rate at rest",
        "least_price": "... at least", "largest_price": "... at most", "resting_capital": "capital at rest",
        "least_capital": "... at least", "resting_consumption": "mean consumption at rest",
        "least_consumption": "... at least", "regret": "regret given the prices",
        "relative_regret": "... share of consumption",
    }  # fmt: skip
    small: ClassVar[frozenset[str]] = frozenset({
        "exploitability", "excess", "relative_excess", "price_error", "step_error", "discretisation_price", "regret",
        "relative_regret", "horizon_error",
    })  # fmt: skip

    @property
    def certificate(self) -> PathCertificate:
        """Regret, excess, and what both mean for prices."""
        return PathCertificate.read(self.dataset.attrs)

    @property
    def sentence(self) -> str:
        """Why the solve ended, how good prices and plans are, how much shorter steps would change, every warning."""
        proof, said = self.certificate, [caution.sentence for caution in self.warnings]
        found = (
            f"Markets clear to {proof.relative_excess:.0e} of mean wealth in every step, interest rates are off by at "
            f"most {proof.price_error:.0e}; a household gains at most {proof.relative_regret:.0e} of its consumption "
            "by another plan."
        )
        steps = self.numbers["step_error"]
        known = [] if math.isnan(steps) else [f"shorter steps would move an interest rate by about {steps:.1e} at most"]
        known.append(f"a longer horizon by about {self.numbers['horizon_error']:.1e}")
        shorter = f"{', '.join(known).capitalize()}."
        return " ".join(part for part in (self.ended, found, shorter, *said) if part)

    def rows(self) -> list[tuple[str, str]]:
        """Names and values of the small table that the command prints, of what there is."""
        return [row for row in super().rows() if row[1] != "not measured"]

    def about(self) -> list[tuple[str, str]]:
        sizes, attrs = self.dataset.sizes, self.dataset.attrs
        states = f"{sizes['income']} x {sizes['wealth']}"
        return [("incomes x wealth", states), ("steps", f"{sizes['step']} to {float(attrs['horizon']):g}")]

    def table(self) -> pd.DataFrame:
        """A row for every step: prices and aggregates."""
        frame: pd.DataFrame = self.dataset[list(SERIES)].to_dataframe().reset_index()
        return frame


@dataclass(frozen=True, eq=False)
class Transition(Statement[TransitionPath]):
    """An economy at rest, what hits it, and the steps in which it comes back to rest.

    Parameters
    ----------
    economy : `Economy` in continuous time
    shock : `Shock`
    time : a `TimeGrid` with a number of steps; at the horizon the steady state is taken to be reached
    name, source, parameters : as answers and files tell them

    Raises
    ------
    InputError

    Examples
    --------
    >>> import mfgsolve as mfg
    >>> economy = mfg.problems.aiyagari(points=60)
    >>> shock = mfg.Shock(productivity=-0.03, recovery=0.2)
    >>> answer = mfg.solve(mfg.Transition(economy, shock, mfg.TimeGrid(200, 100)))
    >>> answer.converged, bool(answer.dataset["interest_rate"][0] < answer.numbers["resting_price"])
    (True, True)
    """

    economy: Primitives
    shock: Shock
    time: TimeGrid
    name: str = "transition"
    source: str = ""
    parameters: Mapping[str, Any] | None = None
    kind: ClassVar[str] = "transition"
    noun: ClassVar[str] = "a transition"
    answer: ClassVar[type[Answer]] = TransitionPath

    def __post_init__(self) -> None:
        for name, kind, remedy in (
            ("economy", Primitives, "an mfg.Economy"),
            ("shock", Shock, "an mfg.Shock(productivity=-0.03, recovery=0.2)"),
            ("time", TimeGrid, "an mfg.TimeGrid(200, 400)"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"{name} of the transition is {shown(getattr(self, name))}; {remedy} is needed")
        if self.time.steps is None:
            raise InputError("the time grid of the transition has no number of steps; give one, mfg.TimeGrid(200, 400)")
        if self.time.discount:
            raise InputError(
                f"the time grid of the transition has a discount rate, {self.time.discount:g}; households have their "
                f"own, {self.economy.households.impatience:g}: leave it out"
            )
        if self.economy.households.time != "continuous":
            raise InputError(
                "a transition needs households in continuous time; state rates of income and a discount_rate"
            )
        if not isinstance(self.name, str):
            raise InputError(f"name of the transition is {shown(self.name)}; a text is needed")
        for name in ("productivity", "impatience"):
            self.shock.path(name, self.time)

    @property
    def stated(self) -> dict[str, Any]:
        """What it is made of, as plain values; functions and objects of one's own by their names."""
        return {"economy": self.economy.stated, "shock": self.shock.stated, "time": self.time.stated}

    def solve_with(  # type: ignore[override]
        self, *, tol: float = 1e-10, estimate: bool = True, max_sweeps: int = MOST, max_seconds: float | None = None,
        callback: Callable[[Measure], Any] | None = None,
    ) -> TransitionPath:  # fmt: skip
        """The transition.

        Parameters
        ----------
        tol : of the relative exploitability, see the module
        estimate : solve with steps twice as long, too, and the steady state on coarser points, to tell both errors
        max_sweeps, max_seconds : budget; None is no limit
        callback : called with a `Measure` after every sweep; a true value stops
        """
        max_sweeps = whole(max_sweeps, "max_sweeps")
        if max_sweeps < 1:
            raise InputError(f"max_sweeps is {max_sweeps}; at least 1 is needed")

        def watch(sweep: Sweep) -> Any:
            return callback is not None and callback(_measure(sweep, self))

        result = adjust(
            self.economy, self.shock, self.time, tol=tol, estimate=estimate, max_sweeps=max_sweeps,
            max_seconds=max_seconds, callback=watch,
        )  # fmt: skip
        return told_as(self, result, tol)


def told_as(transition: Transition, result: Adjustment, tol: float) -> TransitionPath:
    """What was computed, labelled."""
    proof, impatience = result.certificate, transition.economy.households.impatience
    rows = [_measure(sweep, transition) for sweep in result.sweeps]
    regret = proof.regret if math.isnan(proof.exploitability) else proof.exploitability
    last = result.sweeps[-1]
    rows[-1] = Measure(
        last.number, last.number + 1.0, regret, proof.worst(impatience), math.nan, math.nan, _size(transition), True,
        result.seconds,
    )  # fmt: skip
    numbers = {
        name: (value, PROOF_UNITS.get(name, "1"))
        for name, value in asdict(proof).items()
        if name not in ("exploitability", "relative_exploitability")
    }
    more = {"own_exploitability": proof.exploitability, "own_relative_exploitability": proof.relative_exploitability}
    return TransitionPath.of(
        transition, arrays(result), rows, status=result.status, tol=tol, numbers=numbers | resting(result),
        cautions=result.warnings, cost_units="utility", horizon=transition.time.horizon,
        stated=json.dumps(transition.stated), **more, **result.steady.discretisation.attributes,
    )  # fmt: skip


def _size(transition: Transition) -> int:
    households = transition.economy.households
    return households.income.count * households.wealth.count * int(transition.time.steps)


def _measure(sweep: Sweep, transition: Transition) -> Measure:
    """What a sweep measures: by how much an interest rate is off; the plan is the best at its prices."""
    off = sweep.off / transition.economy.households.impatience
    return Measure(
        sweep.number, sweep.number + 1.0, math.nan, off, math.nan, math.nan, _size(transition), True, sweep.seconds
    )
