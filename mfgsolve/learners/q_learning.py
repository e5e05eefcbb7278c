"""Q-learning on a finite game, out of parts: exploration, step size, value target, replay, and the function that is
learned.

    q(t, x, a)  moves toward  r + v(t+1, x'),     v(T, .) = 0 (what the end costs is part of the last reward)

with the value target v = max_a q ("max", Watkins and Dayan, doi:10.1007/BF00992698), or v = sum_a pi q, pi what the
exploration would do ("expected", van Seijen et al., doi:10.1109/ADPRL.2009.4927542) or a policy that is to be judged.
At a temperature tau > 0 the maximum is tau log sum_a exp(q / tau), and policies earn -tau log pi besides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, unknown
from mfgsolve.games import Game
from mfgsolve.learners.protocol import Learner, Observation, Transition
from mfgsolve.parts.exploration import Exploration
from mfgsolve.parts.functions import Table
from mfgsolve.parts.replay import Replay
from mfgsolve.parts.schedules import Constant, StepSize, Visits

__all__ = ["QLearner"]

TARGETS = ("max", "expected")
GREEDY = 1e-9  # values that are that close, relative to the largest, are tied


class QLearner(Learner):
    """Independent Q-learning of all agents of a population on one function.

    Parameters
    ----------
    game : the finite game
    exploration : `Boltzmann` or `EpsilonGreedy`
    step : step size, of the number of updates of (t, x, a) with a table, else of all updates
    target : "max" or "expected"
    function : what holds q, see `mfgsolve.parts.functions`; None is a table over (step, state)
    features : inputs of the function from (step (rows,), state (rows,)); needed with one that is no table
    replay : transitions are kept, and ``batches`` minibatches of ``batch`` drawn from them in an update; None learns
        from each episode once, from its end to its start
    follow : probabilities (steps, actions, states) of the policy to be judged, in place of a target
    """

    def __init__(
        self, game: Game, exploration: Exploration, step: StepSize | float = 0.1, *, target: str = "max",
        function: Any = None, features: Callable[..., np.ndarray] | None = None, replay: Replay | None = None,
        batch: int = 256, batches: int = 10, follow: np.ndarray | None = None,
    ):  # fmt: skip
        if target not in TARGETS:
            raise InputError(unknown("value target", target, TARGETS))
        if (function is None) != (features is None):
            raise InputError("a function other than a table needs features(step, state), and features need a function")
        self.game, self.exploration, self.target = game, exploration, target
        self.schedule = step if isinstance(step, StepSize) else Constant(float(step))
        self.function = Table((game.steps, game.cells), game.step.actions) if function is None else function
        self.features = features
        self.replay, self.batch, self.batches = replay, batch, batches
        self.follow = follow
        self.updates = 0
        self._visits = Visits(self.schedule, (game.steps, game.cells, game.step.actions)) if features is None else None
        self._episode: list[Transition] = []

    def values(self, step: np.ndarray, state: np.ndarray) -> np.ndarray:
        """q (rows, actions)."""
        if self.features is None:
            return np.asarray(self.function.value(np.stack([step, state], axis=1)))
        return np.asarray(self.function.value(self.features(step, state)))

    def act(self, observation: Observation, field: Any, rng: np.random.Generator) -> np.ndarray:
        """Explore."""
        state = observation.state
        q = self.values(np.full(state.size, observation.step), state)
        return self.exploration.sample(q, rng, self.game.step.allowed[:, state].T)

    def observe(self, transition: Transition) -> None:
        """Keep it for the update."""
        if not np.isfinite(transition.reward).all():
            raise InputError(f"a reward in step {transition.step} is not finite; look at the costs of the game")
        self._episode.append(transition)

    def update(self, rng: np.random.Generator) -> None:
        """Learn from the episode, or from minibatches of the replay."""
        if self.replay is None:
            for happened in reversed(self._episode):
                self._fit(_rows(happened))
        else:
            for happened in self._episode:
                self.replay.add(**_rows(happened))
            for _ in range(self.batches):
                self._fit(self.replay.sample(self.batch, rng))
        self._episode = []

    def _fit(self, rows: dict[str, np.ndarray]) -> None:
        step, state, action = rows["step"], rows["state"], rows["action"]
        after = np.zeros(step.size)
        going = ~rows["done"]
        if going.any():
            after[going] = self._value(step[going] + 1, rows["next_state"][going])
        targets = rows["reward"] + after
        self.updates += 1
        if self._visits is not None:
            length = self._lengths(step, state, action)
            self.function.fit(np.stack([step, state], axis=1), targets, length, chosen=action)
        else:
            assert self.features is not None
            self.function.fit(self.features(step, state), targets, self.schedule(self.updates), chosen=action)

    def _lengths(self, step: np.ndarray, state: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Step sizes; agents that meet in an entry count as one update of it, since a table moves by their mean."""
        assert self._visits is not None
        flat = np.ravel_multi_index((step, state, action), self._visits.counts.shape)
        entries, each = np.unique(flat, return_inverse=True)
        return np.asarray(self._visits.visit(np.unravel_index(entries, self._visits.counts.shape))[each])

    def _value(self, step: np.ndarray, state: np.ndarray) -> np.ndarray:
        q, allowed = self.values(step, state), self.game.step.allowed[:, state].T
        tau = self.game.step.entropy_cost[step]
        if self.follow is None and self.target == "max":
            top = np.where(allowed, q, -np.inf).max(axis=1)
            if not tau.any():
                return np.asarray(top)
            shares = np.exp((q - top[:, None]) / tau[:, None]) * allowed
            return np.asarray(top + tau * np.log(shares.sum(axis=1)))
        policy = self.exploration.probabilities(q, allowed) if self.follow is None else self.follow[step, :, state]
        entropy = tau[:, None] * np.log(policy, out=np.zeros_like(policy), where=policy > 0)
        return np.asarray((policy * np.where(allowed, q - entropy, 0.0)).sum(axis=1))

    def policy(self, game: Game | None = None, field: Any = None) -> np.ndarray:
        """Greedy, (steps, actions, states); ties are shared.  At a temperature the softmax of q / (temperature dt)."""
        step, cells = self.game.step, self.game.cells
        table = np.empty((step.steps, step.actions, cells))
        states, allowed = np.arange(cells), step.allowed.T
        for t, tau in enumerate(step.entropy_cost):
            q = np.where(allowed, self.values(np.full(cells, t), states), -np.inf)
            top = q.max(axis=1, keepdims=True)
            if tau > 0:
                share = np.exp((q - top) / tau)
            else:
                share = (q >= top - GREEDY * np.maximum(np.abs(top), 1.0)).astype(float) * allowed
            table[t] = (share / share.sum(axis=1, keepdims=True)).T
        return table


def _rows(happened: Transition) -> dict[str, np.ndarray]:
    number = happened.state.size
    return {
        "step": np.full(number, happened.step), "state": happened.state, "action": happened.action,
        "reward": happened.reward, "next_state": happened.next_state, "done": np.full(number, happened.done),
    }  # fmt: skip
