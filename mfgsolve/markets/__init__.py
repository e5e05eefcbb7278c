"""Markets: households that save against bad income, and the price at which what they hold is what there is.

    mfg.solve(mfg.Economy(households, mfg.Market(price="r", clears="wealth", supply=0)))

- statements: `Wealth`, `Income`, `CRRA`, `Households`; `Market`, `Firm`, `CobbDouglas`, `Economy`
- what households do at given prices: `response`, by `continuous`
- the price: `clearing`; how good it is: `certificate`, and how far from the continuum: `refinement`
- the answer: `Equilibrium`, with the `measures` of a distribution of wealth
"""

from mfgsolve.inputs.attributes import missing
from mfgsolve.markets.economy import Economy, Market
from mfgsolve.markets.equilibrium import Equilibrium, solve_economy
from mfgsolve.markets.firm import CobbDouglas, Firm, Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.income import Income
from mfgsolve.markets.utility import CRRA
from mfgsolve.markets.wealth import Wealth

__all__ = [
    "CRRA",
    "CobbDouglas",
    "Economy",
    "Equilibrium",
    "Firm",
    "Households",
    "Income",
    "Market",
    "Prices",
    "Wealth",
    "solve_economy",
]


def __getattr__(name: str) -> object:
    raise missing("module 'mfgsolve.markets'", name, __all__)
