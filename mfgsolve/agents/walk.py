"""One agent that follows a policy, as a Markov chain in arrays: choice, transition, noise.

All dynamics become one: a controlled diffusion chooses among "stay" and its neighbours with probability q = dt s / h.
The mean of many such agents is the flow of the game, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.agents.noise import noise_arrays, noise_walks
from mfgsolve.agents.play import Play
from mfgsolve.games import Game
from mfgsolve.kernels import finite
from mfgsolve.kernels.scheme import EXPLICIT
from mfgsolve.steps.speed_policies import MovingPolicy
from mfgsolve.steps.table_policies import TablePolicy
from mfgsolve.steps.transitions import Transitions

__all__ = ["Bill", "Walk"]


@dataclass(frozen=True)
class Bill:
    """What a crowd costs: ``paid`` by all agents, by the state they pay it in; ``being`` somewhere, (T+1, states);
    ``choosing`` something, (1 or T, actions, states), None where choices cost nothing beside their own cost."""

    paid: np.ndarray
    being: np.ndarray
    choosing: np.ndarray | None


class Walk:
    """The chain of a `Play`.

    Attributes
    ----------
    choices : probability (T, states, actions) of each action
    own_cost : what the agent pays itself in a step, (T, states, actions), the entropy of its choice included
    certain : whether every choice has one successor
    noises, noise_arrays : implicit noise along each axis, see `mfgsolve.agents.noise`
    """

    def __init__(self, play: Play):
        self.play, self.game = play, play.game
        game = play.game
        if not game.has_tables:
            assert isinstance(play.policy, MovingPolicy)
            self.choices, self.own_cost = _speeds(game, play.policy)
            self._table = _steps(game)
        else:
            assert isinstance(play.policy, TablePolicy)
            self.choices = np.ascontiguousarray(play.policy.probabilities.transpose(0, 2, 1))
            self.own_cost = _paid(game, self.choices)
            self._table = game.transitions
        self.steps, self.states, self.actions = self.choices.shape
        self.certain = _is_certain(self._table) and not play.game.problem.is_coupled
        self.noises = noise_walks(game)
        self.noise_arrays = noise_arrays(self.noises, self.states)

    def transitions(self, t: int, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, successors and chances of step t; ``mass`` (states,) decides where the dynamics are coupled to it."""
        table = self._table
        if self.game.problem.is_coupled:
            table = self.game.transitions_at(t, mass)
        return table.first[min(t, table.first.shape[0] - 1)], table.successor, table.chance

    def bill(self, mass: np.ndarray, chosen: np.ndarray) -> Bill:
        """What agents pay in the crowd that they are: ``mass`` (T+1, states), ``chosen`` (T, actions, states) the mass
        of every choice (read in finite games only)."""
        game, crowd, choosing = self.game, self.game.empty_crowd(), None
        if game.has_tables:
            game.aggregate(mass, chosen, crowd, weighed=True)
        else:
            crowd[...] = mass.reshape(crowd.shape)
        price = game.flat(game.price(crowd))
        if self.play.toll is not None:
            price = price + game.flat(self.play.toll)
        being = price[:, : self.states] * game.weights[:, None]
        being[-1] += game.terminal_cost.reshape(-1)
        paid = (being * mass).sum(axis=0)
        if game.has_tables:
            choosing = game.action_costs(price, slice(0, self.steps))
            paid += (chosen * choosing).sum(axis=(0, 1)) + (chosen * self.own_cost.transpose(0, 2, 1)).sum(axis=(0, 1))
        else:
            paid += (self.own_cost[:, :, 0] * mass[:-1]).sum(axis=0)
        return Bill(paid, being, choosing)

    def mean_bill(self, mass: np.ndarray) -> Bill:
        """The same for a mass that chooses exactly as the policy says."""
        return self.bill(mass, self.choices.transpose(0, 2, 1) * mass[:-1, None])

    def expect(self, t: int, mass: np.ndarray) -> np.ndarray:
        """Mass (states,) one step on: the mean of agents that start from ``mass`` at step t."""
        levels = np.stack([mass, mass])
        first, successor, chance = self.transitions(t, mass)
        policy = np.ascontiguousarray(self.choices[t].T)[None]
        finite.forward(policy, first[None], successor, chance, levels)
        out = levels[1]
        for noise in self.noises:
            out = _expected_drift(out, noise.right, noise.cells, noise.stride, noise.ring, backward=False)
            out = _expected_drift(out, noise.left, noise.cells, noise.stride, noise.ring, backward=True)
        return out


def _expected_drift(
    mass: np.ndarray, share: np.ndarray, cells: int, stride: int, ring: bool, backward: bool
) -> np.ndarray:
    """Mean of what the kernel ``drift`` samples."""
    lines, p = (np.moveaxis(a.reshape(-1, cells, stride), 1, 0) for a in (mass, share))
    if backward:
        lines, p = lines[::-1], p[::-1]
    out, carry = np.zeros_like(lines), np.zeros(lines.shape[1:])
    for turn in range(2):  # a ring once more, from what the first turn carries over; the rest in closed form
        for i in range(cells):
            here = lines[i] * (turn == 0) + carry
            carry = p[i] * here
            out[i] += here - carry
        if not ring:
            break
        if turn == 0:
            around = np.prod(p, axis=0)
            carry = carry / (1.0 - around)
    out = out[::-1] if backward else out
    return np.ascontiguousarray(np.moveaxis(out, 0, 1)).reshape(-1)


def _speeds(game: Game, policy: MovingPolicy) -> tuple[np.ndarray, np.ndarray]:
    """Chance of staying and of each move, (T, states, 1 + moves), and the cost of moving (T, states, 1)."""
    moves, scheme = 2 * game.grid.ndim, game.scheme
    choices, own = np.empty((game.steps, game.cells, 1 + moves)), np.empty((game.steps, game.cells, 1))
    sides = [scheme.distance(axis - 1, side) for axis in game.step.mesh.axes for side in (0, 1)]
    distance = np.stack([np.broadcast_to(h, game.shape).reshape(-1) for h in sides])
    for nodes in game.slabs():
        speed = policy.speed(game.step.mesh, nodes).reshape(-1, moves, game.cells)
        chance = (game.dt / distance) * speed
        choices[nodes, :, 1:] = chance.transpose(0, 2, 1)
        choices[nodes, :, 0] = np.maximum(1.0 - chance.sum(axis=1), 0.0)  # -1e-16 where all speeds are at the cap
        own[nodes, :, 0] = (0.5 * scheme.control_cost[nodes] * game.dt)[:, None] * (speed**2).sum(axis=1)
    return choices, own


def _paid(game: Game, choices: np.ndarray) -> np.ndarray:
    """l + tau log pi, (T, states, actions)."""
    own = np.broadcast_to(game.own_cost.transpose(0, 2, 1), choices.shape)
    if game.tau == 0:
        return own
    return own + game.tau * np.log(choices, out=np.zeros_like(choices), where=choices > 0)


def _steps(game: Game) -> Transitions:
    """Where each move leads; with explicit noise, what it is spread over from there."""
    cells = np.arange(game.cells).reshape(game.shape)
    targets = [cells] + [np.roll(cells, shift, axis - 1) for axis in game.step.mesh.axes for shift in (-1, 1)]
    target = np.concatenate([t.reshape(-1) for t in targets])
    if game.scheme.noise != EXPLICIT:
        return Transitions(np.arange(target.size + 1)[None], target.astype(np.int32), np.ones(target.size))
    free = ~game.grid.mask.reshape(-1)
    place = np.indices(game.shape).reshape(3, -1)
    chance = np.zeros((game.cells, len(targets)))
    for k, near in enumerate(targets[1:], start=1):
        axis = game.step.mesh.axes[(k - 1) // 2] - 1
        edge = place[axis] == (game.shape[axis] - 1 if k % 2 else 0)
        open_ = free & free[near.reshape(-1)] & ~(edge & (game.scheme.periodic[axis] == 0))
        rate = game.scheme.rate[axis]  # of each cell, where cells differ
        chance[open_, k] = rate[1 - k % 2, place[axis]][open_] if isinstance(rate, np.ndarray) else rate
    chance[:, 0] = 1.0 - chance.sum(axis=1)
    around = np.stack([t.reshape(-1) for t in targets], axis=1)
    first = np.arange(target.size + 1) * len(targets)
    return Transitions(first[None], around[target].reshape(-1).astype(np.int32), chance[target].reshape(-1))


def _is_certain(table: Transitions) -> bool:
    """One successor for every row, in order."""
    return table.first.shape[0] == 1 and bool((np.diff(table.first[0]) == 1).all())
