"""What one step does to one agent: its control, then what it does not control (`mfgsolve.steps.factors`).

A step is the only part of a game that differs by dynamics.  With F the product of its factors, P(pi) the transitions
that a policy pi chooses and l its own cost,

    best      V = min_pi l(pi) + P(pi) after      the control's own minimisation, after = F V_{t+1}
    expect    P(pi) after                         what a policy leads to
    push      P(pi)^T mass                        its exact transpose: <push(m), v> = <m, expect(v)>
    tangent   d push, when ``after`` changes      of the best policy: how a smooth best response answers

One step of each is all that `mfgsolve.steps.sweeps` needs to solve, certify and simulate a game.  Steps with kernels
of their own also run whole sweeps (``backward``, ``forward``, ``change``): the same numbers, faster.  What a step or a
factor of one's own must keep is asked when its game is made (`mfgsolve.steps.checks`).
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.kernels.scheme import Scheme
from mfgsolve.spaces import Space
from mfgsolve.steps import sweeps
from mfgsolve.steps.chain import Chain, Law, MarkovChain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.excess import excess_of_chain
from mfgsolve.steps.factors import Factor, Noise
from mfgsolve.steps.identity import sampled_responses
from mfgsolve.steps.policies import Average, Policy, PolicyForm, PolicyVariable
from mfgsolve.steps.slabs import slabs
from mfgsolve.steps.table_policies import TablePolicy
from mfgsolve.steps.transitions import Transitions

__all__ = ["Step"]


class Step(ABC):
    """One step of the dynamics of one space, at every time of a time grid; see the module.

    Attributes
    ----------
    space, time : where and when
    shape : of one level of mass or value
    policy_shape : of the policy of one step
    reach : cells along each axis that an agent can go in one step, where a stencil says so; see `mfgsolve.steps.reach`
    factors : what acts after the control
    actions : how many choices an agent has, where they are a finite list; else 0
    allowed : boolean (choices, cells), what agents one by one choose from: actions, or moves where these are no list
    has_tables : whether these choices come with tables of transitions, as solvers that build matrices need them
    is_coupled : whether the crowd changes the transitions
    pays_by_crowd : whether what agents pay themselves, for the same choices, depends on the crowd
    cost_of_moving : the least c of a cost c |a|^2 / 2 of moving, which `dearer` raises; None where nobody knows
    temperature : cost of entropy per unit time, 0 without
    transitions : the tables, where there are some (`has_tables`) and no crowd changes them
    own_cost : l (1 or T, actions, cells), where actions are a finite list
    has_temperature : whether the same choices can be made at any temperature
    is_continuum : whether cells and steps are samples of a continuum, so that a density on another grid, or at other
        times, is a guess on this one
    is_discounted : whether own costs of step t are told times ``time.discounts[t]``; else discount rates are refused
    is_entropic : whether agents choose laws and pay for them by entropy: responses sharpen as the viscosity falls, and
        a density is smooth in its logarithm
    is_trapezoidal : whether costs per unit time count dt / 2 at both ends and act at the last node, too, as a step of
        second order in time needs it; else they count dt at the nodes before the end
    scheme_name, order : of a continuum, what the step is called, and its formal order in the time step where the mesh
        follows that as it should
    space_error : relative error of the mesh alone, e_s, as far as it is known beforehand
    noise_cost : 2 sum_t eps_t of entropic steps, by the share e_s of which sums over cells may be off
    """

    space: Space
    time: TimeGrid
    shape: tuple[int, ...]
    policy_shape: tuple[int, ...]
    reach: tuple[int, ...] = ()
    factors: Sequence[Factor] = ()
    actions = 0
    has_tables = False
    is_coupled = False
    pays_by_crowd = False
    temperature = 0.0
    allowed: np.ndarray
    transitions: Transitions
    own_cost: np.ndarray
    has_temperature = False
    is_continuum = False
    is_discounted = False
    is_trapezoidal = False
    is_entropic = False
    cost_of_moving: float | None = None
    scheme_name = ""
    order = 1.0
    space_error = 0.0
    noise_cost = 0.0
    _changed: Mapping[str, Any] = MappingProxyType({})

    # -- one step ----------------------------------------------------------------------------------------------

    @abstractmethod
    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        """Least value of step t less what the cell costs; fills ``policy`` with what reaches it.

        ``after`` is the value after the control.  What cells cost (``costs.state``) is added by the sweep.
        """

    @abstractmethod
    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        """P(pi) after: the mean of a value where the policy leads, own costs left out."""

    @abstractmethod
    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """P(pi)^T mass: where the mass of each cell lands before the factors act."""

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Change of ``push`` when the value after the control changes by ``change``, at a best response.

        Raises
        ------
        InputError
            where best responses have no derivative: such a game is not for solvers that need one (`is_smooth`)
        """
        raise InputError(f"a {type(self).__name__} has no derivative of its best response; name a solver without")

    @property
    def is_smooth(self) -> bool:
        """Whether best responses change smoothly with costs, and `tangent` says how."""
        return type(self).tangent is not Step.tangent

    # -- sweeps ------------------------------------------------------------------------------------------------

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """V at t = 0 of the best response, which fills ``policy`` (T, ...); ``values`` (T+1, *shape) get all V.

        ``mass`` (T+1, *shape) decides the transitions where the dynamics are coupled to it.
        """
        return sweeps.backward(self, costs, policy, values)

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, *shape) with the flow of its first level under the policy."""
        return sweeps.forward(self, policy, mass)

    def change(self, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Change of mass (T+1, *shape), and of choices (T, actions, states) where seen, when costs change by these."""
        return sweeps.change(self, costs, policy, mass), None

    def own_change(self, policy: np.ndarray, crowd: np.ndarray) -> np.ndarray:
        """Change of what agents pay themselves (T, *shape) under a best response, when the crowd that they pay by
        changes by ``crowd`` (T+1, *shape); only where `pays_by_crowd`."""
        return np.zeros((self.steps, *self.shape))

    def share(self, threads: int | None) -> None:  # noqa: B027
        """Let that many threads share the work of kernels; None decides by its size.  Results do not depend on it."""

    def new_policy(self, price: np.ndarray | None = None) -> np.ndarray:
        """An array for the policy of all steps; it may be the ``price`` itself, which is then overwritten."""
        return np.empty((self.time.steps, *self.policy_shape))

    def diffuse(self, level: np.ndarray, transpose: bool, t: int = 0) -> np.ndarray:
        """All factors on one level: on a value, or (``transpose``) on a mass."""
        from_ = self.factors if transpose else tuple(reversed(self.factors))
        for factor in from_:
            level = factor.push(t, level) if transpose else factor.expect(t, level)
        return level

    @property
    def is_fused(self) -> bool:
        """Whether ``curvature`` and ``conjugate_step`` of the game are kernels of this step."""
        return False

    @property
    def has_noise(self) -> bool:
        """Whether factors act after the control."""
        return bool(self.factors)

    def curvature(
        self, policy: np.ndarray, mass: np.ndarray, direction: np.ndarray, scale: np.ndarray | None, result: np.ndarray,
        identity: float,
    ) -> np.ndarray:  # fmt: skip
        """See `Game.curvature`; only where `is_fused`."""
        raise NotImplementedError

    def conjugate_step(
        self, policy: np.ndarray, mass: np.ndarray, scale: np.ndarray, vectors: tuple[np.ndarray, ...], length: float,
        share: float,
    ) -> float:  # fmt: skip
        """See `Game.conjugate_step`; only where `is_fused`."""
        raise NotImplementedError

    def evaluate(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a policy of tables costs: V (T+1, states) and q (T, actions, states); only tables have action values."""
        raise InputError(f"a {type(self).__name__} has no table of action values")

    @property
    def noises(self) -> list[tuple[slice, tuple[int, ...], Scheme]]:
        """Cells, their shape (z, y, x) and coefficients of every part of the noise that follows the control."""
        return [part for factor in self.factors if isinstance(factor, Noise) for part in factor.parts]

    def for_speed(self, fastest: Callable[[float], float]) -> Step:
        """The same step, wide enough for the fastest agents; most steps are.

        ``fastest`` takes the control cost to the speed that the costs of the game pay for.
        """
        return self

    def own_viscosity(self, policy: Policy, mass: np.ndarray, stated: float) -> float:
        """What the scheme adds to the ``stated`` viscosity, mean over mass-time; NaN where nobody can tell."""
        return math.nan

    # -- policies ----------------------------------------------------------------------------------------------

    @abstractmethod
    def policy_of(self, policy: np.ndarray) -> Policy:
        """The array of a best response as a policy that can be certified, drawn and saved."""

    @abstractmethod
    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        """What a policy costs the agents themselves, with their masses (T+1, *shape)."""

    @abstractmethod
    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> Average:
        """A mean of policies that keeps its crowd in the array ``crowd``, still empty; or one of stored arrays."""

    @abstractmethod
    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        """Fill ``mass`` (T+1, *shape) with the flow of its first level under any policy."""

    def choices(self, policy: Policy) -> np.ndarray:
        """Probabilities (T, actions, cells) of a policy, where actions are a finite list."""
        raise InputError(f"a {type(self).__name__} has no finite list of actions")

    # -- agents one by one -------------------------------------------------------------------------------------

    @property
    def action_names(self) -> list[str]:
        """One name for each choice of ``allowed``."""
        return []

    @cached_property
    def entropy_cost(self) -> np.ndarray:
        """tau (T,), what a unit of entropy costs in each step, discounted; 0 without a temperature."""
        return self.entropy_costs(self.temperature)

    def entropy_costs(self, temperature: float) -> np.ndarray:
        """What a unit of entropy costs in each step at a temperature, (T,)."""
        return temperature * self.dt * self.time.discounts[:-1]

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        """Where each choice of step t leads before the factors; of all steps, unless the crowd (``mass``) decides.

        Raises
        ------
        InputError
            where a step does not say it: then it is not for agents one by one, nor for learners
        """
        raise InputError(
            f"a {type(self).__name__} does not say where single agents go; give it `transitions_at`, `choices`, "
            "`allowed`, `own_cost` and `action_names` (see mfgsolve.steps.Step); densities and certificates need none"
        )

    def law(self) -> Law:
        """Where each choice leads, the factors included."""
        return Law(self)

    def chain(self, policy: Policy) -> MarkovChain:
        """One agent that follows a policy, as a Markov chain: chances of its choices, where they lead, what it pays."""
        law = self.law()
        choices = np.ascontiguousarray(self.choices(policy).transpose(0, 2, 1))
        own, tau = np.broadcast_to(self.own_cost.transpose(0, 2, 1), choices.shape), self.entropy_cost
        if tau.any():
            entropy = np.log(choices, out=np.zeros_like(choices), where=choices > 0)
            own = own + tau[:, None, None] * entropy
        return Chain(law, choices, own)

    def policy_by_chances(self, chances: np.ndarray, visited: np.ndarray) -> Policy:
        """The policy that takes each choice with these chances (T, choices, cells): the inverse of `chain`; what is
        chosen where ``visited`` (T, cells) says that nobody is does not count."""
        self._listed()
        return self.policy_of(chances)

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        """What a policy, whose flow is ``mass``, costs above the best response, by population, and V at t = 0 of that
        (`mfgsolve.steps.excess`); ``costs.state`` may be overwritten."""
        return excess_of_chain(self, self.chain(policy).by_choice(), mass, costs, self.space.populations)

    @property
    def open_choices(self) -> np.ndarray:
        """What agents may choose, (actions, populations, cells of each); where nobody can be, nothing."""
        self._listed()
        return (self.allowed & ~self.space.mask.reshape(-1)).reshape(self.actions, self.space.populations, -1)

    def uniform(self) -> np.ndarray:
        """The policy (T, actions, cells) that takes every allowed action alike."""
        self._listed()
        return np.repeat((self.allowed / self.allowed.sum(axis=0))[None], self.steps, axis=0)

    def _listed(self) -> None:
        if not self.actions:
            raise InputError(f"a {type(self).__name__} has no finite list of actions")

    def speeds(self) -> np.ndarray | None:
        """Speed of every action, (actions, *shape), where agents move along one axis; prices of speed look at it."""
        return None

    # -- policies in datasets, and what tells steps apart ----------------------------------------------------------

    @property
    def policy_form(self) -> PolicyForm:
        """How policies stand in datasets: probabilities of the actions, where these are a finite list.

        Raises
        ------
        InputError
            where they are none: such a step has its own ``policy_form``, `described` and `policy_from`
        """
        if not self.actions:
            raise InputError(
                f"a {type(self).__name__} has no finite list of actions, and does not say how its policies stand in a "
                "dataset; write policy_form, described and policy_from for it"
            )
        return PolicyForm("policy", "action", tuple(self.action_names), "action")

    def described(self, policy: Policy) -> PolicyVariable:
        """A policy as the variable of a dataset."""
        form = self.policy_form
        table = self.choices(policy).reshape(self.steps, self.actions, *self.space.shape)
        attrs = {"units": "1", "long_name": "probability of an action"}
        return PolicyVariable(form, ("step", form.dim, *self.space.dims), table, attrs)

    def policy_from(self, policy: Any) -> Policy:
        """The checked policy of a user or of a file.

        Parameters
        ----------
        policy : a Dataset with the variable of `policy_form`, a labelled array (read by the names of its dimensions
            and coordinates), or a plain one (step, choice, *shape)

        Raises
        ------
        InputError
            for other dimensions, other coordinates (places, times, choices, populations), other shapes, and for what
            is no policy of this step
        """
        array = self.policy_form.array_of(policy, self.space, self.time)
        if self.policy_shape != (self.actions, self.cells):
            raise InputError(
                f"policies of a {type(self).__name__} are no tables (actions, cells); write policy_from for it"
            )
        return self.policy_of(TablePolicy.checked(array, self).probabilities)

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        """Arrays and names that tell this step apart from others, beside what its dynamics were stated with.

        Parameters
        ----------
        masses : of the cells of several crowds, each (cells,), at which the step may be sampled

        The digest in a checkpoint is made of them, so that they are numbers, never a ``repr``.  Here: what best
        responses to values that nobody states by chance cost, and where they lead; see `mfgsolve.steps.identity`.
        """
        return sampled_responses(self, masses)

    # -- steps near this one -----------------------------------------------------------------------------------

    def with_changes(self, **changes: Any) -> Self:
        """The same step with other attributes; all arrays are shared."""
        other = copy.copy(self)
        other._changed = self.changes() | changes
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def changes(self) -> dict[str, Any]:
        """What `with_changes` has made different from the step that the dynamics bind to."""
        return dict(self._changed)

    def with_exits(self, paid: np.ndarray) -> Step:
        """The same step, in which agents pay ``paid`` (T+1, *shape), discounted, where and when they leave."""
        raise InputError(f"a {type(self).__name__} knows no exits; write with_exits for it, or leave them out")

    def dearer(self, heat: float) -> Step:
        """The same step, in which moving costs ``heat`` times as much; only where `cost_of_moving` is known."""
        raise InputError(f"a {type(self).__name__} does not say what moving costs; it cannot be made dearer")

    def noisier(self, heat: float) -> Step:
        """The same step with ``heat`` times the viscosity, and as wide as that needs; only where `is_entropic`."""
        raise InputError(f"a {type(self).__name__} is not made smoother by viscosity")

    # -- numbers -----------------------------------------------------------------------------------------------

    @property
    def steps(self) -> int:
        return int(self.time.steps)

    @property
    def dt(self) -> float:
        return self.time.dt

    @property
    def cells(self) -> int:
        return self.space.size

    def slabs(self) -> list[slice]:
        """Slices of time steps short enough for temporaries to stay in cache."""
        return slabs(self.steps, self.cells)

    def lower(self) -> np.ndarray:
        """Take out of own costs what all pay whatever they choose, (1 or T, populations); see `games.constants`."""
        return np.zeros((self.steps, self.space.populations))
