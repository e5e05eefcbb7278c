"""Dynamics and a step that nobody but these tests knows: dense matrices, softmax choices, policies of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import mfgsolve as mfg
from mfgsolve.dynamics import Dynamics
from mfgsolve.steps import Average, OwnCost, Policy, Step

STATES, STEPS = 5, 4


@dataclass(frozen=True)
class HopPolicy(Policy):
    """Chances of the two hops, (T, 2, states)."""

    chances: np.ndarray


class HopAverage(Average):
    """Crowd and occupation."""

    def __init__(self, crowd: np.ndarray, occupation: np.ndarray):
        self.crowd, self.occupation = crowd, occupation

    def arrays(self) -> dict[str, np.ndarray]:
        return {"crowd": self.crowd, "occupation": self.occupation}

    def mix(self, game: Any, policy: np.ndarray, crowd: np.ndarray, length: float) -> None:
        newest = policy * crowd[:-1, None]
        self.occupation[:] = newest if length == 1 else self.occupation + length * (newest - self.occupation)
        self.crowd[:] = crowd if length == 1 else self.crowd + length * (crowd - self.crowd)


class Hops(Step):
    """Stay, or hop one state on around the ring and pay for it; at a temperature, by tables that no kernel knows."""

    actions = 2
    action_names = ("stay", "hop")  # type: ignore[assignment]

    def __init__(self, space: Any, time: Any, price: float, temperature: float):
        self.space, self.time, self.temperature = space, time, temperature
        self.shape, self.policy_shape = (space.size,), (2, space.size)
        self.matrices = np.stack([np.eye(space.size), np.roll(np.eye(space.size), 1, axis=1)])
        self.allowed = np.ones(self.policy_shape, dtype=bool)
        self.own_cost = np.repeat([[[0.0], [price]]], space.size, axis=2)
        self.tau = temperature * time.dt

    def best(self, t, after, costs, policy):
        q = self.own_cost[0] + self.matrices @ after
        low = q.min(axis=0)
        weight = np.exp(-(q - low) / self.tau)
        policy[:] = weight / weight.sum(axis=0)
        return low - self.tau * np.log(weight.sum(axis=0))

    def expect(self, t, policy, after):
        return (policy * (self.matrices @ after)).sum(axis=0)

    def push(self, t, policy, mass):
        return np.einsum("axy,ax->y", self.matrices, policy * mass)

    def tangent(self, t, policy, mass, change):
        moved = self.matrices @ change
        return self.push(t, -policy * (moved - (policy * moved).sum(axis=0)) / self.tau, mass)

    def policy_of(self, policy):
        return HopPolicy(policy)

    def choices(self, policy):
        if isinstance(policy, HopAverage):
            mass = policy.occupation.sum(axis=1, keepdims=True)
            return np.where(mass > 0, policy.occupation / np.where(mass > 0, mass, 1.0), 0.5)
        return policy.chances

    def cost(self, policy, mass):
        chances = self.choices(policy)
        entropy = np.log(chances, out=np.zeros_like(chances), where=chances > 0)
        cost = float((chances * mass[:-1, None] * (self.own_cost + self.tau * entropy)).sum())
        return OwnCost(cost, abs(cost), abs(cost))

    def new_average(self, crowd, arrays=None):
        return HopAverage(**arrays) if arrays is not None else HopAverage(crowd, self.new_policy())

    def follow(self, policy, mass):
        return self.forward(self.choices(policy), mass)


@dataclass(frozen=True)
class Hopping(Dynamics):
    """Binds to `Hops`."""

    price: float = 0.1
    temperature: float = 0.5

    has_rounds = True

    @property
    def identity(self):
        return "hopping"  # the arrays of the step tell the rest

    @property
    def action_count(self):
        return 2

    def bind(self, space, time, initial):
        return Hops(space, time, self.price, self.temperature)


def hopping(**stated: Any) -> mfg.Problem:
    """A crowd on a ring of states that is drawn to the last one and shuns itself."""
    start = np.zeros(STATES)
    start[0] = 1.0
    return mfg.Problem(
        grid=mfg.States(STATES), time=mfg.TimeGrid(STEPS, STEPS), dynamics=Hopping(**stated),
        coupling=mfg.CrowdAversion(0.5), initial=start, terminal=np.array([2.0, 2, 1, 1, 0]),
    )  # fmt: skip


def as_tables(price: float = 0.1, temperature: float = 0.5) -> mfg.Problem:
    """The same game in the tables of the package."""
    hop = np.roll(np.eye(STATES), 1, axis=1)
    cost = np.repeat([[0.0], [price]], STATES, axis=1)
    given, problem = mfg.Tabular([np.eye(STATES), hop], cost, temperature, actions=["stay", "hop"]), hopping()
    return mfg.Problem(problem.grid, problem.time, given, problem.coupling, problem.initial, problem.terminal)
