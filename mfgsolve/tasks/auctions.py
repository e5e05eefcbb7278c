"""Decision processes that a society of auctions can learn: one primitive for every action bids for each state.

Source: Chang, Kaushik, Weinberg, Griffiths and Levine, Decentralized reinforcement learning: global decision-making via
local economic transactions, ICML 2020, arXiv:2007.02382.  Bandit and chain follow the paper's description; of the
duality the paper's numbers are not public: ours are chosen such that neither primitive gets anywhere alone.

A process of one's own is a frozen dataclass derived from `AuctionTask` whose method ``process`` makes it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfgsolve.errors import InputError, real, unknown, whole
from mfgsolve.tasks.decisions import DecisionProcess
from mfgsolve.tasks.task import Task

__all__ = ["AuctionBandit", "AuctionChain", "AuctionCrowd", "AuctionDuality", "AuctionTask"]

SOURCE = (
    "Chang, Kaushik, Weinberg, Griffiths and Levine, Decentralized reinforcement learning: global decision-making via "
    "local economic transactions, arXiv:2007.02382"
)
CROWDS = ("even", "equilibrium")


class AuctionTask(Task):
    """Base of tasks of a society: a finite decision process, whose action values should lie in [0, 1]."""

    source = SOURCE
    learner = "society"

    @abstractmethod
    def process(self) -> DecisionProcess:
        """Transitions, rewards and discount."""


@dataclass(frozen=True)
class AuctionBandit(AuctionTask):
    """One state, arms that pay 1 / (arms + 1), 2 / (arms + 1), ..., and the end.

    Parameters
    ----------
    arms : how many; 4 pay 0.2, 0.4, 0.6 and 0.8
    """

    arms: int = 4
    name = "auction-bandit"
    summary = "Primitives bid for a single state, in which each earns another reward."

    def __post_init__(self) -> None:
        _at_least(self, "arms", 1)

    def process(self) -> DecisionProcess:
        pays = np.arange(1, self.arms + 1)[:, None] / (self.arms + 1)
        names = [f"arm {k + 1}" for k in range(self.arms)]
        return DecisionProcess.of(
            [np.zeros((1, 1))] * self.arms, pays, discount=0.99, longest=1, actions=names, states=["only"]
        )


@dataclass(frozen=True)
class AuctionChain(AuctionTask):
    """Cells in a row; a step to the right into the last one earns the prize and ends the walk.

    Parameters
    ----------
    states : cells, the last one included, in which there is no auction
    prize : in [0, 1]
    discount : above 0 and below 1
    longest : steps after which a walk is broken off
    """

    states: int = 6
    prize: float = 0.8
    discount: float = 0.99
    longest: int = 50
    name = "auction-chain"
    summary = "Left and right bid for each cell of a chain, at whose end there is a prize."

    def __post_init__(self) -> None:
        _at_least(self, "states", 2)
        _at_least(self, "longest", 1)
        _from_0_to_1(self, "prize")
        _discount(self)

    def process(self) -> DecisionProcess:
        cells = self.states - 1
        left, right = np.eye(cells, k=-1), np.eye(cells, k=1)
        left[0, 0] = 1.0
        reward = np.zeros((2, cells))
        reward[1, -1] = self.prize
        return DecisionProcess.of(
            [left, right], reward, discount=self.discount, longest=self.longest, actions=["left", "right"],
            states=[f"s{k}" for k in range(cells)],
        )  # fmt: skip


@dataclass(frozen=True)
class AuctionDuality(AuctionTask):
    """Two states that two primitives must take in turns: go out, come back with the gain, go out again.

    Out of turn each of them earns ``exit`` at once, and that is the end.  At the values by default the best cycle is
    worth 0.4 and 0.8, and turning back at the first state 0.1.

    Parameters
    ----------
    gain, exit : in [0, 1]
    discount : above 0 and below 1
    longest : steps after which a walk, which need never end, is broken off
    """

    gain: float = 0.6
    exit: float = 0.1
    discount: float = 0.5
    longest: int = 20
    name = "auction-duality"
    summary = "Two primitives earn most if they take turns for ever."

    def __post_init__(self) -> None:
        _at_least(self, "longest", 1)
        _from_0_to_1(self, "gain")
        _from_0_to_1(self, "exit")
        _discount(self)

    def process(self) -> DecisionProcess:
        out, back = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])
        reward = [[0.0, self.exit], [self.exit, self.gain]]
        return DecisionProcess.of(
            [out, back], reward, discount=self.discount, longest=self.longest, actions=["out", "back"],
            states=["home", "away"],
        )  # fmt: skip


@dataclass(frozen=True)
class AuctionCrowd(AuctionTask):
    """A mean-field game against a crowd that stays: the state is (step, cell), costs are scaled to returns in [0, 1].

    Parameters
    ----------
    problem : name of a sharp finite game of `mfgsolve.problems`
    shape : cells, such as "10" or "6x6"; empty for the game's own
    steps : time steps; 0 for the game's own
    crowd : "even", the flow of agents who take every action alike, or "equilibrium", which is solved for
    """

    problem: str = "beach-bar"
    shape: str = "10"
    steps: int = 10
    crowd: str = "even"
    name = "auction-crowd"
    summary = "A society plays a best response to the crowd of a mean-field game."

    def __post_init__(self) -> None:
        _at_least(self, "steps", 0)
        if self.crowd not in CROWDS:
            raise InputError(unknown(f"crowd of {self.name}", self.crowd, CROWDS))
        if self.shape and not all(part.isdigit() for part in self.shape.split("x")):
            raise InputError(f"shape of {self.name} is {self.shape!r}; whole numbers joined by x, such as '6x6'")

    def process(self) -> DecisionProcess:
        from mfgsolve.games import make_game
        from mfgsolve.problems import build
        from mfgsolve.tasks.frozen_crowd import FrozenCrowd

        shape = tuple(int(part) for part in self.shape.split("x")) if self.shape else None
        problem = build(self.problem, shape=shape, steps=self.steps or None)
        game = make_game(problem)
        frozen = FrozenCrowd(game)
        crowd = game.flow(game.step.uniform())
        if self.crowd == "equilibrium":
            from mfgsolve.solving import solve

            crowd = game.follow(game.step.policy_from(solve(problem).dataset))
        return frozen.process(crowd, unit=True)


@lru_cache(maxsize=8)
def process_of(task: AuctionTask) -> DecisionProcess:
    """The process of a task, made once."""
    return task.process()


def _at_least(task: AuctionTask, name: str, least: int) -> None:
    value = whole(getattr(task, name), f"{name} of {task.name}")
    if value < least:
        raise InputError(f"{name} of {task.name} is {value}; a whole number of at least {least} is needed")


def _from_0_to_1(task: AuctionTask, name: str) -> None:
    value = real(getattr(task, name), f"{name} of {task.name}")
    if not 0 <= value <= 1:
        raise InputError(f"{name} of {task.name} is {value:g}; from 0 to 1 is needed, as bids lie there")


def _discount(task: AuctionChain | AuctionDuality) -> None:
    if not 0 < real(task.discount, f"discount of {task.name}") < 1:
        raise InputError(f"discount of {task.name} is {task.discount:g}; above 0 and below 1 is needed")
