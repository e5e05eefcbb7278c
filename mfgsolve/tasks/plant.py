"""Plants that several agents push at once: x' = f(x, u_1 + ... + u_N), on a grid, with an exact optimum.

The state has two coordinates.  It always is a node of the grid: where f leads between nodes, one of the four nodes
around is drawn with the weights of bilinear interpolation, so that the mean of the next state is f (walls excepted).
That makes the plant a finite decision process: learners with tables lose nothing, and the best that a centre could do
is known without error.  Agent i earns in every step

    r_i(x', u) = -c_i(x') - sum_j effort[i, j] u_j^2,

and what agents are judged by is the mean of their discounted sums of rewards, from a start drawn evenly from the grid.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from mfgsolve.errors import InputError, whole
from mfgsolve.tasks.task import Task

__all__ = ["Axis", "Plant", "Tables", "optimum", "policy_value", "tabulate"]

MOST_STATES = 100_000
MOST_JOINT = 1_000_000  # joint controls, of which the cheapest of each sum is looked for


@dataclass(frozen=True)
class Axis:
    """A coordinate of the state: ``size`` equally spaced nodes from ``low`` to ``high``.

    On a circle ``high`` is ``low`` again, and no node of its own.  On a line the ends are walls.
    """

    name: str
    units: str
    low: float
    high: float
    size: int
    circle: bool = False

    @property
    def spacing(self) -> float:
        return (self.high - self.low) / (self.size - (not self.circle))

    @property
    def nodes(self) -> np.ndarray:
        return self.low + self.spacing * np.arange(self.size)

    def between(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nodes below and above, and the weight of the one above."""
        place = (values - self.low) / self.spacing
        place = np.mod(place, self.size) if self.circle else np.clip(place, 0.0, self.size - 1.0)
        place = np.where(np.abs(place - np.round(place)) < 1e-9, np.round(place), place)  # on a node, but for round-off
        below = np.floor(place).astype(np.int64)
        above = (below + 1) % self.size if self.circle else np.minimum(below + 1, self.size - 1)
        return below % self.size, above, place - np.floor(place)


class Plant(Task):
    """Base of plants.  A subclass is a frozen dataclass with the fields ``agents`` and ``discount``.

    Attributes
    ----------
    agents : how many push
    discount : of a reward one step later
    steps : of an episode
    """

    learner = "cooperative"
    agents: int
    discount: float
    steps: int

    @property
    @abstractmethod
    def axes(self) -> tuple[Axis, Axis]:
        """Coordinates of the state."""

    @property
    @abstractmethod
    def controls(self) -> np.ndarray:
        """What an agent can do, (controls,), whole numbers; the first is 0, to be idle."""

    @abstractmethod
    def move(self, first: np.ndarray, second: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f: the coordinates one step later, where the controls sum to ``total``."""

    @abstractmethod
    def costs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """c_i of every agent, (agents, ...), of arriving at these coordinates."""

    @property
    @abstractmethod
    def efforts(self) -> np.ndarray:
        """(agents, agents): what agent i pays for the square of the control of agent j."""

    def check(self, least: int = 2) -> None:
        """Refuse parameters that make no plant."""
        for name, value in self.parameters.items():
            if not np.isfinite(value):
                raise InputError(f"{name} of {self.name} is {value}; a finite number is needed")
        if whole(self.agents, f"agents of {self.name}") < least:
            raise InputError(
                f"agents of {self.name} is {self.agents}; at least {least} are needed: one alone has nobody to "
                "cooperate with"
            )
        if not 0 < self.discount < 1:
            raise InputError(f"discount of {self.name} is {self.discount:g}; more than 0 and less than 1 is needed")
        if self.steps < 1:
            raise InputError(f"steps of {self.name} is {self.steps}; an episode has at least 1")
        for axis in self.axes:
            if axis.size < 3:
                raise InputError(f"{self.name} has {axis.size} nodes of {axis.name}; at least 3 are needed")
        states = self.axes[0].size * self.axes[1].size
        if states > MOST_STATES:
            raise InputError(f"{self.name} has {states} states; up to {MOST_STATES} have a table: take fewer nodes")
        joint = len(self.controls) ** self.agents
        if joint > MOST_JOINT:
            raise InputError(
                f"{self.agents} agents have {joint:.3g} joint controls; up to {MOST_JOINT} are possible: take fewer"
            )


@dataclass(frozen=True, eq=False)
class Tables:
    """A plant on its grid.  States are numbered with the second coordinate running fastest.

    Attributes
    ----------
    controls : (controls,), the first is 0
    totals : (sums,), all sums of controls from the least to the largest, one apart
    successor : (states, sums, 4), the nodes around f
    chance : (states, sums, 4), their probabilities
    reward : (agents, states), -c_i of arriving
    effort : (agents, agents)
    discount : one number
    """

    controls: np.ndarray
    totals: np.ndarray
    successor: np.ndarray
    chance: np.ndarray
    reward: np.ndarray
    effort: np.ndarray
    discount: float

    @property
    def states(self) -> int:
        return int(self.successor.shape[0])

    @property
    def agents(self) -> int:
        return int(self.reward.shape[0])

    def sums(self, choices: np.ndarray) -> np.ndarray:
        """Place in ``totals`` of the sum of controls, from choices (..., agents) by their numbers."""
        return np.asarray(self.controls[choices].sum(axis=-1) - self.totals[0])


def tabulate(plant: Plant) -> Tables:
    """The plant on its grid."""
    one, two = plant.axes
    controls = np.asarray(plant.controls, dtype=np.int64)
    totals = np.arange(plant.agents * controls.min(), plant.agents * controls.max() + 1)
    first, second, total = np.meshgrid(one.nodes, two.nodes, totals, indexing="ij")
    low, high, share = one.between((moved := plant.move(first, second, total))[0])
    down, up, part = two.between(moved[1])
    corners = [(low, down), (low, up), (high, down), (high, up)]
    weights = [(1 - share) * (1 - part), (1 - share) * part, share * (1 - part), share * part]
    successor = np.stack([p * two.size + q for p, q in corners], axis=-1).reshape(-1, len(totals), 4)
    chance = np.stack(weights, axis=-1).reshape(successor.shape)
    cost = plant.costs(*np.meshgrid(one.nodes, two.nodes, indexing="ij")).reshape(plant.agents, -1)
    return Tables(controls, totals, successor, chance, -cost, np.asarray(plant.efforts, dtype=float), plant.discount)


def policy_value(tables: Tables, choices: np.ndarray) -> np.ndarray:
    """Discounted rewards, mean over agents, of a joint policy: exact, by linear algebra.

    Parameters
    ----------
    tables : the plant
    choices : (states, agents), the number of the control that each agent takes

    Returns
    -------
    (states,), from each start
    """
    states = np.arange(tables.states)
    at = (states, tables.sums(choices))
    paid = (tables.controls[choices] ** 2 @ tables.effort.T).mean(axis=-1)
    return _solved(tables, at, paid)


def _solved(tables: Tables, at: tuple[np.ndarray, np.ndarray], paid: np.ndarray) -> np.ndarray:
    """(1 - g P) v = P r - paid, where each state has one sum of controls."""
    successor, chance = tables.successor[at], tables.chance[at]
    rows = np.repeat(np.arange(tables.states), 4)
    matrix = sp.csr_array((chance.reshape(-1), (rows, successor.reshape(-1))), shape=(tables.states,) * 2)
    system = sp.eye_array(tables.states, format="csc") - tables.discount * matrix.tocsc()
    return np.asarray(spsolve(sp.csc_array(system), matrix @ tables.reward.mean(axis=0) - paid))


def cheapest(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The least effort, mean over agents, of every sum of controls (sums,), and whose choices these are."""
    price = tables.effort.mean(axis=0)
    best = np.full(len(tables.totals), np.inf)
    who = np.zeros((len(tables.totals), tables.agents), dtype=np.int64)
    for joint in product(range(len(tables.controls)), repeat=tables.agents):
        u = tables.controls[list(joint)]
        k, paid = u.sum() - tables.totals[0], float(price @ u**2)
        if paid < best[k] - 1e-15:
            best[k], who[k] = paid, joint
    return best, who


def optimum(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The best that a centre could do, that saw the state and moved all agents: policy iteration, exact.

    Returns
    -------
    value : (states,), discounted rewards, mean over agents
    choices : (states, agents), controls of a best joint policy
    """
    paid, who = cheapest(tables)
    states, gain = np.arange(tables.states), tables.reward.mean(axis=0)
    best = np.full(tables.states, -tables.totals[0])
    while True:
        value = _solved(tables, (states, best), paid[best])
        worth = (tables.chance * (gain + tables.discount * value)[tables.successor]).sum(axis=-1) - paid
        better = worth.argmax(axis=1)
        keeps = worth[states, better] <= worth[states, best] + 1e-10 * np.maximum(1.0, np.abs(value))
        if keeps.all():
            return value, who[best]
        best = np.where(keeps, best, better)
