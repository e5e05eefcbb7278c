"""Which Markov decision problem households are, by the time they live in."""

from __future__ import annotations

from mfgsolve.markets.continuous import ContinuousChain
from mfgsolve.markets.discrete import DiscreteChain
from mfgsolve.markets.households import Households
from mfgsolve.markets.response import Chain

__all__ = ["chain_of"]


def chain_of(households: Households) -> Chain:
    """The Markov decision problem of these households."""
    return ContinuousChain(households) if households.time == "continuous" else DiscreteChain(households)
