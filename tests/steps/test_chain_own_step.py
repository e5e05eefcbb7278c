"""A step of one's own, from nothing but its abstract verbs and its tables: its agents walk, and its regret is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.dynamics.base import Dynamics
from mfgsolve.errors import InputError
from mfgsolve.steps import OwnCost, Step, Transitions
from mfgsolve.steps.table_policies import OccupationAverage, TablePolicy

SLIP = 0.25


class Hop(Step):
    """On a ring: stay, or hop one cell on for a cost, which fails with chance `SLIP`."""

    actions, is_discounted = 2, True

    def __init__(self, space, time, price):
        self.space, self.time, self.shape = space, time, (space.size,)
        self.policy_shape, self.allowed = (2, space.size), np.ones((2, space.size), dtype=bool)
        self.own_cost = np.broadcast_to([[0.0], [price]], (1, 2, space.size)).copy()

    @property
    def action_names(self):
        return ["stay", "hop"]

    def _after(self, after):
        return np.stack([after, SLIP * after + (1 - SLIP) * np.roll(after, -1)])

    def best(self, t, after, costs, policy):
        q = self.own_cost[0] + self._after(after)
        policy[:] = q == q.min(axis=0)
        policy /= policy.sum(axis=0)
        return q.min(axis=0)

    def expect(self, t, policy, after):
        return (policy * self._after(after)).sum(axis=0)

    def push(self, t, policy, mass):
        stay, hop = policy * mass
        return stay + SLIP * hop + (1 - SLIP) * np.roll(hop, 1)

    def transitions_at(self, t, mass):
        cells = np.arange(self.cells, dtype=np.int32)
        hops = np.stack([cells, np.roll(cells, -1)], axis=1).reshape(-1)
        first = np.concatenate([np.arange(self.cells), self.cells + 2 * np.arange(self.cells + 1)])
        chance = np.concatenate([np.ones(self.cells), np.tile([SLIP, 1 - SLIP], self.cells)])
        return Transitions(first[None], np.concatenate([cells, hops]), chance)

    def policy_of(self, policy):
        return TablePolicy(policy)

    def choices(self, policy):
        return policy.policy(self.uniform()) if isinstance(policy, OccupationAverage) else policy.probabilities

    def cost(self, policy, mass):
        total = float((self.choices(policy) * self.own_cost * mass[:-1, None]).sum())
        return OwnCost(total, total, total)

    def new_average(self, crowd, arrays=None):
        return OccupationAverage(crowd, self.new_policy())

    def follow(self, policy, mass):
        return self.forward(self.choices(policy), mass)


class Mute(Hop):
    """The same that says nothing of single agents."""

    transitions_at = Step.transitions_at


@dataclass(frozen=True)
class Hopping(Dynamics):
    price: float
    kind: type = Hop

    @property
    def identity(self):
        return ("hopping", self.price)

    def bind(self, space, time, initial):
        return self.kind(space, time, self.price)


def problem(kind=Hop) -> mfg.Problem:
    return mfg.Problem(grid=mfg.States(6), time=mfg.TimeGrid(4.0, 4), dynamics=Hopping(0.1, kind),
                       coupling=mfg.CrowdAversion(1.0), initial=np.array([0.5, 0.3, 0.2, 0, 0, 0]),
                       terminal=np.array([1.0, 1, 1, 0, 0, 0]))  # fmt: skip


POLICY = np.stack([np.full((4, 6), 0.3), np.full((4, 6), 0.7)], axis=1)


@pytest.mark.parametrize("method", ["counts", "agents"])
def test_agents_of_a_step_of_ones_own_walk(method):
    data = mfg.simulate(problem(), 20_000, 3, rng=0, method=method, policy=POLICY, tagged=10)
    assert abs(data.density.mean("replica") - data.mean_field_density).max() < 0.01
    assert float(data.cost.mean()) == pytest.approx(float(data.mean_field_cost), rel=0.02)
    steps = np.diff(data.tagged_cell.values, axis=-1) % 6
    assert set(np.unique(steps)) == {0, 1}


def test_its_regret_falls_to_the_exploitability_of_the_plan():
    gap = mfg.nash_gap(problem(), [10, 10**9], policy=POLICY)
    assert float(gap.regret[1]) == pytest.approx(gap.attrs["exploitability"], rel=1e-8)
    assert float(gap.cost[1]) == pytest.approx(gap.attrs["mean_field_cost"], rel=1e-8)
    assert abs(float(gap.regret[0]) / float(gap.regret[1]) - 1) > 1e-3
    data = mfg.compare(problem(), agents=[10, 1000], replicas=5, policy=POLICY)
    assert np.isfinite(data.regret).all()
    assert float(data.l2_mean[1]) < float(data.l2_mean[0])


def test_a_step_that_does_not_say_where_agents_go_is_refused():
    with pytest.raises(InputError, match="a Mute does not say where single agents go; give it `transitions_at`"):
        mfg.simulate(problem(Mute), 10, policy=POLICY)
    assert np.isfinite(mfg.exploitability(problem(Mute), POLICY).cost)  # nothing else needs it
