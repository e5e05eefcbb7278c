"""The step of a finite list of actions, in arrays: lattice moves, tabular dynamics, one or several populations.

States of all populations stand in one row of ``states`` cells; a policy is an array (T, actions, states).  One step is
*choice, transition, factors* (implicit noise):

    q_t = l_t + (what the crowd asks for choices) + P_t F V_{t+1},   V_t = w_t f_t + softmin_a q_t,
    m_{t+1} = F^T P_t^T (pi_t m_t)

with softmin at the entropy cost of the step, temperature dt, the minimum where it is 0 (Bellman; the soft one as in
arXiv:1702.08165, eq. 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.cautions import collect, say
from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.kernels import finite, finite_tangent, threads_for
from mfgsolve.spaces import Populations, Space
from mfgsolve.steps.costs import Costs, OwnCost, least_allowed, lowered
from mfgsolve.steps.excess import excess_of_choices
from mfgsolve.steps.factors import Noise, expect_all, push_all
from mfgsolve.steps.identity import sampled_transitions, unchanging
from mfgsolve.steps.policies import Policy, PolicyVariable
from mfgsolve.steps.shifts import Readings, Table, run_kernel
from mfgsolve.steps.step import Step
from mfgsolve.steps.table_policies import OccupationAverage, TablePolicy
from mfgsolve.steps.transitions import (
    Tabulated,
    Transitions,
    action_names,
    block_transitions,
    dense_blocks,
    names_of_actions,
    own_costs,
    quick_transitions,
    spaces_of,
    step_matrices,
)
from mfgsolve.watch import look

__all__ = ["TableStep"]

SMALL = 64  # states of all populations together up to which their transitions are one dense table


class TableStep(Step):
    """Tables of all populations, noise of implicit kind not included (a factor); see the module.

    Attributes
    ----------
    transitions : `Transitions` of all populations
    own_cost : l (1 or T, actions, states), discounted; 0 where not allowed
    allowed : boolean (actions, states)
    """

    has_tables = True
    has_temperature = True
    is_discounted = True

    def __init__(self, dynamics: Sequence[Tabulated], space: Space, time: TimeGrid, mass: np.ndarray):
        self.dynamics, self.space, self.time = tuple(dynamics), space, time
        self.is_coupled = any(one.is_coupled for one in self.dynamics)
        self.states, self.shape = space.size, (space.size,)
        self.temperature = self.dynamics[0].temperature
        self._counts: list[int] | None = None
        self._said: set[str] = set()  # codes of what was said of the transitions
        self.transitions, self.allowed, self._counts = self._said_once(mass.reshape(space.shape))
        self.actions = self.allowed.shape[0]
        self.policy_shape = (self.actions, self.states)
        self.own_cost = own_costs(self.dynamics, space, time.nodes[:-1], self.allowed, self._counts)
        if time.discount:
            self.own_cost = self.own_cost * time.discounts[:-1, None, None]
        self.factors = self._noise()
        small = len(self.dynamics) > 1 and self.states <= SMALL and not space.mask.any()
        self._small_blocks = small and all(one.is_coupled for one in self.dynamics)
        self.threads = 1
        self._readings = Readings(self.transitions, self.actions, self.states)
        self._work: np.ndarray | None = None
        self._least: tuple[np.ndarray, np.ndarray] | None = None  # own costs, and their least values

    # -- what it is made of ------------------------------------------------------------------------------------

    def _built(self, mass: np.ndarray, t: int = 0) -> tuple[Transitions, np.ndarray, list[int]]:
        """Transitions of all populations (those that the crowd decides, at this mass and node), the allowed choices,
        and how many actions each population has."""
        asked, moment = None, ""
        if self.is_coupled:
            asked, moment = self._asked(mass, t), f" at step {t}"
        matrices, allowed = step_matrices(self.dynamics, self.space, self.time, asked, moment)
        counts = [len(by_step[0]) for by_step in matrices]
        if self._counts is not None and counts != self._counts:
            raise InputError(
                f"transitions{moment} have {counts} actions, and {self._counts} at the start; they must agree"
            )
        return *block_transitions(matrices, allowed), counts

    def _asked(self, mass: np.ndarray, t: int) -> list[Any]:
        """What each population says of its transitions at a mass; None where the crowd does not decide them."""
        seen, at = mass.view(), float(self.time.nodes[t])
        seen.setflags(write=False)
        return [one.asked(at, seen) if one.is_coupled else None for one in self.dynamics]

    def _said_once(self, mass: np.ndarray, t: int = 0) -> tuple[Transitions, np.ndarray, list[int]]:
        """`_built`, whose cautions are said once for the game, not in every step of every sweep."""
        with collect() as said:
            built = self._built(mass, t)
        for caution in said:
            if caution.code not in self._said:
                self._said.add(caution.code)
                say(caution.code, caution.sentence)
        return built

    def _noise(self) -> list[Noise]:
        """Implicit noise of each population that has some."""
        parts, size = [], self.states // self.space.populations
        for p, (one, place) in enumerate(zip(self.dynamics, spaces_of(self.space), strict=True)):
            for shape, scheme in one.noise_schemes(place, self.time):
                parts.append((slice(p * size, (p + 1) * size), shape, scheme))
        return [Noise(parts)] if parts else []

    def speeds(self) -> np.ndarray | None:
        """Speed of every action, (actions, *shape), where all populations move along one axis."""
        own = [one.speeds(place, self.dt) for one, place in zip(self.dynamics, spaces_of(self.space), strict=True)]
        if any(speeds is None for speeds in own):
            return None
        out = np.zeros((self.actions, *self.space.shape))
        for p, speeds in enumerate(own):
            for a, speed in enumerate(speeds):  # type: ignore[arg-type]
                out[(a, p) if isinstance(self.space, Populations) else a] = speed
        return out

    @property
    def action_names(self) -> list[str]:
        """One name for each action; those of different populations joined where they differ: "hunt/flee"."""
        assert self._counts is not None
        return action_names(self.dynamics, self._counts)

    @property
    def population_action_names(self) -> list[list[str]]:
        """Names of the actions of each population, empty where it has fewer than another."""
        assert self._counts is not None
        own = [names_of_actions(one, count) for one, count in zip(self.dynamics, self._counts, strict=True)]
        return [names + [""] * (self.actions - len(names)) for names in own]

    @cached_property
    def open_choices(self) -> np.ndarray:
        """What agents may choose, kept: sweeps ask for it."""
        return super().open_choices

    def lower(self) -> np.ndarray:
        """Take the least own cost of every step and population out; (1 or T, populations)."""
        self.own_cost, least = lowered(self.own_cost, self.open_choices)
        return least

    # -- one step ----------------------------------------------------------------------------------------------

    @property
    def is_smooth(self) -> bool:
        """Whether best responses are softmax policies."""
        return bool(self.entropy_cost[0] > 0)

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        """The transitions of step t; of all steps, unless the crowd decides them."""
        if not self.is_coupled:
            return self.transitions
        mass = mass.reshape(self.space.shape)
        if len(self.dynamics) == 1 and not self.space.mask.any():  # many small tables: no detour over sparse matrices
            quick = quick_transitions(self._asked(mass, t)[0], self.allowed)
            if quick is not None:
                return quick
        if self._small_blocks:
            quick = dense_blocks(self._asked(mass, t), self.allowed)
            if quick is not None:
                return quick
        return self._said_once(mass, t)[0]

    def share(self, threads: int | None) -> None:
        """Let that many threads share the states; None decides by their number."""
        self.threads = threads_for(self.states, threads)

    def _table(self, part: slice, mass: np.ndarray | None) -> Table:
        """Transitions of some steps, in the form that kernels read fastest."""
        look()
        if self.is_coupled:
            if mass is None:
                raise InputError("the dynamics depend on the crowd; a crowd is needed to respond to")
            table = self.transitions_at(part.start, mass[part.start])
            return table if table.first.shape[0] == 1 else table._replace(first=table.first[part])
        if self._readings.transitions is not self.transitions:  # steps near this one have others
            self._readings = Readings(self.transitions, self.actions, self.states)
        return self._readings.table(self.threads, part)

    def _own(self, part: slice) -> np.ndarray:
        return self.own_cost if self.own_cost.shape[0] == 1 else self.own_cost[part]

    def _paid(self, costs: Costs, part: slice) -> np.ndarray:
        """Own cost and what the crowd asks for choices, (1 or steps, actions, states)."""
        own = self._own(part)
        return own if costs.action is None else costs.action(part, own)

    def _single(self, t: int) -> Table:
        """The table of one step that no crowd decides."""
        return self._table(slice(t, t + 1), None)

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """softmin_a of own cost, cost of the choice and P after."""
        value = np.stack([after, after])
        nothing = np.zeros((2, self.states))
        paid, tau = self._paid(costs, slice(t, t + 1)), self.entropy_cost[t : t + 1]
        finite.backward(paid, nothing, self.allowed, tau, self._single(t), value, policy[None])
        return value[0]

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """sum_a pi P after."""
        value, change = np.stack([after, after]), np.empty((1, *self.policy_shape))
        nothing = np.zeros((1, *self.policy_shape)), np.zeros((2, self.states))
        finite.tangent_backward(*nothing, policy[None], self._single(t), value, change)
        return value[0]

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """P^T (pi m)."""
        levels = np.stack([mass, mass])
        finite.forward(np.ascontiguousarray(policy)[None], self._single(t), levels)
        return levels[1]

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """P^T d(pi m), d pi = -pi (dq - sum_a pi dq) / tau with dq = P change."""
        if not self.is_smooth:
            raise InputError("a best response at temperature 0 jumps; it has no derivative")
        value, moved = np.stack([change, change]), np.zeros((2, self.states))
        nothing = np.zeros((1, *self.policy_shape)), np.zeros((2, self.states))
        choice = np.empty((1, *self.policy_shape))
        finite.tangent_backward(*nothing, policy[None], self._single(t), value, choice)
        here = np.stack([mass, mass])
        finite.tangent_forward(policy[None], here, self.entropy_cost[t : t + 1], self._single(t), choice, moved)
        return moved[1]

    # -- sweeps ------------------------------------------------------------------------------------------------

    def _parts(self) -> list[slice]:
        """Steps that one call of a kernel does: all of them, or one by one where something acts in between."""
        if self.factors or self.is_coupled:
            return [slice(t, t + 1) for t in range(self.steps)]
        return [slice(0, self.steps)]

    def _swept(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None, values: np.ndarray | None, q: np.ndarray | None
    ) -> np.ndarray:
        """V (T+1, states) of the best response, which fills ``policy``; or of the policy, whose q fills ``q``."""
        states = costs.state * costs.weights[:, None]
        value = np.empty((self.steps + 1, self.states)) if values is None else values
        value[-1] = costs.terminal + states[-1]
        if q is None and not (self.factors or self.is_coupled):  # one call of a kernel: no time to lose on small games
            every = slice(0, self.steps)
            paid = self._paid(costs, every)
            table = self._table(every, mass)
            run_kernel("backward", paid, states, self.allowed, self.entropy_cost, table, value, policy, table=table)
            return value
        for part in reversed(self._parts()):
            levels = slice(part.start, part.stop + 1)
            if self.factors:
                after = value[part.stop].copy()
                value[part.stop] = expect_all(self.factors, part.start, after)
            tau, table = self.entropy_cost[part], self._table(part, mass)
            head = self._paid(costs, part), states[levels], self.allowed, tau, table
            if q is None:
                run_kernel("backward", *head, value[levels], policy[part], table=table)
            else:
                run_kernel("evaluate", *head, policy[part], value[levels], q[part], table=table)
            if self.factors:
                value[part.stop] = after
        return value

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response, which fills ``policy``."""
        return self._swept(costs, policy, mass, values, None)[0]  # type: ignore[no-any-return]

    def evaluate(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a policy costs: V (T+1, states) and q (T, actions, states)."""
        q = np.empty_like(policy)
        return self._swept(costs, policy, mass, None, q), q

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, states) with the flow of its first level."""
        for part in self._parts():
            table, levels = self._table(part, mass), mass[part.start : part.stop + 1]
            run_kernel("forward", np.ascontiguousarray(policy[part]), table, levels, table=table)
            if self.factors:
                mass[part.stop] = push_all(self.factors, part.start, mass[part.stop])
        return mass

    def change(self, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Change of mass (T+1, states) and of the occupation (T, actions, states) when costs change."""
        if not self.is_smooth:
            raise InputError("a best response at temperature 0 jumps; it has no derivative")
        change, value = self._scratch(), np.empty((self.steps + 1, self.states))
        nothing = np.zeros((1, self.actions, self.states))
        value[-1] = costs.state[-1]
        for part in reversed(self._parts()):
            levels = slice(part.start, part.stop + 1)
            if self.factors:
                value[part.stop] = expect_all(self.factors, part.start, value[part.stop])
            paid = nothing if costs.action is None else costs.action(part, nothing)
            table = self._table(part, mass)
            out = value[levels], change[part]
            run_kernel("tangent_backward", paid, costs.state[levels], policy[part], table, *out, table=table)
        moved = np.zeros((self.steps + 1, self.states))
        for part in self._parts():
            levels = slice(part.start, part.stop + 1)
            here, tau = np.ascontiguousarray(mass[levels]), self.entropy_cost[part]
            table = self._table(part, mass)
            out = change[part], moved[levels]
            run_kernel("tangent_forward", policy[part], here, tau, table, *out, table=table)
            if self.factors:
                moved[part.stop] = push_all(self.factors, part.start, moved[part.stop])
        return moved, change

    def _scratch(self) -> np.ndarray:
        """(T, actions, states) to work in, shared by all temperatures."""
        if self._work is None:
            self._work = np.empty((self.steps, *self.policy_shape))
        return self._work

    @property
    def is_fused(self) -> bool:
        """Where nothing acts between two steps, and best responses have a derivative."""
        return self.is_smooth and not (self.factors or self.is_coupled)

    def curvature(
        self, policy: np.ndarray, mass: np.ndarray, direction: np.ndarray, scale: np.ndarray | None, result: np.ndarray,
        identity: float,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), both sweeps in one kernel; see `Game.curvature`."""
        weighted = direction if scale is None else scale * direction
        table = self._table(slice(0, self.steps), None)
        run_kernel(
            "curvature", direction, weighted, policy, mass, self.entropy_cost, table, self._scratch(), result, identity,
            table=table, kernels=finite_tangent,
        )  # fmt: skip
        return result

    def conjugate_step(
        self, policy: np.ndarray, mass: np.ndarray, scale: np.ndarray, vectors: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """One pass of conjugate gradients in one kernel; see `Game.conjugate_step`."""
        table = self._table(slice(0, self.steps), None)
        return run_kernel(  # type: ignore[no-any-return]
            "conjugate_step", policy, mass, self.entropy_cost, table, self._scratch(), scale, *vectors, length, share,
            table=table, kernels=finite_tangent,
        )  # fmt: skip

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> TablePolicy:
        """The probabilities themselves."""
        return TablePolicy(policy)

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """sum_t <l_t + tau log pi_t, w_t>."""
        probabilities = self.choices(policy)
        mass = np.ascontiguousarray(mass)
        if self._least is None or self._least[0] is not self.own_cost:  # steps near this one have other own costs
            table = self.own_cost.reshape(self.own_cost.shape[0], *self.open_choices.shape)
            self._least = self.own_cost, least_allowed(table, self.open_choices)
        least = self._least[1]
        return OwnCost(*map(float, finite.own_cost(self.own_cost, least, probabilities, mass, self.entropy_cost)))

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        """From action values of the best response; see `mfgsolve.steps.excess`."""
        chosen, best, total = self.choices(policy), self.new_policy(), np.zeros(self.states)
        value = self.backward(costs, best, mass)
        _, q = self.evaluate(costs, best, mass)
        for t, tau in enumerate(self.entropy_cost):
            total += mass[t] * excess_of_choices(chosen[t], best[t], q[t], tau)
        return total.reshape(self.space.populations, -1).sum(axis=1), value

    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """The flow of ``mass[0]`` under any policy."""
        return self.forward(self.choices(policy), mass)

    def choices(self, policy: Policy) -> np.ndarray:
        """A policy of this step as an array (T, actions, states)."""
        if isinstance(policy, OccupationAverage):
            return policy.policy(self.uniform())
        assert isinstance(policy, TablePolicy)
        return policy.probabilities

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> OccupationAverage:
        """Crowd and occupation."""
        if arrays is not None:
            return OccupationAverage(arrays["crowd"], arrays["occupation"])
        return OccupationAverage(crowd, self.new_policy())

    # -- policies in datasets, and what tells steps apart ----------------------------------------------------------

    def described(self, policy: Policy) -> PolicyVariable:
        """Probabilities; and what each population calls its actions, where they do not call them the same."""
        variable, names = super().described(policy), self.population_action_names
        if all(own == names[0] for own in names):
            return variable
        called = (("population", "action"), np.array(names), {"long_name": "name of the action"})
        return replace(variable, companions={"action_name": called})

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """Names, what is allowed, own costs, temperature; transitions, at these masses where the crowd decides them."""
        yield from (self.population_action_names, self.allowed, unchanging(self.own_cost), self.temperature)
        yield from sampled_transitions(self, masses)
