"""Which Markov decision problem households are, by the time they live in."""

from __future__ import annotations

from mfgsolve.errors import InputError
from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.households import Households
from mfgsolve.markets.response import Chain

__all__ = ["chain_of"]


def chain_of(households: Households) -> Chain:
    """The Markov decision problem of these households.

    Raises
    ------
    InputError
        for discrete time, of which there is none yet
    """
    if households.time == "continuous":
        return ContinuousChain(households)
    raise InputError("households in discrete time cannot be solved yet; state rates of income and a discount_rate")
