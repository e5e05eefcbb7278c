"""Learners of one's own by the door of `mfgsolve.learn`: fictitious play whose responses they learn.

Block after block the learner plays against the crowd believed; what it would then do, read off as a table, is mixed
into that crowd, and the exact certificate judges the mixture.  What may come:

- a `Learner` (act, observe, update, policy), or a class derived from it, made anew of the game for every response;
- an *agent as Gymnasium's users write them*, who sees one observation, array([step, cell]), as `to_gymnasium` shows it.
  It chooses by ``predict(observation)`` (of Stable-Baselines3, which returns a pair, and is asked to be
  ``deterministic``), ``get_action(observation)``, ``act(observation)``, or is a function of the observation itself;
  where it has ``update(observation, action, reward, terminated, next_observation)`` it is told what happened, else it
  does not learn, and its policy is judged as it is.  All agents of the crowd share the one that came.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mfgsolve.errors import InputError, shown, whole
from mfgsolve.games import Game
from mfgsolve.inputs.calls import ask
from mfgsolve.learners.protocol import Learner, Observation, Transition
from mfgsolve.learners.sampled import SampledFictitiousPlay
from mfgsolve.solution.learning import Played
from mfgsolve.solvers.base import Outcome
from mfgsolve.solvers.frank_wolfe import MeanState

__all__ = ["GymnasiumAgent", "OwnPlay", "is_learner"]

CHOICES = ("predict", "get_action", "act")  # how an agent is asked, the first that it has
DRAWS = 16  # how often an agent that may toss coins is asked what it does in one place


def is_learner(learner: Any) -> bool:
    """Whether it is a learner of one's own, of one of the kinds of the module."""
    if isinstance(learner, type):
        return issubclass(learner, Learner)
    return isinstance(learner, Learner) or callable(learner) or any(hasattr(learner, name) for name in CHOICES)


class GymnasiumAgent(Learner):
    """An agent of Gymnasium's kind as a `Learner` of a whole crowd; see the module.

    Raises
    ------
    InputError
        for a game of several populations, an agent that cannot choose, and answers that are no actions
    """

    def __init__(self, agent: Any, game: Game):
        if game.grid.populations > 1:
            raise InputError(
                f"an agent of Gymnasium's kind sees one population, and {game.problem.name!r} has "
                f"{game.grid.populations}; bring a Learner, which sees the states of all"
            )
        self.agent, self.actions, self.name = agent, game.step.actions, type(agent).__name__
        how = next((name for name in CHOICES if callable(getattr(agent, name, None))), None)
        if how is None and not callable(agent):
            raise InputError(
                f"a {self.name} came as learner; it needs one of {', '.join(CHOICES)}, or to be a function"
            )
        self.how, self._choose = how, agent if how is None else getattr(agent, how)
        told = getattr(agent, "update", None)
        self._tell: Callable[..., Any] | None = told if callable(told) else None
        repeats = self.how == "predict" and "deterministic" in _parameters(self._choose)
        self._keywords = {"deterministic": True} if repeats else {}
        if self._tell is not None:
            _check_update(self._tell, self.name)

    @property
    def learns(self) -> bool:
        """Whether it wants to be told what happened."""
        return self._tell is not None

    def choose(self, step: int, cell: int) -> int:
        """Its action in one place."""
        observation = np.array([step, cell], dtype=np.int64)
        what, where = f"{self.how or 'answer'} of the agent {self.name}", f" at step {step} in cell {cell}"
        if self.how == "predict":
            answer = self._choose(observation, **self._keywords)
            answer = answer[0] if isinstance(answer, tuple) else answer
        else:
            answer = ask(self._choose, (observation,), what, "(observation)", where)
        number = np.asarray(answer)
        if number.size != 1 or number.dtype.kind not in "iu" or not 0 <= number.item() < self.actions:
            raise InputError(
                f"{what} is {shown(answer)}{where}; the number of an action, 0 to {self.actions - 1}, is needed"
            )
        return int(number.item())

    def act(self, observation: Observation, field: Any, rng: np.random.Generator) -> np.ndarray:
        """Ask for every agent of the crowd."""
        return np.array([self.choose(observation.step, int(cell)) for cell in observation.state], dtype=np.int64)

    def observe(self, transition: Transition) -> None:
        """Tell what happened to every agent of the crowd."""
        if self._tell is None:
            return
        columns = transition.state, transition.action, transition.reward, transition.next_state
        for cell, action, reward, after in zip(*(column.tolist() for column in columns), strict=True):
            here, there = np.array([transition.step, cell]), np.array([transition.step + 1, after])
            self._tell(here, action, reward, transition.done, there)

    def update(self, rng: np.random.Generator) -> None:
        """It has been told all the while."""

    def policy(self, game: Game, field: Any = None) -> np.ndarray:
        """How often it takes each action in each place, asked `DRAWS` times (once where it is ``deterministic``)."""
        table, even, blocked = np.zeros_like(game.step.uniform()), game.step.uniform(), game.grid.mask.reshape(-1)
        draws = 1 if self._keywords else DRAWS
        for t in range(game.steps):
            for cell in range(game.cells):
                if blocked[cell]:
                    table[t, :, cell] = even[t, :, cell]
                    continue
                for _ in range(draws):
                    action = self.choose(t, cell)
                    if not game.step.allowed[action, cell]:
                        raise InputError(f"the agent {self.name} takes action {action} in cell {cell} at step {t}, "
                                         "which is not allowed there")  # fmt: skip
                    table[t, action, cell] += 1.0 / draws
        return table


def _parameters(function: Callable[..., Any]) -> Collection[str]:
    """Names of its parameters; none of a function of C, which has no signature to look at."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return ()


def _check_update(update: Callable[..., Any], name: str) -> None:
    try:
        inspect.signature(update).bind(*range(5))
    except TypeError as error:
        raise InputError(
            f"update of the agent {name} is called as update(observation, action, reward, terminated, "
            f"next_observation), and this one cannot be ({error})"
        ) from None
    except ValueError:  # a function of C has no signature to look at
        pass


@dataclass(frozen=True)
class OwnPlay(SampledFictitiousPlay):
    """Fictitious play of a learner of one's own; see the module.

    Parameters
    ----------
    learner : what came
    agents : how many play each episode (of each population)
    episodes : how often they play in all
    block : episodes against one crowd; then comes the next one
    seed : of all random numbers
    """

    agents: int = 10
    episodes: int = 1000
    block: int = 50
    seed: int = 0
    learner: Any = field(default=None, compare=False, metadata={"loose": True})

    name = "own-play"
    learns = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if whole(self.block, "block of the learner") < 1:
            raise InputError(f"block of the learner is {self.block}; at least 1 is needed")

    def make(self, game: Game) -> Learner:
        if isinstance(self.learner, type):
            made: Learner = self.learner(game)
            return made
        return self.learner if isinstance(self.learner, Learner) else GymnasiumAgent(self.learner, game)

    def step(self, state: MeanState) -> MeanState:
        left = self.episodes - state.iteration * self.block
        now = state.iteration + 1
        replace(self, episodes=max(1, min(self.block, left)))._respond_and_mix(state)
        state.finished = now * self.block >= self.episodes or not self._is_learning(state.game)
        return state

    def _respond_and_mix(self, state: MeanState) -> None:
        super().step(state)

    def _is_learning(self, game: Game) -> bool:
        learner = self.learner
        return isinstance(learner, type | Learner) or GymnasiumAgent(learner, game).learns

    def _length(self, state: MeanState) -> float:
        return super()._length(state) if self._is_learning(state.game) else 1.0

    def finish(self, state: MeanState) -> Outcome:
        return replace(super().finish(state), played=Played(self.agents, self.episodes, self.block))
