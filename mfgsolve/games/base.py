"""What all games have in common: the crowd, as couplings see it, and what it costs.

The *crowd* is an array of T+1 levels.  A level starts with the mass of every cell; where couplings act on choices it
goes on with the occupation (finite games), and then with one aggregate for each price.  A *price* is an array of the
same shape: the derivative of the crowd's potential, per unit time.  Everything here is linear algebra between the two,
whatever the dynamics; subclasses add ``respond``, ``flow``, ``curvature`` and the cost of their policies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mfgsolve.couplings import Price, by_target
from mfgsolve.games.constants import Constants, lowered
from mfgsolve.games.measures import Block, Measures, OwnCost, Totals
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.memory import affordable
from mfgsolve.kernels import vectors
from mfgsolve.problem import Problem
from mfgsolve.spaces import Choices, Space
from mfgsolve.watch import look

__all__ = ["Block", "Game", "OwnCost", "Average", "Policy", "Response", "Totals", "sampled"]

CHUNK = 16384  # cells of a slab that couplings work on, so that temporaries stay in cache


@dataclass(frozen=True)
class Response:
    """Best response to a price: the policy it is (an array of the game's own form), V at t = 0, its mean over m_0."""

    ahead: np.ndarray
    value: np.ndarray
    mean_value: float


class Policy(ABC):
    """What an agent does; together with the crowd it makes, it can be certified."""

    @abstractmethod
    def own_cost(self, game: Any, crowd: np.ndarray) -> OwnCost:
        """What the policy costs the agents themselves."""


class Average(Policy):
    """A mean of policies that keeps its own crowd: what fictitious play and Frank-Wolfe average."""

    crowd: np.ndarray

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that is averaged, by name."""

    @abstractmethod
    def mix(self, game: Any, ahead: np.ndarray, crowd: np.ndarray, length: float) -> None:
        """plan += length (policy - plan), for a policy and its crowd; length 1 replaces whatever was there."""

    def own_slope(self, game: Any, ahead: np.ndarray, crowd: np.ndarray, difference: float) -> Callable[[float], float]:
        """Derivative of the own cost at plan + length (policy - plan), or a bound from above.

        ``difference`` is the own cost of the policy minus that of the plan: convex as it is, the own cost lies below.
        """
        return lambda length: difference


class Game(Measures, ABC):
    """Arrays and verbs of a `Problem`; see the module."""

    problem: Problem
    wanted_threads: int | None
    grid: Space
    time: TimeGrid
    level_shape: tuple[int, ...]  # of the array that holds one level
    initial_mass: np.ndarray
    terminal_cost: np.ndarray
    blocks: list[Block]
    terminal_block: Block | None
    is_coupled = False  # whether the crowd changes the transitions themselves
    temperature = 0.0  # tau, cost per unit time; 0 where choices have no entropy

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickled game is its problem: it is made anew where it is unpickled, kernels, factors and all."""
        return type(self), (self.problem, self.wanted_threads)

    def _state(self, problem: Problem, threads: int | None) -> None:
        self.wanted_threads = threads
        self.problem, self.grid, self.time = problem, problem.grid, problem.time
        self.steps, self.dt = problem.time.steps, problem.time.dt
        affordable(
            (self.steps + 1) * problem.grid.size, 8, f"density in {problem.grid.size} cells at {self.steps + 1} times"
        )
        self.weights = np.full(self.steps + 1, self.dt)
        self.weights[-1] = 0.0 if problem.terminal_coupling is None else 1.0
        self.constants = Constants.none(self.weights, self.grid.populations)

    def _bind(self, actions: int = 0, names: Sequence[str] | None = None) -> None:
        """Lay the level out, and bind every coupling to its columns."""
        problem, grid, starts = self.problem, self.grid, self.time.nodes[:-1]
        groups = by_target(problem.couplings[0])
        size, self.blocks = grid.size, []
        for coupling in groups.get("state", []):
            bound = coupling.bind(grid, self.time.nodes)
            self.blocks.append(Block(bound, slice(0, size), grid.shape, grid.volumes, "state"))
        for coupling in groups.get("occupation", []):
            choices = Choices(actions, grid, names)
            columns = slice(size, size + choices.size)
            self.blocks.append(
                Block(coupling.bind(choices, starts), columns, choices.shape, grid.volumes, "occupation")
            )
            size += choices.size
        self.prices: list[Price] = groups.get("aggregate", [])  # type: ignore[assignment]
        for price in self.prices:
            self.blocks.append(Block(price.bind(grid, starts), slice(size, size + 1), (1,), 1.0, "aggregate"))
            size += 1
        self.width = size
        self.terminal_block = None
        if problem.terminal_coupling is not None:
            bound = problem.terminal_coupling.bind(grid, np.array([self.time.horizon]))
            self.terminal_block = Block(bound, slice(0, grid.size), grid.shape, grid.volumes, "state")
        if problem.is_levelled:
            self._level()

    def _level(self) -> None:
        """Take out of the costs what everybody pays; see `mfgsolve.games.constants`."""
        apart = self.constants
        self.blocks = [
            self._without(block, apart.state if block.on == "state" else apart.choice, slice(0, self.steps))
            for block in self.blocks
        ]
        if self.terminal_block is not None:
            self.terminal_block = self._without(self.terminal_block, apart.state, slice(self.steps, None))
        shape = self.terminal_cost.shape
        low, apart.terminal = lowered(self.terminal_cost.reshape(1, -1), self.open_cells)
        self.terminal_cost, apart.terminal = low.reshape(shape), apart.terminal[0]

    def _without(self, block: Block, apart: np.ndarray, levels: slice) -> Block:
        """The coupling without its constants, which are added to ``apart`` (T+1, populations) at those levels."""
        if block.on == "aggregate":
            return block
        allowed = self.open_cells if block.on == "state" else self.open_choices

        def lower(field: np.ndarray) -> np.ndarray:
            low, least = lowered(field, allowed)
            apart[levels] += least[: self.steps] if len(least) > 1 else least
            return low

        return replace(block, bound=block.bound.lowered(lower))

    # -- what solvers ask of it --------------------------------------------------------------------------------

    @property
    def is_potential(self) -> bool:
        """Whether the crowd's costs have a potential, and nothing else couples the agents."""
        return self.problem.is_potential

    @property
    def is_monotone(self) -> bool:
        """Whether crowding never pays (Lasry and Lions): the equilibrium is unique, the potential convex."""
        return self.problem.is_monotone

    @property
    def is_differentiable(self) -> bool:
        """Whether the crowd's costs have a derivative, and the crowd changes costs alone."""
        return self.problem.is_differentiable

    @property
    def is_local(self) -> bool:
        """Whether what a cell costs depends on the density of that cell alone."""
        return self.problem.is_local

    @property
    def is_hard(self) -> bool:
        """Whether densities, choices or prices have hard bounds."""
        return self.problem.is_hard

    @property
    def is_smooth(self) -> bool:
        """Whether best responses change smoothly with the price."""
        return True

    has_tables = False  # whether agents choose from a finite list of actions, with tables of transitions

    # -- arrays ------------------------------------------------------------------------------------------------

    @property
    def cell_steps(self) -> int:
        return self.cells * self.steps

    def empty_crowd(self) -> np.ndarray:
        """An uninitialised array of all T+1 levels."""
        return np.empty((self.steps + 1, *self.level_shape))

    def mass(self, crowd: np.ndarray) -> np.ndarray:
        """Mass (T+1, *shape) of a crowd."""
        return self.flat(crowd)[:, : self.cells].reshape(crowd.shape[0], *self.grid.shape)

    def resting_crowd(self, out: np.ndarray) -> np.ndarray:
        """The crowd that stays where it starts and chooses nothing: a first belief."""
        flat = self.flat(out)
        flat[:] = 0.0
        flat[:, : self.cells] = self.initial_mass.reshape(-1)
        return out

    def crowd_of(self, mass: np.ndarray) -> np.ndarray:
        """A crowd with that mass (T+1, *shape)."""
        crowd = self.resting_crowd(self.empty_crowd())
        self.flat(crowd)[:, : self.cells] = mass.reshape(mass.shape[0], -1)
        return crowd

    def clip(self, crowd: np.ndarray) -> np.ndarray:
        """Masses and occupations of a belief below zero become zero; aggregates may have either sign."""
        flat, last = self.flat(crowd), self.width - len(self.prices)
        np.maximum(flat[:, :last], 0.0, out=flat[:, :last])
        return crowd

    # -- dynamics ----------------------------------------------------------------------------------------------

    @abstractmethod
    def respond(self, price: np.ndarray, out: np.ndarray | None = None, crowd: np.ndarray | None = None) -> Response:
        """Backward: the best response to the price; ``out`` is a spare array for the policy where it fits.

        ``crowd`` decides the transitions where the dynamics are coupled to it.
        """

    @abstractmethod
    def policy_buffer(self, price: np.ndarray) -> np.ndarray:
        """An array to be passed as ``out`` of `respond`; it may be the price itself, which is then overwritten."""

    @abstractmethod
    def flow(self, ahead: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Forward: the crowd of agents that follow the policy."""

    @abstractmethod
    def policy_of(self, ahead: np.ndarray) -> Policy:
        """The policy that a best response is."""

    @abstractmethod
    def new_average(self, arrays: dict[str, np.ndarray] | None = None) -> Average:
        """An empty mean of policies, or one of stored arrays."""

    @abstractmethod
    def values(self, price: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """V (T+1, *shape) of the best response to the price; NaN in blocked cells."""

    @abstractmethod
    def curvature(
        self, ahead: np.ndarray, crowd: np.ndarray, direction: np.ndarray, scale: np.ndarray | None = None,
        out: np.ndarray | None = None, identity: float = 1.0,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), K = d crowd / d (weighted price) at the policy ``ahead``."""

    def conjugate_step(
        self, ahead: np.ndarray, crowd: np.ndarray, scale: np.ndarray, work: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients on I - K scale; ``work`` is solution, residual, direction, image.

        solution += length direction; direction = residual + share direction; image = (I - K scale) direction.  Returns
        <direction, image> in the inner product with ``scale``.
        """
        solution, residual, direction, image = work
        vectors.add(self.flat(solution), self.flat(direction), length)
        vectors.turn(self.flat(direction), self.flat(residual), share)
        self.curvature(ahead, crowd, direction, scale, image)
        return float(vectors.inner(self.flat(scale), self.flat(direction), self.flat(image)))

    def prolong(self, crowd: np.ndarray, finer: Any) -> np.ndarray:
        """The crowd as a guess for another game; here one with the same levels."""
        return crowd.copy()

    # -- crowd -------------------------------------------------------------------------------------------------

    def slabs(self) -> list[slice]:
        """Slices of time steps short enough for temporaries to stay in cache."""
        size = max(1, CHUNK // self.width)
        return [slice(k, min(k + size, self.steps)) for k in range(0, self.steps, size)]

    def price(self, crowd: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """f at every node, per unit time; zero at T unless there is a terminal coupling."""
        price = self.empty_crowd() if out is None else out
        self._crowd(crowd, price, False)
        return price

    def potential(self, crowd: np.ndarray) -> float:
        """sum_t weight_t F_t: the crowd's part of the potential; NaN where there is none."""
        return self._crowd(crowd, None, True)

    def price_and_potential(self, crowd: np.ndarray, out: np.ndarray) -> float:
        """Both in one pass: fills ``out`` with the price and returns the potential."""
        return self._crowd(crowd, out, True)

    def _crowd(self, crowd: np.ndarray, price: np.ndarray | None, potential: bool) -> float:
        flat, total = self.flat(crowd), 0.0
        view = None if price is None else self.flat(price)
        if view is not None and self.width != self.cells:
            view[:] = 0.0  # columns on which no coupling acts
        for block in self.blocks:
            for nodes in self.slabs():
                look()
                rho = block.density(flat[nodes])
                if potential:
                    total += float(block.bound.potential(nodes, rho).sum()) * self.dt
                if view is not None:
                    view[nodes, block.columns] = block.bound.cost(nodes, rho).reshape(rho.shape[0], -1)
        if view is not None:
            view[-1] = 0.0
        if self.terminal_block is not None:
            rho, only = self.terminal_block.density(flat[-1:]), slice(0, 1)
            if potential:
                total += float(self.terminal_block.bound.potential(only, rho)[0])
            if view is not None:
                view[-1:, self.terminal_block.columns] = self.terminal_block.bound.cost(only, rho).reshape(1, -1)
        return total

    def slope(self, crowd: np.ndarray, out: np.ndarray | None = None) -> np.ndarray | None:
        """weight_t f' per unit of crowd, for local couplings; None otherwise."""
        if not self.problem.is_local:
            return None
        scale, flat = self.empty_crowd() if out is None else out, self.flat(crowd)
        view = self.flat(scale)
        if self.width != self.cells:
            view[:] = 0.0
        for block in self.blocks:
            for nodes in self.slabs():
                look()
                slope = block.bound.slope(nodes, block.density(flat[nodes]))
                assert slope is not None  # every coupling said that it is local
                view[nodes, block.columns] = (slope * (self.dt / block.volumes)).reshape(slope.shape[0], -1)
        view[-1] = 0.0
        if self.terminal_block is not None:
            slope = self.terminal_block.bound.slope(slice(0, 1), self.terminal_block.density(flat[-1:]))
            assert slope is not None
            view[-1:, self.terminal_block.columns] = (slope / self.grid.volumes).reshape(1, -1)
        return scale

    def price_change(self, crowd: np.ndarray, change: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """weight_t f' applied to a change of the crowd, for any differentiable coupling."""
        result, flat, moved = self.empty_crowd() if out is None else out, self.flat(crowd), self.flat(change)
        view = self.flat(result)
        if self.width != self.cells:
            view[:] = 0.0
        for block in self.blocks:
            for nodes in self.slabs():
                look()
                slope = block.bound.tangent(nodes, block.density(flat[nodes]), block.density(moved[nodes]))
                view[nodes, block.columns] = (slope * self.dt).reshape(slope.shape[0], -1)
        view[-1] = 0.0
        if self.terminal_block is not None:
            last = self.terminal_block
            slope = last.bound.tangent(slice(0, 1), last.density(flat[-1:]), last.density(moved[-1:]))
            view[-1:, last.columns] = slope.reshape(1, -1)
        return result

    def segment_slope(self, start: np.ndarray, end: np.ndarray, share: float) -> float:
        """sum_t weight_t <f_t, end - start> at the crowd start + share (end - start)."""
        total, here, there = 0.0, self.flat(start), self.flat(end)

        def part(block: Block, nodes: slice, levels: slice) -> float:
            look()
            gap = there[levels] - here[levels]
            cost = block.bound.cost(nodes, block.density(here[levels] + share * gap))
            return float((cost.reshape(gap.shape[0], -1) * gap[:, block.columns]).sum())

        for block in self.blocks:
            total += self.dt * sum(part(block, nodes, nodes) for nodes in self.slabs())
        if self.terminal_block is not None:
            total += part(self.terminal_block, slice(0, 1), slice(self.steps, self.steps + 1))
        return total

    def full_price(self, crowd: np.ndarray) -> np.ndarray:
        """f at every node with what everybody pays put back, per unit time."""
        price, apart = self.price(crowd), self.constants
        flat, populations = self.flat(price), self.grid.populations
        rows = flat[:, : self.cells].reshape(self.steps + 1, populations, -1)
        rows += apart.state[:, :, None]
        for block in self.blocks:
            if block.on == "occupation":
                choices = flat[:-1, block.columns].reshape(self.steps, -1, populations, self.cells // populations)
                choices += apart.choice[:-1, None, :, None]
        return price


def sampled(game: Game) -> list[np.ndarray]:
    """Walls, initial mass, terminal cost, and what the initial crowd costs: enough to tell games apart."""
    crowd = game.resting_crowd(game.empty_crowd())
    return [game.grid.mask, game.initial_mass, game.terminal_cost, game.price(crowd)[[0, game.steps // 3, -1]]]
