"""Societies of auctions: primitives that bid for the right to act, and learn what to bid from what they earn.

`hold_auction` is one auction, `Society` learns a decision process, `SocietyPlay` the equilibrium of a mean-field game.
"""

from mfgsolve.learners.society.bidding import bid_occupation
from mfgsolve.learners.society.mechanisms import MECHANISMS, Auction, Mechanism, hold_auction
from mfgsolve.learners.society.play import SocietyPlay
from mfgsolve.learners.society.society import Society

__all__ = ["MECHANISMS", "Auction", "Mechanism", "Society", "SocietyPlay", "bid_occupation", "hold_auction"]
