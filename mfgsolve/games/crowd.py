"""The crowd: what couplings see of it, and what it costs; blind to the dynamics.

The *crowd* is an array of T+1 levels.  A level starts with the mass of every cell; where couplings act on choices it
goes on with the occupation, and then with one aggregate for each price.  A *price* is an array of the same shape: the
derivative of the crowd's potential, per unit weight.  Everything here is linear algebra between the two.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from mfgsolve.couplings import Price, by_target
from mfgsolve.couplings.inside import seen_inside
from mfgsolve.errors import InputError
from mfgsolve.games.constants import Constants
from mfgsolve.games.horizons import horizon_of
from mfgsolve.games.measures import Block, Measures
from mfgsolve.grids import TimeGrid
from mfgsolve.inputs.memory import affordable
from mfgsolve.problem import Problem
from mfgsolve.spaces import Choices, Space
from mfgsolve.steps import Costs, Step, Totals
from mfgsolve.steps.costs import least_allowed, lowered
from mfgsolve.steps.slabs import slabs
from mfgsolve.watch import look

__all__ = ["Crowd"]


class Crowd(Measures):
    """The crowd of a `Problem` whose agents take a `Step`; see the module.

    Attributes
    ----------
    weights : (T+1,) what a price counts at each node: dt before the end, 1 at the end where there is a terminal
        coupling; or those of the trapezoid rule (`Step.is_trapezoidal`); discounted
    shares : (T+1,) of dt that a cost per unit time counts at each node, where they differ from node to node; else None
    end : what a cost at the end counts: 1, discounted
    last_price : of a terminal coupling, per unit weight of the last node
    blocks, terminal_block : couplings, and the columns of a level that they act on
    amounts : of every price, what one choice adds to its aggregate, (1 or T, actions, states)
    sees_choices : whether a coupling looks at choices, so that a level holds more than masses
    """

    problem: Problem
    stated: Problem  # the same, but for a temperature
    grid: Space
    time: TimeGrid
    step: Step
    level_shape: tuple[int, ...]  # of the array that holds one level
    initial_mass: np.ndarray
    terminal_cost: np.ndarray
    blocks: list[Block]
    terminal_block: Block | None

    def _state(self, problem: Problem) -> None:
        self.problem = self.stated = problem
        self.grid, self.time = problem.grid, problem.time
        self.cells, self.steps, self.dt = problem.grid.size, problem.time.steps, problem.time.dt
        self.cell_steps = self.cells * self.steps
        affordable(
            (self.steps + 1) * problem.grid.size, 8, f"density in {problem.grid.size} cells at {self.steps + 1} times"
        )
        self.horizon = horizon_of(problem.time)

    def _weigh(self) -> None:
        """What costs count at each node."""
        trapezoidal = self.step.is_trapezoidal
        self.weights = self.horizon.weights(len(self.problem.couplings) > 1, trapezoidal)
        self.shares = self.time.discounts if self.time.discount else None
        if trapezoidal:
            self.shares = self.weights / self.dt
        self.end = float(self.time.discounts[-1])
        self.last_price = self.end / self.weights[-1] if trapezoidal and self.weights[-1] else 1.0
        self.constants = Constants.none(self.weights, self.grid.masses)

    def _bind(self) -> None:
        """Lay the level out, and bind every coupling to its columns."""
        problem, grid, starts = self.problem, self.grid, self.time.nodes[:-1]
        groups = by_target(problem.couplings[0])
        choices = self._choices(set(groups) - {"state"})
        size, self.blocks = grid.size, []
        gone = None if grid.exits is None else grid.exits.cells
        for coupling in groups.get("state", []):
            bound = seen_inside(coupling.bind(grid, self.time.nodes), gone)
            self.blocks.append(Block(bound, slice(0, size), grid.shape, grid.volumes, "state"))
        for coupling in groups.get("occupation", []):
            columns = slice(size, size + choices.size)
            bound = seen_inside(coupling.bind(choices, starts), gone)
            self.blocks.append(Block(bound, columns, choices.shape, grid.volumes, "occupation"))
            size += choices.size
        self.prices: list[Price] = groups.get("aggregate", [])  # type: ignore[assignment]
        for price in self.prices:
            self.blocks.append(Block(price.bind(grid, starts), slice(size, size + 1), (1,), 1.0, "aggregate"))
            size += 1
        self.width = size
        self.sees_choices = size != self.cells
        self.terminal_block = None
        for coupling in problem.couplings[1:]:
            bound = seen_inside(coupling.bind(grid, np.array([self.time.horizon])), gone)
            self.terminal_block = Block(bound, slice(0, grid.size), grid.shape, grid.volumes, "state")
        if problem.is_levelled and gone is None:  # else what all pay who are inside is no constant: one can leave
            self._level()
        speeds = self.step.speeds() if self.prices else None
        self.amounts = [
            price.amounts_on(choices, starts, speeds).reshape(-1, self.step.actions, self.cells)
            for price in self.prices
        ]
        if gone is not None:
            self.amounts = [np.where(gone.reshape(-1), 0.0, amount) for amount in self.amounts]
        self.level_shape = (self.width,) if self.sees_choices else self.step.shape

    def _choices(self, targets: set[str]) -> Choices:
        """Where choices live; refused where couplings look at them and agents have no list of them."""
        if targets and not self.step.actions:
            raise InputError(
                "a coupling on choices or on an aggregate needs a finite list of actions; use LatticeMoves or Tabular"
            )
        return Choices(self.step.actions, self.grid, self.step.action_names)

    def _level(self) -> None:
        """Take out of the costs what everybody pays; see `mfgsolve.games.constants`."""
        apart = self.constants
        apart.own[:] = self.step.lower()
        self.blocks = [
            self._without(block, apart.state if block.on == "state" else apart.choice, self.nodes, 1.0)
            for block in self.blocks
        ]
        if self.terminal_block is not None:
            last = slice(self.steps, None)
            self.terminal_block = self._without(self.terminal_block, apart.state, last, self.last_price)
        shape = self.terminal_cost.shape
        low, apart.terminal = lowered(self.terminal_cost.reshape(1, -1), self.open_cells)
        self.terminal_cost, apart.terminal = low.reshape(shape), apart.terminal[0]

    def _without(self, block: Block, apart: np.ndarray, levels: slice, rate: float) -> Block:
        """The coupling without its constants, ``rate`` times which are added to ``apart`` (T+1, populations)."""
        if block.on == "aggregate":
            return block
        allowed = self.open_cells if block.on == "state" else self.open_choices

        def lower(field: np.ndarray) -> np.ndarray:
            low, least = lowered(field, allowed)
            apart[levels] += rate * (least[: levels.stop] if len(least) > 1 else least)
            return low

        return replace(block, bound=block.bound.lowered(lower))

    # -- arrays ------------------------------------------------------------------------------------------------

    def empty_crowd(self) -> np.ndarray:
        """An uninitialised array of all T+1 levels."""
        return np.empty((self.steps + 1, *self.level_shape))

    def mass(self, crowd: np.ndarray) -> np.ndarray:
        """Mass (T+1, *shape) of a crowd."""
        return self.flat(crowd)[:, : self.cells].reshape(crowd.shape[0], *self.grid.shape)

    def density(self, crowd: np.ndarray) -> np.ndarray:
        """Density (T+1, *shape) of the agents who have not left: 0 at exits."""
        mass = self.mass(crowd)
        return np.where(self.grid.inside, mass, 0.0) / self.grid.volumes

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

    # -- what agents pay ---------------------------------------------------------------------------------------

    def costs(self, price: np.ndarray) -> Costs:
        """What agents pay for a price: by cell, by choice, and at the end."""
        if not self.sees_choices:
            return Costs(price, self.weights, self.terminal_cost)
        states = np.ascontiguousarray(price[:, : self.cells])

        def action(part: slice, own: np.ndarray) -> np.ndarray:
            return self.action_costs(price, part, own)

        return Costs(states, self.weights, self.terminal_cost, action)

    def action_costs(self, price: np.ndarray, part: slice, own: np.ndarray | None = None) -> np.ndarray:
        """Own cost + weight (price on choices + prices times amounts), (1 or steps, actions, states)."""
        if not self.sees_choices:
            return np.zeros((1, self.step.actions, self.cells)) if own is None else own
        steps, weight = part.stop - part.start, self.weights[part][:, None, None]
        total = np.zeros((steps, self.step.actions, self.cells))
        if own is not None:
            total += own
        k = 0
        for block in self.blocks:
            if block.on == "occupation":
                total += weight * price[part, block.columns].reshape(total.shape)
            elif block.on == "aggregate":
                amounts = self.amounts[k] if self.amounts[k].shape[0] == 1 else self.amounts[k][part]
                total += weight * price[part, block.columns][:, :, None] * amounts
                k += 1
        return total

    def aggregate(self, mass: np.ndarray, choices: np.ndarray, crowd: np.ndarray, weighed: bool) -> np.ndarray:
        """Fill a crowd from mass (T+1, cells) and a policy, or (``weighed``) an occupation (T, actions, states)."""
        flat = self.flat(crowd)
        flat[:, : self.cells] = mass.reshape(len(flat), -1)
        flat[-1, self.cells :] = 0.0
        k = 0
        for block in self.blocks:
            if block.on == "state":
                continue
            if block.on == "occupation":
                here = choices if weighed else choices * mass[:-1, None]
                flat[:-1, block.columns] = here.reshape(self.steps, -1)
                continue
            alpha = self.amounts[k]
            look()
            for t in range(self.steps):
                part = choices[t] if weighed else choices[t] * mass[t]
                flat[t, block.columns] = (alpha[min(t, alpha.shape[0] - 1)] * part).sum()
            k += 1
        return crowd

    @property
    def open_choices(self) -> np.ndarray:
        """What agents may choose, (actions, populations, cells of each)."""
        return self.step.open_choices

    def crowd_totals(self, price: np.ndarray, crowd: np.ndarray) -> Totals:
        """sum_t weight_t <price_t, crowd_t>; of choices, less the least that a choice of that time costs."""
        if not self.sees_choices:
            return super().crowd_totals(price, crowd)
        result = np.array(super().crowd_totals(price, crowd))
        shape, steps, k = self.open_choices.shape, slice(0, self.steps), 0
        for block in self.blocks:
            if block.on == "state":
                continue
            rate, amount = price[:-1, block.columns], crowd[:-1, block.columns]
            cost = self.weighed((rate * amount).sum(axis=1), steps)
            if block.on == "occupation":
                least = least_allowed(rate.reshape(self.steps, *shape), self.open_choices)
                weight = amount.reshape(self.steps, *shape).sum(axis=(1, 3))
                least, size = (
                    self.weighed((least * weight).sum(axis=1), steps),
                    self.weighed(np.abs(rate * amount), steps),
                )
                result += self.dt * np.array([cost.sum(), (cost - least).sum(), size.sum()])
                continue
            alpha = self.amounts[k].reshape(-1, *shape)
            low, high = least_allowed(alpha, self.open_choices), -least_allowed(-alpha, self.open_choices)
            least = np.where(rate >= 0, rate * low, rate * high) @ np.asarray(self.grid.masses)
            least = self.weighed(least, steps)
            result += self.dt * np.array([cost.sum(), (cost - least).sum(), np.abs(cost).sum()])
            k += 1
        return Totals(*map(float, result))

    # -- crowd -------------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> slice:
        """The nodes at which costs per unit time are paid."""
        return slice(0, self.steps + self.step.is_trapezoidal)

    def node_slabs(self) -> list[slice]:
        """The same nodes in slices short enough for temporaries to stay in cache."""
        last = [slice(self.steps, self.steps + 1)] if self.step.is_trapezoidal else []
        return self.slabs() + last

    def slabs(self) -> list[slice]:
        """Slices of time steps short enough for temporaries to stay in cache."""
        return self._slabs

    @cached_property
    def _slabs(self) -> list[slice]:
        return slabs(self.steps, self.width)

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
        if view is not None and self.sees_choices:
            view[:] = 0.0  # columns on which no coupling acts
        for block in self.blocks:
            if self._is_fused(block):
                look()
                weights = self.weighed(np.full(self.nodes.stop, self.dt), self.nodes) if potential else None
                cost = None if view is None else view[self.nodes]
                total += block.bound.fused(self.nodes, flat[self.nodes], cost, weights=weights)
                continue
            for nodes in self.node_slabs():
                look()
                rho = block.density(flat[nodes])
                if potential:
                    total += float(self.weighed(block.bound.potential(nodes, rho), nodes).sum()) * self.dt
                if view is not None:
                    view[nodes, block.columns] = block.bound.cost(nodes, rho).reshape(rho.shape[0], -1)
        if view is not None and not self.step.is_trapezoidal:
            view[-1] = 0.0
        if self.terminal_block is not None:
            rho, only = self.terminal_block.density(flat[-1:]), slice(0, 1)
            if potential:
                total += self.end * float(self.terminal_block.bound.potential(only, rho)[0])
            if view is not None:
                cost = self.terminal_block.bound.cost(only, rho).reshape(1, -1)
                view[-1:, self.terminal_block.columns] += self.last_price * cost
        return total

    def _is_fused(self, block: Block) -> bool:
        """Whether a coupling has a kernel, for whole levels: masses and nothing else."""
        return block.bound.is_fused and not self.sees_choices

    def slope(self, crowd: np.ndarray, out: np.ndarray | None = None) -> np.ndarray | None:
        """weight_t f' per unit of crowd, for local couplings; None otherwise."""
        if not self.stated.is_local:
            return None
        scale, flat = self.empty_crowd() if out is None else out, self.flat(crowd)
        view = self.flat(scale)
        if self.sees_choices:
            view[:] = 0.0
        for block in self.blocks:
            if self._is_fused(block):
                look()
                factors = self.weighed(np.full(self.nodes.stop, self.dt), self.nodes) / float(block.volumes)
                block.bound.fused(self.nodes, flat[self.nodes], slope=view[self.nodes], factors=factors)
                continue
            for nodes in self.node_slabs():
                look()
                slope = block.bound.slope(nodes, block.density(flat[nodes]))
                assert slope is not None  # every coupling said that it is local
                slope = self.weighed(slope * (self.dt / block.volumes), nodes)
                view[nodes, block.columns] = slope.reshape(slope.shape[0], -1)
        if not self.step.is_trapezoidal:
            view[-1] = 0.0
        if self.terminal_block is not None:
            slope = self.terminal_block.bound.slope(slice(0, 1), self.terminal_block.density(flat[-1:]))
            assert slope is not None
            view[-1:, self.terminal_block.columns] += (slope / self.grid.volumes * self.end).reshape(1, -1)
        return scale

    def price_change(self, crowd: np.ndarray, change: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """weight_t f' applied to a change of the crowd, for any differentiable coupling."""
        result, flat, moved = self.empty_crowd() if out is None else out, self.flat(crowd), self.flat(change)
        view = self.flat(result)
        if self.sees_choices:
            view[:] = 0.0
        for block in self.blocks:
            for nodes in self.node_slabs():
                look()
                slope = block.bound.tangent(nodes, block.density(flat[nodes]), block.density(moved[nodes]))
                view[nodes, block.columns] = self.weighed(slope * self.dt, nodes).reshape(slope.shape[0], -1)
        if not self.step.is_trapezoidal:
            view[-1] = 0.0
        if self.terminal_block is not None:
            last = self.terminal_block
            slope = last.bound.tangent(slice(0, 1), last.density(flat[-1:]), last.density(moved[-1:]))
            view[-1:, last.columns] += (slope * self.end).reshape(1, -1)
        return result

    def segment_slope(self, start: np.ndarray, end: np.ndarray, share: float) -> float:
        """sum_t weight_t <f_t, end - start> at the crowd start + share (end - start)."""
        total, here, there = 0.0, self.flat(start), self.flat(end)

        def part(block: Block, nodes: slice, levels: slice) -> np.ndarray:
            look()
            gap = there[levels] - here[levels]
            cost = block.bound.cost(nodes, block.density(here[levels] + share * gap))
            return np.asarray(cost.reshape(gap.shape[0], -1) * gap[:, block.columns])

        for block in self.blocks:
            parts = (float(self.weighed(part(block, nodes, nodes), nodes).sum()) for nodes in self.node_slabs())
            total += self.dt * sum(parts)
        if self.terminal_block is not None:
            last = part(self.terminal_block, slice(0, 1), slice(self.steps, self.steps + 1))
            total += float((last * self.end).sum())
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
