"""A game in arrays: a step of one agent, a horizon that chains it, and what the crowd costs.

Solvers, certificates, agents and learners use its verbs alone: ``respond`` (backward), ``flow`` (forward),
``curvature`` (how the flow of the best response changes with the price), and the costs of the crowd (`Crowd`).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.games.crowd import Crowd
from mfgsolve.games.speeds import fastest_speed
from mfgsolve.games.still import check_still
from mfgsolve.games.transfer import prolong
from mfgsolve.grids import UNSETTLED
from mfgsolve.kernels import vectors
from mfgsolve.problem import Problem
from mfgsolve.steps import Average, Costs, OwnCost, Policy, Step
from mfgsolve.steps.checks import check_step

__all__ = ["Game", "Response", "sampled"]


@dataclass(frozen=True)
class Response:
    """Best response to a price: the policy it is (an array of the step's own form), V at t = 0, its mean over m_0."""

    policy: np.ndarray
    value: np.ndarray
    mean_value: float


class Game(Crowd):
    """Arrays and verbs of a `Problem`; see the module.

    Parameters
    ----------
    problem : the game as it was stated
    threads : of the kernels; None decides by the size of the space

    Raises
    ------
    InputError
        for what cannot be solved as it stands, a number of time steps that is not settled among them
    """

    def __init__(self, problem: Problem, threads: int | None = None):
        if not problem.time.settled:
            raise InputError(f"problem {problem.name!r}: {UNSETTLED}")
        if threads is not None and threads < 1:
            raise InputError(f"threads is {threads}; at least 1 is needed")
        self.wanted_threads = threads
        self._state(problem)
        mass = problem.initial_mass()
        self.step = problem.bind(mass)
        check_step(self.step, self.grid, mass, type(problem.all_dynamics[0]).__name__)
        self._weigh()
        self.terminal_cost = problem.terminal_cost() * self.end
        self.step.share(threads)
        self.initial_mass = mass.reshape(self.step.shape)
        self.terminal_cost = self.terminal_cost.reshape(self.step.shape)
        self._bind()
        self.step = self.step.for_speed(lambda cost: fastest_speed(self, cost))
        later = problem.time.later()
        if later is not None:  # every step is like the one before
            check_still(self, Game(replace(problem, time=later), threads))

    def __copy__(self) -> Game:
        """A copied game shares its arrays; it is not made anew."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickled game is its problem: it is made anew where it is unpickled, kernels, factors and all."""
        return _unpickled, (self.problem, self.wanted_threads, self.step.changes())

    # -- what solvers ask of it --------------------------------------------------------------------------------

    @cached_property
    def problem(self) -> Problem:  # type: ignore[override]
        """The problem, as it would be stated at the temperature of this game."""
        return self.stated.at_temperature(self.step.temperature)

    @cached_property
    def is_potential(self) -> bool:
        """Whether the crowd's costs have a potential, and nothing else couples the agents."""
        return self.stated.is_potential

    @cached_property
    def is_monotone(self) -> bool:
        """Whether crowding never pays (Lasry and Lions): the equilibrium is unique, the potential convex."""
        return self.stated.is_monotone

    @cached_property
    def is_differentiable(self) -> bool:
        """Whether the crowd's costs have a derivative, and the crowd changes costs alone."""
        return self.stated.is_differentiable

    @cached_property
    def is_local(self) -> bool:
        """Whether what a cell costs depends on the density of that cell alone."""
        return self.stated.is_local

    @cached_property
    def is_hard(self) -> bool:
        """Whether densities, choices or prices have hard bounds."""
        return self.stated.is_hard

    @property
    def is_smooth(self) -> bool:
        """Whether best responses change smoothly with the price."""
        return self.step.is_smooth

    @property
    def is_coupled(self) -> bool:
        """Whether the crowd changes the transitions themselves."""
        return self.step.is_coupled

    @property
    def has_tables(self) -> bool:
        """Whether agents choose from a finite list of actions, with tables of transitions."""
        return self.step.has_tables

    @property
    def temperature(self) -> float:
        """tau, cost of entropy per unit time; 0 where choices have none."""
        return self.step.temperature

    @property
    def is_fused(self) -> bool:
        """Whether `curvature` and `conjugate_step` are kernels of the step."""
        return self.step.is_fused and self.horizon.is_swept and not self.sees_choices

    # -- verbs -------------------------------------------------------------------------------------------------

    def respond(self, price: np.ndarray, out: np.ndarray | None = None, crowd: np.ndarray | None = None) -> Response:
        """Backward: the best response to the price (crowd cost per unit weight).

        ``out`` receives the policy; where `policy_buffer` gives the price itself, that is overwritten.  ``crowd``
        decides the transitions where the dynamics are coupled to it.
        """
        policy = self.step.new_policy() if out is None else out[: self.steps]
        masses = self._masses(crowd)
        value = self.horizon.backward(self.step, self.costs(price), policy, masses)
        return Response(policy, value, float((self.horizon.start(self.initial_mass, masses) * value).sum()))

    def policy_buffer(self, price: np.ndarray) -> np.ndarray:
        """An array to be passed as ``out`` of `respond`; it may be the price itself, which is then overwritten."""
        return self.step.new_policy(price)

    def flow(self, policy: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Forward: the crowd of agents that follow the policy of a best response."""
        crowd, mass = self._start(out)
        self.horizon.forward(self.step, policy, mass)
        return self.aggregate(mass, policy, crowd, weighed=False) if self.sees_choices else crowd

    def follow(self, policy: Policy) -> np.ndarray:
        """Forward: the crowd of agents that follow any policy."""
        crowd, mass = self._start(None)
        self.horizon.follow(self.step, policy, mass)
        return self.aggregate(mass, self.step.choices(policy), crowd, weighed=False) if self.sees_choices else crowd

    def _start(self, out: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """A crowd to be filled, and its mass (T+1, *level), of which the first level is there."""
        crowd = self.empty_crowd() if out is None else out
        mass = np.empty((self.steps + 1, *self.step.shape)) if self.sees_choices else crowd
        mass[0] = self.initial_mass
        return crowd, mass

    def values(self, price: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """V (T+1, *shape) of the best response to the price; NaN in blocked cells."""
        value = np.empty((self.steps + 1, *self.step.shape))
        self.horizon.backward(self.step, self.costs(price), self.step.new_policy(), self._masses(crowd), value)
        value.reshape(self.steps + 1, -1)[:, self.grid.mask.reshape(-1)] = np.nan
        return value.reshape(self.steps + 1, *self.grid.shape)

    def evaluate(
        self, policy: np.ndarray, price: np.ndarray, crowd: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a policy of tables costs against a price: V (T+1, states) and q (T, actions, states)."""
        return self.horizon.evaluate(self.step, self.costs(price), policy, self._masses(crowd))

    def curvature(
        self, policy: np.ndarray, crowd: np.ndarray, direction: np.ndarray, scale: np.ndarray | None = None,
        out: np.ndarray | None = None, identity: float = 1.0, believed: np.ndarray | None = None,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), K = d crowd / d (weighted price) at a best response.

        Where own costs depend on the crowd, ``believed`` is the change of the belief that they come from, and what the
        answer changes by it is subtracted, too.
        """
        result = self.empty_crowd() if out is None else out
        if self.is_fused:
            return self.step.curvature(policy, crowd, direction, scale, result, identity)
        weighted = direction if scale is None else scale * direction
        costs = self._changes(weighted)
        if believed is not None and self.step.pays_by_crowd:
            costs = costs._replace(crowd=self._masses(believed))
        moved, change = self.horizon.change(self.step, costs, policy, self._masses(crowd))
        kept = identity * direction
        if self.sees_choices:
            assert change is not None
            self.aggregate(moved, change, result, weighed=True)
        else:
            result[...] = moved.reshape(result.shape)
        np.subtract(kept, result, out=result)
        return result

    def _changes(self, weighted: np.ndarray) -> Costs:
        """Costs that change by a weighted price."""
        ones, nothing = np.ones(self.steps + 1), np.zeros(self.step.shape)
        states = np.ascontiguousarray(self.flat(weighted)[:, : self.cells]).reshape(-1, *self.step.shape)
        if not self.sees_choices:
            return Costs(states, ones, nothing)
        rates = weighted[:-1] / self.weights[:-1, None]
        return Costs(states, ones, nothing, lambda part, own: self.action_costs(rates, part, own))

    def conjugate_step(
        self, policy: np.ndarray, crowd: np.ndarray, scale: np.ndarray, work: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients on I - K scale; ``work`` is solution, residual, direction, image.

        solution += length direction; direction = residual + share direction; image = (I - K scale) direction.  Returns
        <direction, image> in the inner product with ``scale``.
        """
        if self.is_fused:
            return self.step.conjugate_step(policy, crowd, scale, work, length, share)
        solution, residual, direction, image = work
        vectors.add(self.flat(solution), self.flat(direction), length)
        vectors.turn(self.flat(direction), self.flat(residual), share)
        self.curvature(policy, crowd, direction, scale, image)
        return float(vectors.inner(self.flat(scale), self.flat(direction), self.flat(image)))

    def _masses(self, crowd: np.ndarray | None) -> np.ndarray | None:
        """Masses (T+1, *level) of a crowd."""
        if crowd is None or not self.sees_choices:
            return crowd
        return crowd[:, : self.cells].reshape(len(crowd), *self.step.shape)

    def clip(self, crowd: np.ndarray) -> np.ndarray:
        """A belief without negative masses; where transitions depend on it, one that is a distribution."""
        super().clip(crowd)
        if self.is_coupled:
            mass = self.flat(crowd)[:, : self.cells].reshape(self.steps + 1, self.grid.populations, -1)
            totals = mass.sum(axis=2, keepdims=True)
            mass *= np.asarray(self.grid.masses)[:, None] / np.where(totals > 0, totals, 1.0)
        return crowd

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> Policy:
        """The policy that a best response is."""
        return self.step.policy_of(policy)

    def cost(self, policy: Policy, crowd: np.ndarray) -> OwnCost:
        """What a policy costs the agents themselves, in the crowd that they are."""
        mass = self._masses(crowd)
        assert mass is not None
        return self.step.cost(policy, mass)

    def new_average(self, arrays: dict[str, np.ndarray] | None = None) -> Average:
        """An empty mean of policies, or one of stored arrays."""
        return self.step.new_average(self.empty_crowd(), arrays)

    # -- games near this one -----------------------------------------------------------------------------------

    def with_step(self, **changes: Any) -> Game:
        """The same game, whose step differs in the attributes named; arrays are shared."""
        other = copy.copy(self)
        other.step = self.step.with_changes(**changes)
        return other

    def in_steps_of(self, step: Step) -> Game:
        """The same game, whose agents take another step on the same levels; arrays are shared."""
        other = copy.copy(self)
        other.step = step
        return other

    def with_costs(self, own_cost: np.ndarray, entropy_cost: float | np.ndarray | None = None) -> Game:
        """The same game, in which agents pay other own costs (1 or T, actions, states), and for a unit of entropy
        another number, or one in each step."""
        if entropy_cost is None:
            return self.with_step(own_cost=own_cost)
        return self.with_step(own_cost=own_cost, entropy_cost=entropy_cost + np.zeros(self.steps))

    def at_temperature(self, temperature: float) -> Game:
        """The same game, with tables, at another temperature (cost per unit time); arrays are shared."""
        other = self.with_step(temperature=temperature, entropy_cost=self.step.entropy_costs(temperature))
        other.__dict__.pop("problem", None)  # made anew when somebody asks for it
        return other

    def prolong(self, crowd: np.ndarray, finer: Game) -> np.ndarray:
        """The crowd as a guess for another game, on a finer grid if that is so; see `mfgsolve.games.transfer`."""
        return prolong(crowd, self, finer)


def _unpickled(problem: Problem, threads: int | None, changes: dict[str, Any]) -> Game:
    game = Game(problem, threads)
    return game.with_step(**changes) if changes else game


def sampled(game: Game) -> list[np.ndarray]:
    """Walls, initial mass, terminal cost, and what the initial crowd costs: enough to tell games apart."""
    crowd = game.resting_crowd(game.empty_crowd())
    return [game.grid.mask, game.initial_mass, game.terminal_cost, game.price(crowd)[[0, game.steps // 3, -1]]]
