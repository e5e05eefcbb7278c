"""A finite game as its agents meet it: sampled, step by step; the crowd stays, or is the agents themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfgsolve.agents.simulation import seed_sequence
from mfgsolve.errors import InputError, whole
from mfgsolve.games import Game
from mfgsolve.learners.protocol import Learner, Observation, Transition
from mfgsolve.learners.sampler import Sampler, finite_game
from mfgsolve.problem import Problem

__all__ = ["SampledGame", "train"]


class SampledGame:
    """N agents of a finite game; one call of ``step`` moves all of them.

    Rewards are minus what a step costs, worth at t = 0 where costs are discounted: returns are their plain sums.

    Parameters
    ----------
    problem : a game with a finite list of actions (or its `Game`)
    agents : N, in every population
    crowd : the field they pay for, levels (T+1, width) as `Game.flow` gives them; None is the live crowd of the N
        agents themselves, as in the game of N
    rng : seed, or a `numpy.random.Generator`

    Examples
    --------
    >>> import numpy as np, mfgsolve as mfg
    >>> from mfgsolve.learners import SampledGame
    >>> world = SampledGame(mfg.problems.beach_bar(), agents=100, rng=0)
    >>> seen = world.reset()
    >>> happened = world.step(np.ones(100, dtype=int))
    >>> happened.reward.shape
    (100,)
    """

    def __init__(self, problem: Problem | Game, agents: int = 1, crowd: np.ndarray | None = None, rng: Any = None):
        game = problem if isinstance(problem, Game) else finite_game(problem, "SampledGame")
        number = whole(agents, "agents")
        if number < 1:
            raise InputError(f"agents is {agents}; at least 1 is needed")
        if game.problem.is_hard:
            raise InputError("the game has hard bounds, whose multipliers agents cannot see; leave the bounds out")
        self.game, self.agents = game, number
        self.rng = rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed_sequence(rng))
        self._sampler = Sampler(game)
        self.population = np.repeat(np.arange(game.grid.populations), number)
        self.crowd: np.ndarray | None
        self.freeze(crowd)
        self._step, self._cells = game.steps, np.zeros(self.population.size, dtype=np.int64)

    def freeze(self, crowd: np.ndarray | None) -> None:
        """Let agents pay for this crowd from now on; None lets the live one count again."""
        game = self.game
        if crowd is not None:
            levels, wanted = np.asarray(crowd, dtype=float), (game.steps + 1, game.width)
            if levels.shape != wanted:
                raise InputError(f"crowd has shape {levels.shape}; {wanted} is needed")
            if not np.isfinite(levels).all() or (levels[:, : game.cells] < 0).any():
                raise InputError("crowd holds numbers that are no masses; finite ones, nowhere negative, are needed")
        self.crowd = None if crowd is None else levels
        if crowd is not None:
            price = game.price(levels)
            self._price = [price[t] for t in range(self.game.steps + 1)]

    def reset(self) -> Observation:
        """All agents anew, drawn from the initial density."""
        self._step, self._cells = 0, self._sampler.start(self.population, self.rng)
        return Observation(0, self._cells)

    def step(self, actions: np.ndarray) -> Transition:
        """All choose, pay and move.

        Raises
        ------
        InputError
            before `reset` and after the last step; for actions that are not allowed
        """
        t, game, sampler = self._step, self.game, self._sampler
        if t >= game.steps:
            raise InputError("the episode has ended (or not begun); call reset()")
        chosen = self._checked(actions)
        here, live = self._cells, self.crowd is None
        mass = self._mass(here) if live else np.asarray(self.crowd)[t, : game.cells]
        price = sampler.price(t, sampler.level(t, mass, self._choices(here, chosen))) if live else self._price[t]
        reward = -(sampler.action_cost(t, price)[chosen, here] + sampler.state_cost(t, price)[here])
        self._cells = sampler.move(t, here, chosen, mass, self.rng)
        self._step = t + 1
        done = self._step == game.steps
        if done:
            nothing = np.zeros((game.step.actions, game.cells))
            level = sampler.level(t + 1, self._mass(self._cells), nothing)
            last = sampler.price(t + 1, level) if live else self._price[-1]
            reward = reward - sampler.state_cost(t + 1, last)[self._cells]
        return Transition(t, here, chosen, reward, self._cells, done)

    def _checked(self, actions: np.ndarray) -> np.ndarray:
        chosen, game = np.asarray(actions), self.game
        if chosen.shape != self._cells.shape or chosen.dtype.kind not in "iu":
            raise InputError(f"actions are {chosen.dtype} {chosen.shape}; whole numbers {self._cells.shape} are needed")
        inside = (chosen >= 0) & (chosen < game.step.actions)
        allowed = inside & game.step.allowed[np.where(inside, chosen, 0), self._cells]
        if not allowed.all():
            i = int(np.argmin(allowed))
            raise InputError(
                f"agent {i} takes action {chosen[i]} in state {self._cells[i]}, which is not allowed there"
            )
        return chosen.astype(np.int64)

    def _mass(self, cells: np.ndarray) -> np.ndarray:
        return np.bincount(cells, minlength=self.game.cells) / self.agents

    def _choices(self, cells: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        game = self.game
        pairs = np.bincount(chosen * game.cells + cells, minlength=game.step.actions * game.cells)
        return pairs.reshape(game.step.actions, game.cells) / self.agents


def train(learner: Learner, world: SampledGame, episodes: int) -> float:
    """Let agents play and learn; returns the mean reward of an agent in the last episode."""
    total = np.nan
    for _ in range(episodes):
        seen, total, done = world.reset(), 0.0, False
        while not done:
            happened = world.step(learner.act(seen, world.crowd, world.rng))
            learner.observe(happened)
            total += float(happened.reward.mean())
            seen, done = Observation(happened.step + 1, happened.next_state), happened.done
        learner.update(world.rng)
    return total
