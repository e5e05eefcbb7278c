"""Agents that follow a policy: the chain that each of them is, and what the crowd that they are costs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfgsolve.agents.play import Play

__all__ = ["CrowdCosts", "Walk"]


@dataclass(frozen=True)
class CrowdCosts:
    """What a crowd costs.

    Attributes
    ----------
    total : (states,), of all agents over the whole time, own costs included, by the state in which they pay
    state : (T+1, states), of being in each state at each node, what the end costs included
    action : (T, actions, states), of choosing; None where choices cost nothing beside the agent's own cost
    """

    total: np.ndarray
    state: np.ndarray
    action: np.ndarray | None


class Walk:
    """The agents of a `Play`.

    Attributes
    ----------
    chain : of one of them, see `mfgsolve.steps.chain`
    steps, states : how many
    """

    def __init__(self, play: Play):
        self.play, self.game = play, play.game
        self.chain = play.game.step.chain(play.policy)
        self.steps, self.states = self.chain.steps, self.chain.states

    def costs(self, mass: np.ndarray, chosen: np.ndarray) -> CrowdCosts:
        """What agents pay in the crowd that they are: ``mass`` (T+1, states), ``chosen`` (T, actions, states) the mass
        of every choice (read only where agents pay by choice)."""
        game, own = self.game, self.chain.own_cost
        crowd = game.aggregate(mass, chosen, game.empty_crowd(), weighed=True)
        price = game.flat(game.price(crowd))
        if self.play.multiplier is not None:
            price = price + game.flat(self.play.multiplier)
        state = price[:, : self.states] * game.weights[:, None]
        state[-1] += game.terminal_cost.reshape(-1)
        by_choice, action = 0.0, None
        if game.sees_choices:
            action = game.action_costs(price, slice(0, self.steps))
            by_choice = (chosen * action).sum(axis=(0, 1))
        if self.chain.pays_by_choice:
            by_choice = by_choice + (chosen * own.transpose(0, 2, 1)).sum(axis=(0, 1))
        else:
            by_choice = by_choice + (own[:, :, 0] * mass[:-1]).sum(axis=0)
        return CrowdCosts((state * mass).sum(axis=0) + by_choice, state, action)

    def mean_costs(self, mass: np.ndarray) -> CrowdCosts:
        """The same for a mass that chooses exactly as the policy says."""
        return self.costs(mass, self.chain.occupation(mass))
