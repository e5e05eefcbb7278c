"""The game of a finite list of actions, in arrays: lattice moves and tabular dynamics, one or several populations.

States of all populations stand in one row of ``states`` cells; a policy is an array (T, actions, states).  One step is
*choice, transition, noise*:

    q_t = l_t + dt (f on choices) + P_t N V_{t+1},   V_t = weight_t f_t + softmin_a q_t,   m_{t+1} = N' P_t' (pi_t m_t)

with softmin at temperature tau dt, the minimum where tau = 0 (Bellman; the soft one as in arXiv:1702.08165, eq. 6).
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from mfgsolve.cautions import collect, say
from mfgsolve.dynamics import LatticeMoves, Tabular
from mfgsolve.errors import InputError
from mfgsolve.games.base import Game, Response, Totals
from mfgsolve.games.constants import least_allowed, lowered
from mfgsolve.games.scheme import make_scheme
from mfgsolve.games.tables import OccupationAverage, TablePolicy
from mfgsolve.games.transitions import (
    Transitions,
    action_names,
    block_transitions,
    callable_as,
    dense_blocks,
    dense_transitions,
    names_of_actions,
    own_costs,
    step_matrices,
)
from mfgsolve.grids import Grid
from mfgsolve.kernels import finite, noise
from mfgsolve.problem import Problem
from mfgsolve.spaces import Choices, Populations
from mfgsolve.watch import look

__all__ = ["FiniteGame"]

SMALL = 64  # states of all populations together up to which their transitions are one dense table


class FiniteGame(Game):
    """Arrays and verbs of a `Problem` with finite dynamics; see the module.

    Attributes
    ----------
    transitions : `Transitions` of all populations, noise of implicit kind not included (see ``diffuse``)
    own_cost : l (1 or T, actions, states), 0 where not allowed
    allowed : boolean (actions, states)
    amounts : alpha of every price, (1 or T, actions, states) each
    """

    def __init__(self, problem: Problem, threads: int | None = None):
        if threads is not None and threads < 1:
            raise InputError(f"threads is {threads}; at least 1 is needed")
        self._state(problem, threads)
        self.is_coupled = problem.is_coupled  # asked in every sweep
        dynamics: Any = problem.all_dynamics  # LatticeMoves or Tabular, as the problem has checked
        self.dynamics: tuple[Any, ...] = dynamics
        self.states = self.grid.size
        self.initial_mass = problem.initial_mass().reshape(-1)
        self.terminal_cost = problem.terminal_cost().reshape(-1)
        self.temperature = problem.temperature
        self.tau = self.temperature * self.dt
        for one in self.dynamics:
            if isinstance(one, Tabular) and one.is_coupled:
                callable_as(one.transitions, "transitions", "(t, mass)")
        self._counts: list[int] | None = None
        self._said: set[str] = set()  # codes of what was said of the transitions
        self.transitions, self.allowed, self._counts = self._told_once(self.resting_mass())
        self.actions = self.allowed.shape[0]
        self.own_cost = own_costs(self.dynamics, self.grid, self.time.nodes[:-1], self.allowed, self._counts)
        self._bind(self.actions, self.action_names)
        if problem.is_levelled:
            self.own_cost, least = lowered(self.own_cost, self.open_choices)
            self.constants.own[:] = least
        self.level_shape = (self.width,)
        self.noises = self._noise_schemes()
        choices, speeds = Choices(self.actions, self.grid, tuple(self.action_names)), self._speeds()
        self.amounts = [
            price.amounts_on(choices, self.time.nodes[:-1], speeds).reshape(-1, self.actions, self.states)
            for price in self.prices
        ]
        self._work: np.ndarray | None = None
        small = len(self.dynamics) > 1 and self.states <= SMALL and not self.grid.mask.any()
        self._small_blocks = small and all(getattr(one, "is_coupled", False) for one in self.dynamics)

    # -- what it is made of ------------------------------------------------------------------------------------

    has_tables = True

    @property
    def is_smooth(self) -> bool:
        """Whether best responses are softmax policies."""
        return self.tau > 0

    def __reduce__(self) -> tuple[Any, ...]:
        return (*super().__reduce__(), {"own_cost": self.own_cost, "tau": self.tau})  # see `with_costs`

    def resting_mass(self) -> np.ndarray:
        return self.initial_mass.reshape(self.grid.shape)

    def _built(self, mass: np.ndarray, t: int = 0) -> tuple[Transitions, np.ndarray, list[int]]:
        """Transitions of all populations (those that the crowd decides, at this mass and node), the allowed choices,
        and how many actions each population has."""
        given, moment = None, ""
        if self.is_coupled:
            seen = mass.view()
            seen.setflags(write=False)
            at = float(self.time.nodes[t])
            given = [one.transitions(at, seen) if getattr(one, "is_coupled", False) else None for one in self.dynamics]
            moment = f" at step {t}"
        matrices, allowed = step_matrices(self.dynamics, self.grid, self.steps, self.dt, given, moment)
        counts = [len(by_step[0]) for by_step in matrices]
        if self._counts is not None and counts != self._counts:
            raise InputError(
                f"transitions{moment} have {counts} actions, and {self._counts} at the start; they must agree"
            )
        return *block_transitions(matrices, allowed), counts

    def _told_once(self, mass: np.ndarray, t: int = 0) -> tuple[Transitions, np.ndarray, list[int]]:
        """`_built`, whose cautions are said once for the game, not in every step of every sweep."""
        with collect() as said:
            built = self._built(mass, t)
        for caution in said:
            if caution.code not in self._said:
                self._said.add(caution.code)
                say(caution.code, caution.sentence)
        return built

    def _noise_schemes(self) -> list[tuple[slice, tuple[int, ...], Any]]:
        """Implicit noise of each population that has some: its states, their shape (z, y, x), and the coefficients."""
        found, size = [], self.states // self.grid.populations
        space = self.grid.space if isinstance(self.grid, Populations) else self.grid
        for p, one in enumerate(self.dynamics):
            if isinstance(one, LatticeMoves) and one.viscosity > 0 and one.noise == "implicit":
                assert isinstance(space, Grid)
                scheme = make_scheme(space, self.time, one.viscosity, "implicit", 1.0, 1)
                found.append((slice(p * size, (p + 1) * size), (1,) * (3 - space.ndim) + space.shape, scheme))
        return found

    def _speeds(self) -> np.ndarray | None:
        """Speed of every move along the only axis of a lattice."""
        space = self.grid.space if isinstance(self.grid, Populations) else self.grid
        if not (
            isinstance(space, Grid) and space.ndim == 1 and all(isinstance(d, LatticeMoves) for d in self.dynamics)
        ):
            return None
        axis, speeds = space.axes[0], np.zeros((self.actions, *self.grid.shape))
        for p, one in enumerate(self.dynamics):
            for a, move in enumerate(one.moves):
                speeds[(a, p) if isinstance(self.grid, Populations) else a] = axis.pace(move[0], self.dt)
        return speeds

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

    @property
    def has_noise(self) -> bool:
        """Whether an implicit noise operator follows the transitions."""
        return bool(self.noises)

    def diffuse(self, level: np.ndarray, transpose: bool) -> np.ndarray:
        """N level, or N' level, (states,)."""
        out = level.copy()
        for part, shape, scheme in self.noises:
            source, target = level[part].reshape(shape).copy(), np.empty(shape)
            noise.noise(source, target, scheme, transpose)
            out[part] = target.reshape(-1)
        return out

    def with_costs(self, own_cost: np.ndarray, tau: float | None = None) -> FiniteGame:
        """The same game, in which agents pay other own costs (1 or T, actions, states), at another tau."""
        other = copy.copy(self)
        other.own_cost, other.tau = own_cost, self.tau if tau is None else tau
        return other

    # -- sweeps ------------------------------------------------------------------------------------------------

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        if not self.is_coupled:
            return self.transitions
        mass = mass.reshape(self.grid.shape)
        if len(self.dynamics) == 1 and not self.grid.mask.any():  # many small tables: no detour over sparse matrices
            quick = dense_transitions(self.dynamics[0].transitions(float(self.time.nodes[t]), mass), self.allowed)
            if quick is not None:
                return quick
        if self._small_blocks:
            seen, at = mass.view(), float(self.time.nodes[t])
            seen.setflags(write=False)
            quick = dense_blocks([one.transitions(at, seen) for one in self.dynamics], self.allowed)
            if quick is not None:
                return quick
        return self._told_once(mass, t)[0]

    def clip(self, crowd: np.ndarray) -> np.ndarray:
        """A belief without negative masses; where transitions depend on it, one that is a distribution."""
        super().clip(crowd)
        if self.is_coupled:
            mass = crowd[:, : self.states].reshape(self.steps + 1, self.grid.populations, -1)
            totals = mass.sum(axis=2, keepdims=True)
            mass /= np.where(totals > 0, totals, 1.0)
        return crowd

    def _stepwise(self) -> bool:
        return self.has_noise or self.is_coupled

    def _parts(self, steps: int) -> list[slice]:
        """Steps that one call of a kernel does: all of them, or one by one where something acts in between."""
        return [slice(t, t + 1) for t in range(steps)] if self._stepwise() else [slice(0, steps)]

    def _arguments(self, part: slice, crowd: np.ndarray | None) -> tuple[np.ndarray, ...]:
        look()
        table = self.transitions
        if self.is_coupled:
            if crowd is None:
                raise InputError("the dynamics depend on the crowd; a crowd is needed to respond to")
            table = self.transitions_at(part.start, crowd[part.start, : self.states])
        first = table.first if table.first.shape[0] == 1 else table.first[part]
        return first, table.successor, table.chance

    def choice_costs(self, price: np.ndarray, part: slice, own: bool = True) -> np.ndarray:
        """What choices cost: own cost + dt (price on choices + prices times amounts), (1 or steps, actions, states)."""
        base = self.own_cost if self.own_cost.shape[0] == 1 else self.own_cost[part]
        if len(self.blocks) == sum(block.on == "state" for block in self.blocks):
            return base if own else np.zeros((1, self.actions, self.states))
        steps = part.stop - part.start
        total = np.zeros((steps, self.actions, self.states))
        if own:
            total += base
        k = 0
        for block in self.blocks:
            if block.on == "occupation":
                total += self.dt * price[part, block.columns].reshape(total.shape)
            elif block.on == "aggregate":
                amounts = self.amounts[k] if self.amounts[k].shape[0] == 1 else self.amounts[k][part]
                total += self.dt * price[part, block.columns][:, :, None] * amounts
                k += 1
        return total

    def _backward(
        self, price: np.ndarray, ahead: np.ndarray, crowd: np.ndarray | None, evaluate: np.ndarray | None = None
    ) -> np.ndarray:
        """V (T+1, states) of the best response, whose policy fills ``ahead``; or of the policy ``ahead``, whose q fills
        ``evaluate``."""
        states = price[:, : self.states] * self.weights[:, None]
        value = np.empty((self.steps + 1, self.states))
        value[-1] = self.terminal_cost + states[-1]
        for part in reversed(self._parts(self.steps)):
            levels = slice(part.start, part.stop + 1)
            if self.has_noise:
                after = value[part.stop].copy()
                value[part.stop] = self.diffuse(after, False)
            head = (
                self.choice_costs(price, part),
                states[levels],
                self.allowed,
                self.tau,
                *self._arguments(part, crowd),
            )
            if evaluate is None:
                finite.backward(*head, value[levels], ahead[part])
            else:
                finite.evaluate(*head, ahead[part], value[levels], evaluate[part])
            if self.has_noise:
                value[part.stop] = after
        return value

    def policy_buffer(self, price: np.ndarray) -> np.ndarray:
        """An array for the policy of a best response."""
        return np.empty((self.steps, self.actions, self.states))

    def respond(self, price: np.ndarray, out: np.ndarray | None = None, crowd: np.ndarray | None = None) -> Response:
        """Best response to the price (crowd cost per unit time); ``out`` (T, actions, states) receives the policy."""
        ahead = self.policy_buffer(price) if out is None else out
        value = self._backward(price, ahead, crowd)
        return Response(ahead, value[0], float((self.initial_mass * value[0]).sum()))

    def evaluate(
        self, policy: np.ndarray, price: np.ndarray, crowd: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a policy costs against a price: V (T+1, states) and q (T, actions, states)."""
        q = np.empty_like(policy)
        return self._backward(price, policy, crowd, q), q

    def values(self, price: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
        """V (T+1, *shape) of the best response to the price; NaN in blocked cells."""
        value = self._backward(price, self.policy_buffer(price), crowd)
        value[:, self.grid.mask.reshape(-1)] = np.nan
        return value.reshape(self.steps + 1, *self.grid.shape)

    def flow(self, ahead: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Crowd of agents that follow the policy (T, actions, states)."""
        crowd = self.empty_crowd() if out is None else out
        mass = np.empty((self.steps + 1, self.states))
        mass[0] = self.initial_mass
        for part in self._parts(self.steps):
            finite.forward(ahead[part], *self._arguments(part, mass), mass[part.start : part.stop + 1])
            if self.has_noise:
                mass[part.stop] = self.diffuse(mass[part.stop], True)
        return self.aggregate(mass, ahead, crowd, weighed=False)

    def aggregate(self, mass: np.ndarray, choices: np.ndarray, crowd: np.ndarray, weighed: bool) -> np.ndarray:
        """Fill a crowd from mass (T+1, states) and a policy, or (``weighed``) an occupation (T, actions, states)."""
        crowd[:, : self.states] = mass
        crowd[-1, self.states :] = 0.0
        k = 0
        for block in self.blocks:
            if block.on == "state":
                continue
            if block.on == "occupation":
                here = choices if weighed else choices * mass[:-1, None]
                crowd[:-1, block.columns] = here.reshape(self.steps, -1)
                continue
            alpha = self.amounts[k]
            look()
            for t in range(self.steps):
                part = choices[t] if weighed else choices[t] * mass[t]
                crowd[t, block.columns] = (alpha[min(t, alpha.shape[0] - 1)] * part).sum()
            k += 1
        return crowd

    def curvature(
        self, ahead: np.ndarray, crowd: np.ndarray, direction: np.ndarray, scale: np.ndarray | None = None,
        out: np.ndarray | None = None, identity: float = 1.0,
    ) -> np.ndarray:  # fmt: skip
        """identity * direction - K (scale * direction), K = d crowd / d (weighted price) at the policy ``ahead``."""
        if self.tau == 0:
            raise InputError("a best response at temperature 0 jumps; it has no derivative")
        result = self.empty_crowd() if out is None else out
        given = direction if scale is None else scale * direction
        rates = given if self.width == self.states else given / self.dt  # on choices; of weighted prices
        if self._work is None:
            self._work = np.empty((self.steps, self.actions, self.states))
        change, value = self._work, np.empty((self.steps + 1, self.states))
        states = np.ascontiguousarray(given[:, : self.states])
        value[-1] = states[-1]
        for part in reversed(self._parts(self.steps)):
            levels = slice(part.start, part.stop + 1)
            if self.has_noise:
                value[part.stop] = self.diffuse(value[part.stop], False)
            head = self.choice_costs(rates, part, own=False), states[levels], ahead[part], *self._arguments(part, crowd)
            finite.tangent_backward(*head, value[levels], change[part])
        moved = np.zeros((self.steps + 1, self.states))
        for part in self._parts(self.steps):
            levels = slice(part.start, part.stop + 1)
            mass = np.ascontiguousarray(crowd[levels, : self.states])
            finite.tangent_forward(
                ahead[part], mass, self.tau, *self._arguments(part, crowd), change[part], moved[levels]
            )
            if self.has_noise:
                moved[part.stop] = self.diffuse(moved[part.stop], True)
        kept = identity * direction
        self.aggregate(moved, change, result, weighed=True)
        np.subtract(kept, result, out=result)
        return result

    # -- costs -------------------------------------------------------------------------------------------------

    @cached_property
    def open_choices(self) -> np.ndarray:
        """What agents may choose, (actions, populations, cells of each); where nobody can be, nothing."""
        return (self.allowed & ~self.grid.mask.reshape(-1)).reshape(self.actions, self.grid.populations, -1)

    def crowd_totals(self, price: np.ndarray, crowd: np.ndarray) -> Totals:
        """sum_t weight_t <price_t, crowd_t>; of choices, less the least that a choice of that time costs."""
        found = np.array(super().crowd_totals(price, crowd))
        shape, k = self.open_choices.shape, 0
        for block in self.blocks:
            if block.on == "state":
                continue
            rate, amount = price[:-1, block.columns], crowd[:-1, block.columns]
            cost = (rate * amount).sum(axis=1)
            if block.on == "occupation":
                least = least_allowed(rate.reshape(self.steps, *shape), self.open_choices)
                weight = amount.reshape(self.steps, *shape).sum(axis=(1, 3))
                found += self.dt * np.array([cost.sum(), (cost - (least * weight).sum(axis=1)).sum(),
                                             np.abs(rate * amount).sum()])  # fmt: skip
                continue
            alpha = self.amounts[k].reshape(-1, *shape)
            low, high = least_allowed(alpha, self.open_choices), -least_allowed(-alpha, self.open_choices)
            least = np.where(rate >= 0, rate * low, rate * high).sum(axis=1)  # each population has mass 1
            found += self.dt * np.array([cost.sum(), (cost - least).sum(), np.abs(cost).sum()])
            k += 1
        return Totals(*map(float, found))

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, ahead: np.ndarray) -> TablePolicy:
        """The probabilities themselves."""
        return TablePolicy(ahead)

    def new_average(self, arrays: dict[str, np.ndarray] | None = None) -> OccupationAverage:
        """Crowd and occupation."""
        if arrays is not None:
            return OccupationAverage(arrays["crowd"], arrays["occupation"])
        return OccupationAverage(self.empty_crowd(), np.empty((self.steps, self.actions, self.states)))

    def uniform(self) -> np.ndarray:
        """The policy (T, actions, states) that takes every allowed action alike."""
        return np.repeat((self.allowed / self.allowed.sum(axis=0))[None], self.steps, axis=0)
