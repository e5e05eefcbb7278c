"""Markets: households that save against bad income, and the price at which what they hold is what there is.

    mfg.solve(mfg.Economy(households, mfg.Market(price="r", clears="wealth", supply=0)))

- statements: `Wealth`, `Income`, `CRRA`, `Households`; `Market`, `Firm`, `CobbDouglas`, `Economy`
- what households do at given prices: `response`, by `continuous`
- the price: `clearing`; how good it is: `certificate`, and how far from the continuum: `refinement`; all of it:
  `stationary`, arrays in and out
- the answer: `Equilibrium`, with the `measures` of a distribution of wealth
- of two incomes, without any grid: `continuum`
- after a `Shock`: a `Transition` is what households do along `paths` of prices, which `adjustment` finds with the
  `jacobian` of the steady state
"""

from mfgsolve.inputs.attributes import missing
from mfgsolve.markets.certificate import MarketCertificate, certify
from mfgsolve.markets.collocation import Continuum, continuum
from mfgsolve.markets.economy import Market
from mfgsolve.markets.equilibrium import Economy, Equilibrium
from mfgsolve.markets.firm import CobbDouglas, Firm, Prices
from mfgsolve.markets.households import Households
from mfgsolve.markets.income import Income
from mfgsolve.markets.shock import Shock
from mfgsolve.markets.stationary import stationary
from mfgsolve.markets.transition import Transition, TransitionPath
from mfgsolve.markets.utility import CRRA
from mfgsolve.markets.wealth import Wealth

__all__ = [
    "CRRA",
    "CobbDouglas",
    "Continuum",
    "Economy",
    "Equilibrium",
    "Firm",
    "Households",
    "Income",
    "Market",
    "MarketCertificate",
    "Prices",
    "Shock",
    "Transition",
    "TransitionPath",
    "Wealth",
    "certify",
    "continuum",
    "stationary",
]


def __getattr__(name: str) -> object:
    raise missing("module 'mfgsolve.markets'", name, __all__)
