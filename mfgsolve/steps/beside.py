"""Several populations side by side, each with a step of its own on the same grid: they meet in what they pay alone.

Levels are (populations, *level of one), policies (T, populations, *policy of one).  Every verb is that of the parts,
one after the other, so that kernels, certificates and policies of one population serve for several.  The parts are
upwind steps: policies of entropic ones have widths of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mfgsolve.errors import InputError
from mfgsolve.grids import TimeGrid
from mfgsolve.kernels.scheme import NO_NOISE
from mfgsolve.spaces import Populations
from mfgsolve.steps.chain import Chain
from mfgsolve.steps.costs import Costs, OwnCost
from mfgsolve.steps.factors import Factor, Noise, expect_all, push_all
from mfgsolve.steps.policies import Average, Policy, PolicyForm, PolicyVariable
from mfgsolve.steps.step import Step
from mfgsolve.steps.transitions import Transitions

__all__ = ["Beside", "Together"]


@dataclass(frozen=True, eq=False)
class Together(Policy):
    """What each population does, in their order."""

    parts: tuple[Policy, ...]


class Apart(Factor):
    """The factors of each population on its own cells."""

    def __init__(self, parts: Sequence[Step]):
        self.parts = parts
        self.is_steady = all(factor.is_steady for part in parts for factor in part.factors)

    def expect(self, t: int, value: np.ndarray) -> np.ndarray:
        """F value of each."""
        return np.stack([expect_all(part.factors, t, row) for part, row in self._rows(value)]).reshape(value.shape)

    def push(self, t: int, mass: np.ndarray) -> np.ndarray:
        """F^T mass of each."""
        return np.stack([push_all(part.factors, t, row) for part, row in self._rows(mass)]).reshape(mass.shape)

    def _rows(self, level: np.ndarray) -> list[tuple[Step, np.ndarray]]:
        rows = np.ascontiguousarray(level).reshape(len(self.parts), -1)
        return [(part, row.reshape(part.shape)) for part, row in zip(self.parts, rows, strict=True)]


class Beside(Step):
    """Steps of several populations; see the module.

    Parameters
    ----------
    space, time : of all
    parts : a step for each population on the space of one, all of one kind
    """

    space: Populations

    def __init__(self, space: Populations, time: TimeGrid, parts: Sequence[Step]):
        first = parts[0]
        self.space, self.time, self.parts = space, time, tuple(parts)
        self.shape = (len(parts), *first.shape)
        self.policy_shape = (len(parts), *first.policy_shape)
        self.is_discounted = all(part.is_discounted for part in parts)
        self.scheme_name, self.order = first.scheme_name, first.order

    @property
    def factors(self) -> tuple[Factor, ...]:  # type: ignore[override]
        """The noise of all, where nothing else acts on anybody; else all that acts."""
        if not any(part.factors for part in self.parts):
            return ()
        if any(getattr(part, "others", ()) for part in self.parts):
            return (Apart(self.parts),)
        size, noises = self.cells // len(self.parts), []
        for p, part in enumerate(self.parts):
            for cells, shape, scheme in part.noises:
                if scheme.noise != NO_NOISE:
                    noises.append((slice(p * size + cells.start, p * size + cells.stop), shape, scheme))
        return (Noise(noises),)

    def share(self, threads: int | None) -> None:
        for part in self.parts:
            part.share(threads)

    # -- one step ----------------------------------------------------------------------------------------------

    def best(self, t: int, after: np.ndarray, costs: Costs, policy: np.ndarray) -> np.ndarray:
        return np.stack(
            [part.best(t, after[p].copy(), self._costs(costs, p), policy[p]) for p, part in enumerate(self.parts)]
        )

    def expect(self, t: int, policy: np.ndarray, after: np.ndarray) -> np.ndarray:
        return np.stack([part.expect(t, policy[p], after[p]) for p, part in enumerate(self.parts)])

    def push(self, t: int, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        return np.stack([part.push(t, policy[p], mass[p]) for p, part in enumerate(self.parts)])

    def tangent(self, t: int, policy: np.ndarray, mass: np.ndarray, change: np.ndarray) -> np.ndarray:
        return np.stack([part.tangent(t, policy[p], mass[p], change[p]) for p, part in enumerate(self.parts)])

    @property
    def is_smooth(self) -> bool:
        return all(part.is_smooth for part in self.parts)

    # -- sweeps, by the kernels of the parts -------------------------------------------------------------------

    def _costs(self, costs: Costs, p: int) -> Costs:
        return Costs(np.ascontiguousarray(costs.state[:, p]), costs.weights, costs.terminal[p].copy())

    def backward(
        self, costs: Costs, policy: np.ndarray, mass: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        result = np.empty(self.shape)
        for p, part in enumerate(self.parts):
            own = part.new_policy()
            every = None if values is None else np.empty((self.steps + 1, *part.shape))
            result[p] = part.backward(self._costs(costs, p), own, None, every)
            policy[:, p] = own[: self.steps]
            if values is not None:
                values[:, p] = every
        return result

    def forward(self, policy: np.ndarray, mass: np.ndarray) -> np.ndarray:
        for p, part in enumerate(self.parts):
            mass[:, p] = part.forward(_own(policy, p), _own(mass, p))
        return mass

    def change(self, costs: Costs, policy: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        moved = np.empty((self.steps + 1, *self.shape))
        plain = bool((costs.weights == 1.0).all()) and not costs.terminal.any()
        for p, part in enumerate(self.parts):
            mine, own, here = self._costs(costs, p), _own(policy, p), _own(mass, p)
            if part.is_fused and plain:  # both sweeps in one kernel, which gives their negative
                part.curvature(own, here, mine.state, None, result := np.empty_like(here), 0.0)
                moved[:, p] = -result
            else:
                moved[:, p] = part.change(mine, own, here)[0]
        return moved, None

    # -- policies ----------------------------------------------------------------------------------------------

    def policy_of(self, policy: np.ndarray) -> Together:
        return Together(tuple(part.policy_of(_own(policy, p)) for p, part in enumerate(self.parts)))

    def _each(self, policy: Policy) -> Iterator[tuple[int, Step, Policy]]:
        assert isinstance(policy, Together)
        for p, (part, own) in enumerate(zip(self.parts, policy.parts, strict=True)):
            yield p, part, own

    def cost(self, policy: Policy, mass: np.ndarray) -> OwnCost:
        costs = [part.cost(own, _own(mass, p)) for p, part, own in self._each(policy)]
        share = np.asarray(self.space.masses) / sum(self.space.masses)
        capped = float(share @ [cost.capped for cost in costs])
        paid, above, size = (float(sum(cost[k] for cost in costs)) for k in range(3))
        return OwnCost(paid, above, size, capped)

    def excess(self, policy: Policy, mass: np.ndarray, costs: Costs) -> tuple[np.ndarray, np.ndarray]:
        both = [part.excess(own, _own(mass, p), self._costs(costs, p)) for p, part, own in self._each(policy)]
        return np.concatenate([excess for excess, _ in both]), np.stack([value for _, value in both])

    def follow(self, policy: Policy, mass: np.ndarray) -> np.ndarray:
        for p, part, own in self._each(policy):
            mass[:, p] = part.follow(own, _own(mass, p))
        return mass

    def new_average(self, crowd: np.ndarray, arrays: dict[str, np.ndarray] | None = None) -> Average:
        raise InputError(
            "several populations of diffusions have no mean of policies, which fictitious play and Frank-Wolfe take; "
            "use newton"
        )

    # -- policies in datasets ----------------------------------------------------------------------------------

    @property
    def policy_form(self) -> PolicyForm:
        return self.parts[0].policy_form

    def described(self, policy: Policy) -> PolicyVariable:
        told = [part.described(own) for _, part, own in self._each(policy)]
        first = told[0]
        fields: dict[str, tuple[Any, ...]] = dict(first.companions)
        for name, (dims, _, attrs) in first.companions.items():
            if tuple(dims[-self.space.space.ndim :]) == self.space.space.dims:  # else names, which are those of all
                fields[name] = (*_stacked(dims, [each.companions[name][1] for each in told], self.space), attrs)
        dims, values = _stacked(first.dims, [each.values for each in told], self.space)
        return PolicyVariable(first.form, dims, values, first.attrs, fields)

    def policy_from(self, policy: Any) -> Together:
        array = np.asarray(self.policy_form.array_of(policy, self.space, self.time))
        axis = array.ndim - self.space.ndim
        if not axis > 0 or array.shape[axis:] != self.space.shape:
            raise InputError(f"policy has shape {array.shape}; its last dimensions must be {self.space.shape}")
        return Together(tuple(part.policy_from(array.take(p, axis)) for p, part in enumerate(self.parts)))

    # -- agents one by one -------------------------------------------------------------------------------------

    @property
    def action_names(self) -> list[str]:
        return self.parts[0].action_names

    @property
    def allowed(self) -> np.ndarray:  # type: ignore[override]
        return np.concatenate([part.allowed for part in self.parts], axis=1)

    @property
    def open_choices(self) -> np.ndarray:
        return np.concatenate([part.open_choices for part in self.parts], axis=1)

    def transitions_at(self, t: int, mass: np.ndarray) -> Transitions:
        """Where each choice leads: one cell of the same population."""
        size, rows = self.cells // len(self.parts), []
        for p, part in enumerate(self.parts):
            rows.append(part.transitions_at(t, mass).successor.reshape(-1, size) + p * size)
        target = np.concatenate(rows, axis=1).reshape(-1)
        return Transitions(np.arange(target.size + 1)[None], target.astype(np.int32), np.ones(target.size))

    def chain(self, policy: Policy) -> Chain:
        chains = [one for _, part, own in self._each(policy) if isinstance(one := part.chain(own), Chain)]
        assert len(chains) == len(self.parts)
        choices = np.concatenate([each.choices for each in chains], axis=1)
        own = np.concatenate([each.own_cost for each in chains], axis=1)
        return Chain(self.law(), choices, own)

    # -- what tells steps apart, and steps near this one ---------------------------------------------------------

    def identity(self, masses: Sequence[np.ndarray]) -> Iterator[Any]:
        size = self.cells // len(self.parts)
        for p, part in enumerate(self.parts):
            yield from part.identity([mass.reshape(-1)[p * size : (p + 1) * size] for mass in masses])

    @property
    def cost_of_moving(self) -> float | None:  # type: ignore[override]
        least = [part.cost_of_moving for part in self.parts]
        return None if None in least else min(least)  # type: ignore[type-var]

    def dearer(self, heat: float) -> Self:
        return self.with_changes(parts=tuple(part.dearer(heat) for part in self.parts))


def _own(levels: np.ndarray, p: int) -> np.ndarray:
    """The rows of a population, side by side in memory."""
    return np.ascontiguousarray(levels[:, p])


def _stacked(dims: Sequence[str], rows: Sequence[np.ndarray], space: Populations) -> tuple[tuple[str, ...], np.ndarray]:
    """Arrays of the populations as one, whose dimension stands before those of the space."""
    axis = len(dims) - space.space.ndim
    return (*dims[:axis], space.label, *dims[axis:]), np.stack(rows, axis=axis)
