"""What households do at given prices, and what becomes of it: the half of an equilibrium that knows no market.

Both times have the same verbs, which `clearing` and everything above it uses; a *plan* is an array of their own, in
continuous time the savings s(a, z):

    chain = chain_of(households)                 # see `mfgsolve.markets.chains`
    plan, value, count = chain.best(prices)      # Howard's rule; any prices
    response = chain.respond(prices, start)      # best plan, its value and its law; prices that have one
    chain.law(plan)                              # law of any plan, and how far it is from one: law_error
    chain.consumption(plan, prices)              # what it consumes in each state at these prices
    chain.valued(plan, prices)                   # what it is worth
    chain.spent(response, period)                # what is consumed within a while
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.markets.firm import Prices
from mfgsolve.markets.households import Households

__all__ = ["Chain", "Reducible", "Response"]


class Reducible(InputError):
    """A plan has several closed sets of states, and therefore several laws."""


@dataclass(frozen=True, eq=False)
class Response:
    """A plan of households at given prices; all arrays but a plan are (incomes, wealth).

    Attributes
    ----------
    plan : what the chain takes for one; in continuous time the savings
    saving : mean drift of wealth, wealth per unit of time
    consumption : mean, per unit of time
    value : what the plan is worth from each state on, utility
    mass : share of households in each state, for ever the same
    improvements : of the plan by Howard's rule
    """

    prices: Prices
    plan: np.ndarray
    saving: np.ndarray
    consumption: np.ndarray
    value: np.ndarray
    mass: np.ndarray
    improvements: int

    def wealth(self, households: Households) -> float:
        """Mean wealth."""
        return float(self.mass.sum(axis=0) @ households.wealth.points)


class Chain(Protocol):
    """Households of one kind of time as a Markov decision problem."""

    households: Households

    def best(self, prices: Prices, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, int]:
        """The best plan at these prices, its value, and how often it was improved; ``start`` is a value near to it."""

    def respond(self, prices: Prices, start: np.ndarray | None = None) -> Response:
        """The best plan and its law.

        Raises
        ------
        InputError
            for prices at which households have no stationary law
        """

    def law(self, plan: np.ndarray) -> np.ndarray:
        """Law that a plan leaves as it is."""

    def law_error(self, plan: np.ndarray, mass: np.ndarray) -> float:
        """How far a law is from being one, and from being left as it is."""

    def consumption(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """What a plan consumes in each state at these prices, positive."""

    def valued(self, plan: np.ndarray, prices: Prices) -> np.ndarray:
        """What a plan is worth at these prices."""

    def spent(self, response: Response, period: float) -> np.ndarray:
        """What is consumed within a period, expected from each state."""
