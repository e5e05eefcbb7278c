"""Which chain households are."""

from __future__ import annotations

from mfgsolve.markets.chains import chain_of
from mfgsolve.markets.continuous import ContinuousChain
from tests.economies import huggett


def test_continuous_time_has_the_upwind_chain():
    assert isinstance(chain_of(huggett(20).households), ContinuousChain)
