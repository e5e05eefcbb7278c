"""Auction mechanisms of a society: which bid the winner pays, and which one the owner before it gets.

A primitive owns the state that it has made until the next auction.  With b1 the winning bid, b2 the highest bid of
another bidder, r the reward and g the discount, the winner's utility is

    bucket-brigade      r + g b1(next) - b1    what is paid is got: credit is conserved; to bid below the worth pays
    vickrey             r + g b1(next) - b2    to bid the worth is a dominant strategy; b1 - b2 comes from nowhere
    credit-conserving   r + g b2(next) - b2    both; where b2 is another's bid states are sold below their worth, so
                                               that every primitive needs a clone, whose bid is b2

Sources: Holland, Properties of the bucket brigade, ICGA 1985; Vickrey, Counterspeculation, auctions, and competitive
sealed tenders, J. Finance 16, 1961, doi:10.1111/j.1540-6261.1961.tb02789.x; Baum, Toward a model of mind as a
laissez-faire economy of idiots, ICML 1996; Chang et al., arXiv:2007.02382.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, numbers, unknown

__all__ = ["MECHANISMS", "Auction", "Mechanism", "hold_auction", "mechanism_of"]


@dataclass(frozen=True)
class Mechanism:
    """``pays`` and ``gets``: 1 for the winning bid, 2 for the highest bid of another bidder."""

    name: str
    pays: int
    gets: int

    @property
    def conserves(self) -> bool:
        """Whether what the winner pays is what the owner before it gets."""
        return self.pays == self.gets

    @property
    def is_truthful(self) -> bool:
        """Whether no bid earns more than that of one's worth, whatever others bid."""
        return self.pays == 2


MECHANISMS = {
    each.name: each
    for each in (Mechanism("bucket-brigade", 1, 1), Mechanism("vickrey", 2, 1), Mechanism("credit-conserving", 2, 2))
}


@dataclass(frozen=True)
class Auction:
    """What came of one auction: number of the winner, what it pays, what the owner before it gets."""

    winner: int
    price: float
    receipt: float

    def utility(self, bidder: int, worth: float) -> float:
        """What a bidder earns to whom winning is worth so much (r + g receipt at the next auction)."""
        return worth - self.price if bidder == self.winner else 0.0


def mechanism_of(name: str) -> Mechanism:
    """The mechanism of that name, or an error with the nearest spelling."""
    if name not in MECHANISMS:
        raise InputError(unknown("mechanism", name, MECHANISMS))
    return MECHANISMS[name]


def hold_auction(bids: Any, mechanism: str | Mechanism = "credit-conserving") -> Auction:
    """One auction among all bidders, clones included.  Of equal bids the first wins.

    A bidder without a rival pays nothing under second prices, and the owner before it gets nothing.

    Parameters
    ----------
    bids : one for each bidder, from 0 to 1
    mechanism : "bucket-brigade", "vickrey" or "credit-conserving"

    Raises
    ------
    InputError

    Examples
    --------
    >>> from mfgsolve.learners.society import hold_auction
    >>> hold_auction([0.2, 0.8, 0.5], "vickrey")
    Auction(winner=1, price=0.5, receipt=0.8)
    """
    rule = mechanism if isinstance(mechanism, Mechanism) else mechanism_of(mechanism)
    offers = numbers(bids, "bids")
    if offers.ndim != 1 or offers.size == 0:
        raise InputError(f"bids have shape {offers.shape}; one for each of at least one bidder is needed")
    outside = ~((offers >= 0) & (offers <= 1))
    if outside.any():
        k = int(np.argmax(outside))
        raise InputError(f"bidder {k} bids {offers[k]:g}; bids lie from 0 to 1")
    winner = int(offers.argmax())
    others = np.delete(offers, winner)
    ordered = float(offers[winner]), float(others.max()) if others.size else 0.0
    return Auction(winner, ordered[rule.pays - 1], ordered[rule.gets - 1])
