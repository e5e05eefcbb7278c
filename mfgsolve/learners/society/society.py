"""A society learns a decision process: at every state primitives bid, the winner acts, and learns what that was worth.

Bids are learned in one of three ways:

    truthful                 b(a, s) moves toward what winning was worth, r + g price(next): a temporal difference.
                             What to bid is not asked: under second prices nothing is better than the worth
    multiplicative-weights   chances of discretised bids x, times exp(rate u(x)), u(x) what x would have earned against
                             the others' bids; every primitive sees where it would have led (full information).  Freund
                             and Schapire, Games Econ. Behav. 29, 1999, doi:10.1006/game.1999.0738
    exp3                     the same from what a primitive has earned by the bid that it has made alone.  Auer,
                             Cesa-Bianchi, Freund and Schapire, SIAM J. Comput. 32, 2002, doi:10.1137/S0097539701398375

The two no-regret learners take steps rate / sqrt(auctions of the state).  The bids of losers matter to nobody, so that
they need not learn them; ``reserve`` is the chance that an auction admits one bidder alone, drawn by lot, at a random
reserve price (Becker, DeGroot and Marschak, Behavioral Science 9, 1964, doi:10.1002/bs.3830090304), which makes each
bid matter.  A clone shares the learner of its twin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import numpy as np
import xarray as xr

from mfgsolve.errors import InputError, unknown
from mfgsolve.inputs.options import typed_options
from mfgsolve.kernels import auctions as kernel
from mfgsolve.learners.society.bidding import mean_bids, spread_bids, winners
from mfgsolve.learners.society.mechanisms import Mechanism, mechanism_of
from mfgsolve.solvers.stored import Stored
from mfgsolve.tasks.auctions import SOURCE, AuctionTask, process_of
from mfgsolve.tasks.decisions import DecisionProcess
from mfgsolve.tasks.learner import STORED, TaskLearner, TrainingState, number, series
from mfgsolve.tasks.task import Task

__all__ = ["Society", "SocietyState"]

BIDS = ("truthful", "multiplicative-weights", "exp3")
RATES = {"multiplicative-weights": 30.0, "exp3": 1.0}  # the first n^-1/2 rate of these learners
EXPLORES = 0.05  # chance of any bid, of EXP3
BLOCKS = 50  # entries in the history
ROUND = 1e-9  # values that are that close are alike


@dataclass
class SocietyState(TrainingState):
    """Bids, or chances of each level of them; how often each primitive has won, and each state was auctioned."""

    process: DecisionProcess
    bids: np.ndarray = field(metadata=STORED)  # (primitives, states) or (primitives, states, levels)
    wins: np.ndarray = field(metadata=STORED)
    auctions: np.ndarray = field(metadata=STORED)
    wealth: np.ndarray = field(metadata=STORED)  # (primitives + 1,), the house last
    tally: np.ndarray = field(metadata=STORED)  # auctions, rewards, episodes, their returns


@dataclass(frozen=True)
class Society(TaskLearner[SocietyState]):
    """A society of primitives, see the module.

    Parameters
    ----------
    mechanism : "bucket-brigade", "vickrey" or "credit-conserving", see `mfgsolve.learners.society.mechanisms`
    solitary : primitives without a clone
    bids : "truthful", "multiplicative-weights" or "exp3"
    episodes : walks through the process
    seed : of all random numbers
    levels : how many bids there are from 0 to 1, where they are discretised
    reserve : chance of an auction with one bidder and a random reserve price, of discretised bids
    lots : chance that the winner is drawn by lot and pays the price all the same, of truthful bids: losers learn, too
    anywhere : chance that a walk begins in any state that can be reached
    initial : first bid of truthful primitives, from 0 to 1; high ones are tried out
    rate : of the no-regret learners; 0 takes 30 for multiplicative weights and 1 for EXP3
    slowest, power : truthful bids move by n^-power, n the wins of the primitive at the state, and never by less than
        ``slowest``
    """

    mechanism: str = "credit-conserving"
    solitary: bool = False
    bids: str = "truthful"
    episodes: int = 20000
    seed: int = 0
    levels: int = 51
    reserve: float = 0.0
    lots: float = 0.05
    anywhere: float = 0.1
    initial: float = 1.0
    rate: float = 0.0
    slowest: float = 0.1
    power: float = 0.6
    name = "society"
    source = SOURCE
    picture = "society"

    def __post_init__(self) -> None:
        given = typed_options(type(self), {part.name: getattr(self, part.name) for part in fields(self)}, self.name)
        for name, value in given.items():
            object.__setattr__(self, name, value)
        mechanism_of(self.mechanism)
        if self.bids not in BIDS:
            raise InputError(unknown("learner of bids", self.bids, BIDS))
        for name, least in (("episodes", 1), ("seed", 0), ("levels", 2)):
            if getattr(self, name) < least:
                raise InputError(f"{name} of a society is {getattr(self, name)}; at least {least} is needed")
        if not 0 <= self.initial <= 1:
            raise InputError(f"initial of a society is {self.initial:g}; bids lie from 0 to 1")
        for name in ("reserve", "lots", "anywhere", "slowest", "power"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} of a society is {getattr(self, name):g}; from 0 to 1 is needed")
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise InputError(f"rate of a society is {self.rate:g}; a positive number is needed, or 0 for the usual one")
        if self.reserve and not self.is_discretised:
            raise InputError("truthful bids need no reserve price, which makes losers learn; take lots, or other bids")
        if self.reserve == 1:
            raise InputError("reserve of a society is 1; below 1 is needed, as bidders must meet each other, too")

    # -- what it is made of ------------------------------------------------------------------------------------

    @property
    def is_discretised(self) -> bool:
        """Whether bids are levels, with chances."""
        return self.bids != "truthful"

    @property
    def rule(self) -> Mechanism:
        """The mechanism."""
        return mechanism_of(self.mechanism)

    @property
    def grid(self) -> np.ndarray:
        """Levels of bids, (levels,)."""
        return np.linspace(0.0, 1.0, self.levels)

    @property
    def episodes_of_block(self) -> int:
        return max(1, self.episodes // BLOCKS)

    @property
    def blocks(self) -> int:
        return -(-self.episodes // self.episodes_of_block)

    def refuses(self, task: Task) -> str | None:
        if not isinstance(task, AuctionTask):
            return "it is no decision process for primitives to bid in, such as auction-chain"
        if not self.is_discretised:
            return None
        process = process_of(task)
        values = [process.reward[process.allowed], process.optimal[process.allowed]]
        low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
        if low < -ROUND or high > 1 + ROUND:
            return (
                f"it has rewards or values from {low:.4g} to {high:.4g}, and discretised bids lie from 0 to 1; scale "
                "its rewards, or take bids='truthful'"
            )
        return None

    def warnings(self, task: Task) -> tuple[tuple[str, str], ...]:
        """What is known of a mechanism on a process before anything is learned."""
        assert isinstance(task, AuctionTask)
        process, said = process_of(task), []
        alone = process.reached & (process.allowed.sum(axis=0) == 1)
        if self.solitary and self.rule.pays == 2 and alone.any():
            said.append(
                (
                    "no-rival",
                    f"in {int(alone.sum())} of {int(process.reached.sum())} states one primitive bids without a rival: "
                    "the price is 0 there; leave solitary out, and its clone is the rival",
                )
            )
        if process.longest > 1 and not self.rule.conserves:
            said.append(
                (
                    "credit-is-made",
                    "vickrey makes credit: the owner before gets the highest bid, the winner pays the second one, so "
                    "that bids which are further apart than the discount takes away can rise above what states are "
                    "worth, a bubble; credit-conserving does not",
                )
            )
        if process.longest > 1 and self.solitary and self.rule.gets == 2:
            said.append(
                (
                    "sold-below-worth",
                    "without clones the second bid is that of a primitive which acts otherwise: states are sold below "
                    "their worth, and bids fall short; leave solitary out",
                )
            )
        return tuple(said)

    # -- training ----------------------------------------------------------------------------------------------

    def init(self, task: Task) -> SocietyState:
        assert isinstance(task, AuctionTask)
        process = process_of(task)
        shape = process.reward.shape
        if self.is_discretised:
            bids = np.full((*shape, self.levels), 1.0 / self.levels)
        else:
            bids = np.full(shape, self.initial)
        wins, auctions = np.zeros(shape, dtype=np.int64), np.zeros(shape[1], dtype=np.int64)
        return SocietyState(process, bids, wins, auctions, np.zeros(shape[0] + 1), np.zeros(4))

    def advance(self, task: Task, state: SocietyState) -> xr.Dataset:
        episodes = min(self.episodes_of_block, self.episodes - state.block * self.episodes_of_block)
        before = state.tally.copy(), state.wealth.sum()
        hold_auctions(self, state, episodes, self.stream(state.block).integers(1, 2**63, 4).astype(np.uint64))
        held, earned, walks, gained = state.tally - before[0]
        state.agent_steps = int(state.tally[0])
        bids = mean_bids(state.bids, self.grid)
        winning = np.where(state.process.allowed, bids, -np.inf).max(axis=0)
        made = (state.wealth.sum() - before[1] - earned) / held
        return xr.Dataset(
            {
                "winning_bid_then": series("winning bid", "1", winning, ("state",)),
                "credit_made": series("credit made out of nothing, per auction", "1", made),
                "walked_return": series("mean discounted return of a walk", "1", gained / walks),
            }
        )

    def revive(self, task: Task, stored: Stored) -> SocietyState:
        state = super().revive(task, stored)
        sound = all(np.isfinite(each).all() for each in (state.bids, state.wealth, state.tally))
        if (
            not sound
            or state.wins.min() < 0
            or state.auctions.min() < 0
            or (self.is_discretised and state.bids.min() < 0)
        ):
            raise ValueError("bids, wins or wealth that no society wrote")
        return state

    # -- results -----------------------------------------------------------------------------------------------

    def finish(self, task: Task, state: SocietyState, history: xr.Dataset) -> xr.Dataset:
        process, trained = state.process, state.block > 0
        bids, here = mean_bids(state.bids, self.grid), process.reached
        choice = winners(bids, process.allowed)
        places = np.arange(choice.size)
        off = np.abs(bids[choice, places] - process.best)[here]
        worst = process.best - process.optimal[choice, places]
        right = (worst <= ROUND * max(1.0, float(np.abs(process.best).max())))[here]
        credit = abs(state.wealth.sum() - state.tally[1]) / state.tally[0] if trained else math.nan
        earned = float(process.start @ process.values_of(choice))
        told = {
            "bid_error": number("largest error of a winning bid", "1", off.max() if trained else math.nan),
            "optimal_states": number("share of states that the right primitive wins", "1",
                                     right.mean() if trained else math.nan),
            "credit_error": number("credit made or lost, per auction", "1", credit),
            "return": number("expected discounted return", "1", earned if trained else math.nan),
            "optimal_return": number("return of the best policy", "1", float(process.start @ process.best)),
            "mean_bid_error": number("mean error of a winning bid", "1", off.mean() if trained else math.nan),
        }  # fmt: skip
        return xr.Dataset(told | self._tables(state, bids), {"primitive": list(process.actions),
                          "state": list(process.states), "bid": self.grid})  # fmt: skip

    def _tables(self, state: SocietyState, bids: np.ndarray) -> dict[str, xr.DataArray]:
        process = state.process
        each, table = ("state",), ("primitive", "state")
        strategy = state.bids if self.is_discretised else spread_bids(bids, self.grid)
        shown = np.where(process.allowed, bids, np.nan)
        return {
            "bids": series("bid of each primitive", "1", shown, table),
            "worth": series("what acting is worth, Q*", "1", process.optimal, table),
            "reached": series("whether the start leads to the state", "1", process.reached.astype(np.int8), each),
            "auctions": series("auctions held", "1", state.auctions, each),
            "wealth": series("what each has earned", "1", state.wealth[:-1], ("primitive",)),
            "strategy": series("chance of a bid", "1", strategy, ("primitive", "state", "bid")),
        }


def hold_auctions(society: Society, state: SocietyState, episodes: int, stream: np.ndarray) -> None:
    """Walk, bid and learn, in place."""
    process, rule = state.process, society.rule
    rows = process.first, process.successor, process.chance, process.reward, process.allowed
    ladders = np.cumsum(process.start), np.cumsum(process.reached.astype(float))
    walk = process.discount, process.longest, 1 if society.solitary else 2, rule.pays, rule.gets, episodes
    if not society.is_discretised:
        kernel.truthful(
            state.bids, state.wins, state.auctions, state.wealth, state.tally, *rows, *ladders, *walk, society.anywhere,
            society.lots, society.slowest, society.power, stream,
        )  # fmt: skip
        return
    informed = society.bids == "multiplicative-weights"
    kernel.discretised(
        state.bids, state.wins, state.auctions, state.wealth, state.tally, society.grid, *rows, *ladders, *walk,
        society.anywhere, society.reserve, informed, society.rate or RATES[society.bids], 0.0 if informed else EXPLORES,
        stream,
    )  # fmt: skip
